# tests.mk - unit tests, integration tests, and `make test`, which is all of it from nothing.

LAYER ?=
SUITE ?=
# The size of the attacks, in percent.
ifneq ($(ATTACK),)
export ATTACK
endif

# A sanitized server is several times slower; the tests' deadlines grow with it. That of check is only there for what hangs.
TEST_ENV = CK_DEFAULT_TIMEOUT=$(if $(SANITIZE),100,20) $(if $(SANITIZE),HARNESS_SCALE=5 ASAN_OPTIONS=$${ASAN_OPTIONS:-detect_leaks=1:handle_abort=1$(ASAN_MORE)} \
	UBSAN_OPTIONS=$${UBSAN_OPTIONS:-print_stacktrace=1} TSAN_OPTIONS=$${TSAN_OPTIONS:-halt_on_error=1:atexit_sleep_ms=0})

# ---- unit: tests/unit/<layer>[/<room>]/test_<file>.c defines suite_<layer>_<file>() ----

# LAYER=base: only that layer's tests, linked with that layer and those below it.
UNIT := unit$(if $(LAYER),-$(LAYER))
UNIT_LAYERS := $(if $(LAYER),$(LAYER),$(LAYERS))
# These call libssl themselves.
UNIT_LEFT_OUT := $(if $(filter 0,$(TLS)),$(addprefix tests/unit/,net/tls/test_tls_pair.c net/tls/test_tls_seal.c net/tls/test_tls_sessions.c \
	http/tls/test_certificate_cache.c)) $(if $(filter 0,$(HTTP2)),tests/unit/http/h2/%) \
	$(if $(filter 0,$(JANSSON)),tests/unit/http/registry/test_layout.c) $(if $(filter 0,$(QR)),tests/unit/server/command/test_qr.c)
UNIT_SOURCES := $(filter-out $(UNIT_LEFT_OUT),$(sort $(foreach l,$(UNIT_LAYERS),$(wildcard tests/unit/$(l)/*.c tests/unit/$(l)/*/*.c))))
UNIT_NAMES := $(foreach s,$(UNIT_SOURCES),$(if $(filter test_%,$(notdir $(s))),$(word 3,$(subst /, ,$(s)))_$(patsubst test_%.c,%,$(notdir $(s)))))
UNIT_OBJECTS := $(UNIT_SOURCES:%.c=$(O)/%.o) $(O)/tests/unit/unit.o $(O)/tests/pattern.o $(O)/tests/certificate.o $(O)/$(UNIT).main.o
layers_to = $(if $(2),$(firstword $(2)) $(if $(filter $(1),$(firstword $(2))),,$(call layers_to,$(1),$(wordlist 2,99,$(2)))))
UNIT_ARCHIVES := $(foreach l,$(if $(LAYER),$(call layers_to,$(LAYER),$(LAYERS)),$(LAYERS)),$(O)/lib$(l).a)

# ---- integration: tests/integration/test_<name>.c defines suite_<name>() ----

