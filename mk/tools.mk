# tools.mk - run, bench, lint, format, docs.

# ---- run ----

run:
	@mk/deps.sh $(DEPS_OPTIONS)
	@$(MAKE) $(JOBS) all
	@mk/run.sh $(O)/sluice '$(PORT)' '$(origin PORT)' '$(DIR)'

reload:
	@mk/run.sh --reload

# ---- bench ----

ROUNDS ?=
SECONDS ?=
SIZES ?=
STREAM_MIB ?=
COLD_FILES ?=
LOADS ?=
CATALOGUE_FILES ?=
CATALOGUE_SIZES ?=
CATALOGUE_CONNECTIONS ?=
SCALE_FILES ?=
IDLE ?=
BASE ?=

$(O)/floor $(O)/drain $(O)/idle $(O)/crowd $(O)/copy $(O)/tree: $(O)/%: tests/bench/%.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(LDFLAGS_ALL) -o $@ $<

BENCH_ENV = SLUICE=$(O)/sluice BENCH_TOOLS=$(O) BENCH_ROUNDS='$(ROUNDS)' BENCH_SECONDS='$(SECONDS)' BENCH_SIZES='$(SIZES)' \
	BENCH_STREAM_MIB='$(STREAM_MIB)' BENCH_COLD_FILES='$(COLD_FILES)' BENCH_IDLE='$(IDLE)' BENCH_BASE='$(BASE)' \
	BENCH_LOADS='$(LOADS)' BENCH_CATALOGUE_FILES='$(CATALOGUE_FILES)' BENCH_CATALOGUE_SIZES='$(CATALOGUE_SIZES)' \
	BENCH_CATALOGUE_CONNECTIONS='$(CATALOGUE_CONNECTIONS)' BENCH_SCALE_FILES='$(SCALE_FILES)' BENCH_DIR='$(BENCH_DIR)'
BENCH_TOOLS = $(addprefix $(O)/,sluice floor drain idle copy tree paths-client $(if $(TLS_TOOL_LIBS),tls-floor tls-client) $(if $(H2_TOOL_LIBS),h2-floor h2-client))

TLS_TOOL_LIBS := $(shell $(PKG_CONFIG) --libs libssl libcrypto 2>/dev/null)
$(O)/tls-%: tests/bench/tls_%.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(LDFLAGS_ALL) -o $@ $< $(TLS_TOOL_LIBS)

# HTTP/2 over plain connections and over TLS.
H2_TOOL_LIBS := $(if $(TLS_TOOL_LIBS),$(shell $(PKG_CONFIG) --libs libnghttp2 2>/dev/null))
$(O)/h2-%: tests/bench/h2_%.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(LDFLAGS_ALL) -o $@ $< $(H2_TOOL_LIBS) $(TLS_TOOL_LIBS)
$(O)/tls-floor $(O)/h2-floor: tests/bench/gather.h
$(O)/floor $(O)/tls-floor $(O)/h2-floor $(O)/tls-client $(O)/h2-client: tests/bench/sockets.h

# BENCH="requests streams hotset cold everyday catalogue scale calls idle copy tls h2": only these parts (calls, copy: only when asked for). Results: build/bench/.
# BENCH=ab BASE=path/to/old/sluice: this build beside that one.
bench: $(BENCH_TOOLS)
	@$(BENCH_ENV) tests/bench/bench.sh $(BENCH)

# Where the instructions and the time of a small request go.
profile: $(BENCH_TOOLS)
	@$(BENCH_ENV) tests/bench/profile.sh

# All parts (or those of BENCH), the profile, and docs/performance.md with docs/bench.svg from them.
bench-report: $(BENCH_TOOLS)
	@for part in $(or $(BENCH),requests streams hotset cold everyday catalogue scale idle tls h2); do \
		$(BENCH_ENV) tests/bench/bench.sh $$part || echo "bench-report: $$part failed; the page keeps its last run" >&2; done
	@$(BENCH_ENV) tests/bench/profile.sh
	@tests/bench/report.sh

# The page alone, from what the last runs left.
bench-page:
	@tests/bench/report.sh

