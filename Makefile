# sluice - build, run, test, measure, install. GNU make. `make help` lists the targets.
#
# Each set of flags has a build folder of its own (build/release, build/debug, build/asan ...), so that switching never
# mixes objects. build/sluice is a link to the newest release build.

VERSION := $(shell sed -n 's/.*SLUICE_VERSION "\(.*\)"/\1/p' include/base/version.h)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

include mk/flags.mk
include mk/sources.mk

PORT ?= 8080
NPROC := $(shell nproc 2>/dev/null || echo 2)
# -j for inner makes, unless the caller chose one.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(NPROC))

V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-4s %s\n' '$(1)' '$(2)')

# ---- build ----

all: $(O)/sluice $(if $(IS_RELEASE),build/sluice)

build/sluice: $(O)/sluice $(if $(filter $(FLAVOUR)/sluice,$(shell readlink build/sluice)),,FORCE)
	$(Q)ln -sfn $(FLAVOUR)/sluice $@

$(O)/sluice: $(OBJECTS) $(O)/objects.list
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(LTO_LDFLAGS) $(SAME_BYTES) -o $@ $(OBJECTS) $(LIBS_ALL)

$(O)/%.o: %.c $(O)/flags | $(LLHTTP_READY) $(DEPS_PRESENT)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARNINGS) $(EXTRA) $(SAME_BYTES) -MMD -MP -c -o $@ $<

$(OBJECTS): EXTRA += $(LTO_CFLAGS)

$(PAGES): $(O)/made/%.inc: src/%
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q)sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@

$(PAGE_HASHES): $(O)/made/%.csp: src/% mk/csp-hash.awk
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q)sha256sum <$< | awk -f mk/csp-hash.awk >$@

# Without its comments.
$(MIME_TYPES): conf/mime.types
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q)sed -e '/^ *#/d' -e '/^$$/d' -e 's/  */ /g' -e 's/[\\"]/\\&/g' -e 's/^/"    /' -e 's/$$/\\n"/' $< >$@

$(O)/src/http/log/monitor_page.o: $(PAGES)
$(O)/src/http/listing/listing_modern.o: $(PAGES) $(PAGE_HASHES)
$(O)/src/server/command/quick_types.o: $(MIME_TYPES)

# llhttp from source: not ours, so without our warnings.
$(O)/llhttp/%.o: $(LLHTTP_DIR)/%.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -I$(LLHTTP_DIR) $(LLHTTP_DEFINES) $(CFLAGS_ALL) $(LTO_CFLAGS) $(SAME_BYTES) -w -c -o $@ $<

$(LLHTTP_SOURCES): $(LLHTTP_READY) ;

# Not before pkg-config is there to say that the library is not.
build/llhttp/llhttp.h: | $(DEPS_PRESENT)
	@mk/llhttp.sh $(@D)

# What the compiler needs to know beyond the flags of every file.
$(filter $(O)/src/http/h1/parse%,$(OBJECTS)): EXTRA += $(LLHTTP_CFLAGS)
# Those that know where an installed sluice looks for things (base/paths.h).
PATH_OBJECTS := $(filter $(O)/src/server/% $(O)/src/main.o $(O)/src/http/log/access_log.o,$(OBJECTS))
$(PATH_OBJECTS): EXTRA += $(PATH_DEFINES)
$(PATH_OBJECTS): $(O)/paths

# A machine without the packages: say so at once, not by a page of compiler errors.
check-packages:
	@mk/deps.sh --check $(DEPS_OPTIONS)

# One archive per layer: unit tests of a finished layer link before the layers above it exist.
define LAYER_ARCHIVE
$(O)/lib$(1).a: $$(filter $(O)/src/$(1)/%.o $(if $(filter http,$(1)),$(O)/llhttp/%.o),$$(OBJECTS)) $(O)/objects.list
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach layer,$(LAYERS),$(eval $(call LAYER_ARCHIVE,$(layer))))

include mk/tests.mk
include mk/fuzz.mk
include mk/checks.mk
include mk/tools.mk
include mk/install.mk
include mk/pack.mk
include mk/image.mk

# ---- dependencies, cleaning, help ----

deps:
	@mk/deps.sh $(DEPS_OPTIONS)

clean:
	$(Q)find build -mindepth 1 -maxdepth 1 ! -name llhttp -exec rm -rf {} + 2>/dev/null || true

distclean:
	$(Q)rm -rf build

help:
	@mk/help.sh

FORCE:
.PHONY: all check-packages deps clean distclean help FORCE

-include $(shell find $(O) -name '*.d' 2>/dev/null)
