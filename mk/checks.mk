# checks.mk - what is looked at beside the tests' own answers: coverage, valgrind, the hardening of the binary.

# ---- coverage ----

# Counters live in a file that is mapped before anything forks, so that workers count too when they have dropped their
# privileges, and when they are killed: clang's continuous mode.
COVERAGE_LEAST ?= 85
COVERAGE_DIR := build/coverage
COVERAGE_MAKE = $(MAKE) CC=clang O=$(COVERAGE_DIR) DEBUG=1 LDFLAGS=-fprofile-instr-generate \
	CFLAGS='-fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation'

coverage:
	@$(COVERAGE_MAKE) $(JOBS) tests-built
	@rm -rf $(COVERAGE_DIR)/counts && mkdir -p $(COVERAGE_DIR)/counts
	@LLVM_PROFILE_FILE=$(CURDIR)/$(COVERAGE_DIR)/counts/%c%m.profraw $(COVERAGE_MAKE) test-unit
	@LLVM_PROFILE_FILE=$(CURDIR)/$(COVERAGE_DIR)/counts/%c%m.profraw $(COVERAGE_MAKE) test-integration
	@tests/lint/coverage.sh $(COVERAGE_DIR) $(COVERAGE_LEAST)

# The table again, of what the last run counted.
coverage-report:
	@tests/lint/coverage.sh $(COVERAGE_DIR) $(COVERAGE_LEAST)

# ---- valgrind ----

test-valgrind: $(O)/$(UNIT)
	$(Q)CK_TIMEOUT_MULTIPLIER=40 valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
		--suppressions=tests/lint/valgrind.supp $(O)/$(UNIT) $(if $(SUITE),-s $(SUITE))

# ---- hardening ----

# Of the release build: the sanitizers and debug builds leave some of it out.
lint-hardening: $(O)/sluice
	$(call say,LINT,hardening)
	$(Q)tests/lint/hardening.sh $(O)/sluice

# ---- scale ----

# Replicas of the real binary behind HAProxy and Varnish, and all that happens to replicas: docs/scale.md.
# SCALE_MIB: of the file that is resumed from replica to replica; SCALE_FRONTS="haproxy haproxy-h2 varnish": these alone; SCALE_DIR: where.
SCALE_MIB ?= 1024
SCALE_FRONTS ?=
SCALE_DIR ?=
$(O)/scale-fault.so: tests/scale/fault.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O2 -g -fPIC -shared $(WARNINGS) -o $@ $< -ldl

scale-test: $(O)/sluice $(O)/scale-fault.so
	@SLUICE=$(O)/sluice SCALE_PRELOAD=$(O)/scale-fault.so SCALE_MIB=$(SCALE_MIB) SCALE_FRONTS='$(SCALE_FRONTS)' SCALE_DIR='$(SCALE_DIR)' \
		PYTHONDONTWRITEBYTECODE=1 python3 tests/scale/scale.py || [ $$? = 77 ]

.PHONY: scale-test coverage coverage-report test-valgrind lint-hardening