# directio auto beside fixed thresholds, in a memory cgroup: needs root.
bench-auto: $(O)/sluice $(O)/crowd
	@SLUICE=$(O)/sluice CROWD=$(O)/crowd AUTO_ROUNDS='$(ROUNDS)' AUTO_SECONDS='$(SECONDS)' BENCH_DIR='$(BENCH_DIR)' tests/bench/auto.sh

# The ways that bytes can take: docs/performance-paths.md and docs/paths.svg.
$(O)/paths-client: tests/bench/paths.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(LDFLAGS_ALL) -o $@ $<

paths: $(O)/sluice $(O)/paths-client
	@SLUICE=$(O)/sluice PATHS=$(O)/paths-client PATHS_ROUNDS='$(ROUNDS)' PATHS_DIR='$(BENCH_DIR)' tests/bench/paths.sh

bench-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --bench

# ---- lint and format ----

C_FILES = $(sort $(wildcard src/*.c src/*/*.[ch] src/*/*/*.[ch] include/*/*.h include/*/*/*.h \
	tests/*.[ch] tests/unit/*.[ch] tests/unit/*/*.[ch] tests/unit/*/*/*.[ch] \
	tests/integration/*.[ch] tests/integration/preload/*.c tests/scale/*.c tests/fuzz/*.[ch] tests/bench/*.[ch]))

lint: lint-layers lint-format lint-gcc lint-clang lint-tidy lint-cppcheck

lint-layers: $(OBJECTS)
	$(call say,LINT,layers)
	$(Q)tests/lint/layers.sh $(O)

lint-format:
	$(call say,LINT,clang-format)
	$(Q)clang-format --dry-run -Werror $(C_FILES)

lint-gcc lint-clang: lint-%:
	$(call say,LINT,$* -Werror)
	$(Q)$(MAKE) O=build/lint-$* CC=$* WERROR=1 lint-objects

lint-objects: $(OBJECTS) $(UNIT_OBJECTS) $(INTEGRATION_OBJECTS) $(FUZZ_OBJECTS)

# One tidy per file, so that they run in parallel and only what changed is read again.
TIDY_STAMPS = $(patsubst %.c,$(O)/tidy/%.ok,$(filter %.c,$(SOURCES)))
lint-tidy: $(TIDY_STAMPS)
$(O)/tidy/%.ok: %.c .clang-tidy $(wildcard include/*/*.h include/*/*/*.h src/*/*.h src/*/*/*.h) | $(LLHTTP_READY) $(PAGES) $(PAGE_HASHES) $(MIME_TYPES)
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS_ALL) -std=gnu11 $(PATH_DEFINES) $(LLHTTP_CFLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

lint-cppcheck: | $(LLHTTP_READY) $(PAGES) $(PAGE_HASHES) $(MIME_TYPES)
	$(call say,LINT,cppcheck)
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 -D_GNU_SOURCE -D__linux__ -Iinclude -Isrc -I$(O)/made $(PATH_DEFINES) \
		--enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/lint/cppcheck.txt -j$(NPROC) src tests/bench

lint-deps:
	@mk/deps.sh $(DEPS_OPTIONS) --lint

format:
	$(Q)clang-format -i $(C_FILES)

docs: $(O)/sluice
	$(Q)$(O)/sluice --directives >docs/directives.md.new && mv docs/directives.md.new docs/directives.md
	$(Q)awk -f mk/compatibility.awk docs/directives.md mk/nginx-directives.txt tests/compare/reasons.txt tests/compare/cases/*.case \
		>docs/nginx-compatibility.md.new && mv docs/nginx-compatibility.md.new docs/nginx-compatibility.md
	$(Q){ cat docs/sluice.conf.5.in; awk -f mk/man.awk docs/directives.md; printf '.SH SEE ALSO\n.BR sluice (8)\n'; } >docs/sluice.conf.5

.PHONY: run reload bench bench-report bench-page profile bench-auto paths bench-deps lint lint-layers lint-format lint-gcc \
	lint-clang lint-objects lint-tidy lint-cppcheck lint-deps format docs