INTEGRATION_SOURCES := $(filter-out $(if $(filter 0,$(TLS)),tests/integration/test_tls%.c) $(if $(filter 0,$(HTTP2)),tests/integration/test_h2%.c) $(if $(filter 0,$(JANSSON)),tests/integration/test_registry%.c),$(sort $(wildcard tests/integration/test_*.c)))
# What speaks TLS, in builds with libssl.
TLS_NOT := tests/integration/transport_tls$(if $(filter 1,$(TLS)),_none).c
# What speaks HTTP/2, in builds with libnghttp2.
HTTP2_NOT := $(if $(filter 1,$(HTTP2)),tests/integration/transport_h2_none.c,tests/integration/transport_h2.c $(wildcard tests/integration/h2_*.c))
# What speaks Brotli and Zstandard, by the libraries.
CODING_NOT := tests/integration/coding_brotli$(if $(filter 1,$(BROTLI)),_none).c tests/integration/coding_zstd$(if $(filter 1,$(ZSTD)),_none).c
INTEGRATION_NAMES := $(patsubst test_%.c,%,$(notdir $(INTEGRATION_SOURCES)))
INTEGRATION_OBJECTS := $(INTEGRATION_SOURCES:%.c=$(O)/%.o) $(O)/tests/pattern.o $(O)/tests/certificate.o $(O)/integration.main.o \
	$(patsubst %.c,$(O)/%.o,$(filter-out tests/integration/main.c tests/integration/test_% $(TLS_NOT) $(HTTP2_NOT) $(CODING_NOT),$(wildcard tests/integration/*.c)))

ifneq ($(wildcard $(O)/flags),)
$(call keep,$(O)/$(UNIT).suites,$(strip $(foreach n,$(UNIT_NAMES),SUITE($(n)))))
$(call keep,$(O)/integration.suites,$(strip $(foreach n,$(INTEGRATION_NAMES),SUITE($(n)))))
endif
$(O)/%.suites: ;

$(O)/$(UNIT).main.o: EXTRA += -DSUITES='"$(O)/$(UNIT).suites"' -iquote . -iquote tests/unit
$(O)/integration.main.o: EXTRA += -DSUITES='"$(O)/integration.suites"' -iquote .
$(O)/$(UNIT).main.o: tests/unit/main.c $(O)/flags $(O)/$(UNIT).suites
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(EXTRA) -MMD -MP -c -o $@ $<
$(O)/integration.main.o: tests/integration/main.c $(O)/flags $(O)/integration.suites
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(EXTRA) -MMD -MP -c -o $@ $<

$(O)/tests/unit/%.o: EXTRA += -iquote tests/unit
# check.h's macros are not clean under -Wconversion; a suite's prototype stands where the list is.
$(UNIT_OBJECTS) $(INTEGRATION_OBJECTS): EXTRA += -Wno-conversion -Wno-sign-conversion -Wno-missing-prototypes

$(O)/$(UNIT): $(UNIT_OBJECTS) $(UNIT_ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(LTO_NOT) -o $@ $(UNIT_OBJECTS) -Wl,--start-group $(UNIT_ARCHIVES) -Wl,--end-group $(CHECK_LIBS) $(LIBS_ALL)

$(O)/integration: $(INTEGRATION_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(INTEGRATION_OBJECTS) $(CHECK_LIBS) $(TLS_LIBS) $(HTTP2_LIBS) $(CODING_LIBS) $(LDLIBS)

# Loaded before the C library by tests that have its calls fail. A sanitizer wants to be the first itself.
FAULTY := $(if $(SANITIZE),,$(O)/faulty.so)
$(O)/faulty.so: tests/integration/preload/faulty.c tests/integration/faulty.h $(O)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O2 -g -fPIC -shared -fno-builtin $(WARNINGS) -Wno-missing-prototypes -o $@ $< -ldl

# The runner frees much between its tests: each of them is a fork of it, which a large quarantine makes slow.
test-unit: ASAN_MORE := :quarantine_size_mb=4
test-unit: $(O)/$(UNIT)
	$(Q)$(TEST_ENV) $(O)/$(UNIT) $(if $(SUITE),-s $(SUITE))

test-integration: $(O)/integration $(FAULTY) $(if $(SLUICE),,$(O)/sluice)
	$(Q)$(TEST_ENV) SLUICE=$(or $(SLUICE),$(O)/sluice) FAULTY=$(abspath $(FAULTY)) \
		$(O)/integration $(SUITE:%=-s %) $(if $(TEST),-t $(TEST))

# The same suites over another transport (HARNESS_TRANSPORT, tests/integration/transport.h), SUITE all of them; what only TCP has
# is left out by name. UNIX_SUITES, TLS_SUITES, H2_SUITES (over h2 and h2-tls): what `make test` runs of them, for what a connection does from its first byte to its end.
TRANSPORT ?= unix tls
TLS_SUITES := access auth endings framing gzip keepalive limits listing parse ranges realip redirects $(if $(filter 1,$(JANSSON)),registry) reload trouble upgrade uri
H2_SUITES := access charset codings conditional dictionary identity index io limits listing map mounts process redirects referer $(if $(filter 1,$(JANSSON)),registry) replace rewrite secure_link stall swap trouble \
	upgrade userid validators
UNIX_SUITES := access auth endings explain framing keepalive limits parse ranges realip redirects reload trouble uri
test-transport:
	$(Q)for transport in $(TRANSPORT); do HARNESS_TRANSPORT=$$transport $(MAKE) test-integration SUITE="$(SUITE)" || exit; done

# The pages in headless Chromium; says so where there is none. BROWSER_SHOTS=DIR leaves pictures there.
test-browser:
	$(Q)$(MAKE) test-integration SUITE=browser

# curl, wget, Node, git, apt, a browser and others over TLS, and skopeo, umoci, buildah and podman at a registry; says which of them are not here.
test-clients:
	$(if $(filter 0,$(TLS)),@echo 'test-clients: this build is without TLS',$(Q)$(MAKE) test-integration SUITE="tls_clients $(if $(filter 1,$(JANSSON)),registry_clients)")

# The attacks of the integration tests in full size.
attack:
	@$(MAKE) test-integration SUITE="attack $(if $(filter 1,$(TLS)),tls_attack)" ATTACK=100

# The same configurations and requests for nginx and sluice; CASE: only this file of tests/compare/cases; OVER=tls, h2: by TLS, by HTTP/2.
CASE ?=
OVER ?=
compare: $(if $(SLUICE),,$(O)/sluice)
	$(Q)COMPARE_OVER='$(OVER)' SLUICE=$(or $(SLUICE),$(O)/sluice) perl tests/compare/compare.pl $(CASE:%=tests/compare/cases/%.case)

# At full size what `make test` does a little of.
reloads: $(O)/sluice $(O)/integration
	$(Q)$(TEST_ENV) RELOADS=$(or $(RELOADS),200) SLUICE=$(O)/sluice $(O)/integration -s reload -t reload

# Mixed load, a reload each minute: memory and descriptors as a table; fails where they grow.
soak: $(O)/sluice $(O)/integration
	$(Q)$(TEST_ENV) SOAK_MINUTES=$(or $(SOAK_MINUTES),30) SLUICE=$(O)/sluice $(O)/integration -s soak

lint-light: $(OBJECTS)
	$(Q)tests/lint/layers.sh $(O)
	$(Q)CC='$(CC)' tests/lint/test_layers.sh $(O)
	$(Q)tests/lint/kubernetes.sh

# From nothing: packages first, since the flags of everything else depend on them.
test:
	@mk/deps.sh $(DEPS_OPTIONS)
	@$(MAKE) $(JOBS) tests-built lint-light $(if $(IS_RELEASE),lint-hardening lint-install)
	@$(MAKE) test-unit
	@$(MAKE) fuzz-smoke
	@$(MAKE) test-integration
	@$(MAKE) test-transport TRANSPORT=unix SUITE="$(UNIX_SUITES)"
	$(if $(filter 1,$(TLS)),@$(MAKE) test-transport TRANSPORT=tls SUITE="$(TLS_SUITES)")
	$(if $(filter 1,$(HTTP2)),@$(MAKE) test-transport TRANSPORT="h2 $(if $(filter 1,$(TLS)),h2-tls)" SUITE="$(H2_SUITES)")
	@$(MAKE) compare
	$(if $(filter 1,$(TLS)),@$(MAKE) compare OVER=tls)
	$(if $(filter 1,$(HTTP2)),@$(MAKE) compare OVER=h2)

tests-built: $(O)/sluice $(O)/$(UNIT) $(O)/integration $(FAULTY)

.PHONY: test tests-built test-unit test-integration test-transport test-browser test-clients attack compare lint-light reloads soak
