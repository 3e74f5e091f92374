# fuzz.mk - fuzz targets: tests/fuzz/fuzz_<name>.c, with seeds in tests/fuzz/corpus/<name>/ and words in
# tests/fuzz/<name>.dict. `make fuzz` searches with libFuzzer; `make fuzz-smoke` only replays the seeds.

FUZZ_SECONDS ?= 60
FUZZ_NAMES := $(filter-out $(if $(filter 0,$(TLS)),tls) $(if $(filter 0,$(HTTP2)),h2) $(if $(filter 0,$(JANSSON)),registry),$(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c))))
# FUZZ="uri conf": only these.
FUZZ ?= $(FUZZ_NAMES)
FUZZ_FLAGS ?=
FUZZ_SHARED := $(patsubst %.c,$(O)/%.o,$(filter-out tests/fuzz/fuzz_% tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_OBJECTS := $(patsubst %.c,$(O)/%.o,$(filter-out $(if $(filter 0,$(TLS)),%/fuzz_tls.c) $(if $(filter 0,$(HTTP2)),%/fuzz_h2.c) $(if $(filter 0,$(JANSSON)),%/fuzz_registry.c),$(wildcard tests/fuzz/*.c)))
FUZZ_ARCHIVES := $(foreach l,$(LAYERS),$(O)/lib$(l).a)
# What a configuration may ask the system for, answered by fuzz_conf.c itself.
FUZZ_WRAPS := -Wl,--wrap=open,--wrap=glob,--wrap=getpwnam,--wrap=getgrnam,--wrap=getaddrinfo

$(FUZZ_OBJECTS): EXTRA += -iquote tests/fuzz -Wno-missing-prototypes
$(foreach d,search replay,$(O)/$(d)/fuzz_conf): FUZZ_LINK := $(FUZZ_WRAPS)

$(O)/search/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(FUZZ_SHARED) $(FUZZ_ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer $(FUZZ_LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(FUZZ_ARCHIVES) -Wl,--end-group $(LIBS_ALL)

$(O)/replay/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(FUZZ_SHARED) $(FUZZ_ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(FUZZ_LINK) -o $@ $(filter %.o,$^) -Wl,--start-group $(FUZZ_ARCHIVES) -Wl,--end-group $(LIBS_ALL)

fuzz-search: $(addprefix $(O)/search/fuzz_,$(FUZZ))
fuzz-replay: $(addprefix $(O)/replay/fuzz_,$(FUZZ))
	$(Q)for name in $(FUZZ); do \
		$(TEST_ENV) ASAN_OPTIONS=abort_on_error=1 $(O)/replay/fuzz_$$name tests/fuzz/corpus/$$name || exit 1; done

# Instrumented for libFuzzer: a folder and objects of its own.
FUZZ_MAKE = $(MAKE) CC=clang O=build/fuzz SANITIZE=address,undefined CFLAGS=-fsanitize=fuzzer-no-link

# What is found besides crashes (inputs that reach new code) gathers in build/fuzz/corpus/, crashes in build/fuzz/found/.
fuzz:
	@$(FUZZ_MAKE) $(JOBS) all fuzz-search
	@for name in $(FUZZ); do \
		mkdir -p build/fuzz/corpus/$$name build/fuzz/found; \
		dict=build/fuzz/$$name.dict; \
		cat tests/fuzz/$$name.dict >$$dict; \
		test $$name != conf || build/fuzz/sluice --directives | sed -n 's/^### \(.*\)/"\1 "/p' >>$$dict; \
		echo "  FUZZ $$name, $(FUZZ_SECONDS) s"; \
		build/fuzz/search/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
			-dict=$$dict -artifact_prefix=build/fuzz/found/$$name- $(FUZZ_FLAGS) \
			build/fuzz/corpus/$$name tests/fuzz/corpus/$$name >build/fuzz/$$name.log 2>&1 || \
			{ tail -n 40 build/fuzz/$$name.log; exit 1; }; \
		grep -E 'DONE|stat::number_of_executed_units|stat::peak_rss' build/fuzz/$$name.log; done

# The seeds, under sanitizers whatever the build.
fuzz-smoke:
	@$(MAKE) $(JOBS) $(if $(SANITIZE),,SANITIZE=address,undefined) fuzz-replay

.PHONY: fuzz fuzz-search fuzz-replay fuzz-smoke
