# sources.mk - which files are built, and what is rebuilt when the choice or the flags change.

# Lowest first.
LAYERS := base conf net file io http server

# What calls libssl; src/net/tls/tls_conf.c reads the directives in every build.
TLS_SOURCES := $(filter-out $(addprefix src/net/tls/,tls_conf.c tls_conf_session.c tls_count.c) %_none.c,$(wildcard src/net/tls/tls*.c))

# Rooms that stand in where an optional library is left out.
OPTIONAL := $(if $(filter 1,$(URING)),src/io/disk_uring_none.c,src/io/disk_uring.c)
OPTIONAL += $(if $(filter 1,$(AIO)),src/io/disk_libaio_none.c,src/io/disk_libaio.c)
OPTIONAL += $(if $(filter 1,$(CRYPT)),src/http/access/crypt_libc_none.c,src/http/access/crypt_libc.c)
OPTIONAL += $(if $(filter 1,$(CRYPTO)),src/base/hash_none.c,src/base/hash.c)
OPTIONAL += $(if $(filter 1,$(TLS)),$(wildcard src/net/tls/tls*_none.c),$(TLS_SOURCES))
# What calls nghttp2, and what is made of its streams; src/http/h2/h2_conf.c reads the directives in every build.
HTTP2_SOURCES := $(filter-out src/http/h2/h2_conf.c %_none.c,$(wildcard src/http/h2/*.c))
OPTIONAL += $(if $(filter 1,$(HTTP2)),$(wildcard src/http/h2/*_none.c),$(HTTP2_SOURCES))
OPTIONAL += $(if $(filter 1,$(HTTP2)),src/http/site/http2_none.c,src/http/site/http2.c)
OPTIONAL += $(if $(filter 1,$(BROTLI)),src/io/codec_brotli_none.c,src/io/codec_brotli.c)
OPTIONAL += $(if $(filter 1,$(ZSTD)),src/io/codec_zstd_none.c,src/io/codec_zstd.c)
OPTIONAL += $(if $(BROTLI_DICTIONARIES),src/server/command/dict_brotli_none.c,src/server/command/dict_brotli.c)
OPTIONAL += $(if $(filter 1,$(ZSTD)),src/server/command/dict_zstd_none.c,src/server/command/dict_zstd.c)
OPTIONAL += $(if $(filter 1,$(JANSSON)),src/http/registry/layout_json_none.c,src/http/registry/layout_json.c)
OPTIONAL += $(if $(filter 1,$(ZLIB)),src/io/codec_zlib_none.c,src/io/codec_zlib.c)
OPTIONAL += $(if $(filter 1,$(ZLIB)),src/base/log_gzip_none.c,src/base/log_gzip.c)
OPTIONAL += $(if $(filter 1,$(QR)),src/server/command/qr_none.c,src/server/command/qr.c)

SOURCES := $(filter-out $(OPTIONAL),$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
# Pages: text files that become C strings, "http/log/pages/NAME.inc" to who includes them.
PAGES := $(patsubst src/%,$(O)/made/%.inc,$(wildcard src/*/pages/* src/*/*/pages/*))
# By which a Content-Security-Policy permits them: "http/listing/pages/NAME.csp".
PAGE_HASHES := $(patsubst src/%,$(O)/made/%.csp,$(wildcard src/http/listing/pages/*))
# The table of `sluice DIR` where no other is installed.
MIME_TYPES := $(O)/made/conf/mime.types.inc

OBJECTS := $(SOURCES:%.c=$(O)/%.o) $(LLHTTP_SOURCES:$(LLHTTP_DIR)/%.c=$(O)/llhttp/%.o)

# Where the installed sluice looks for things; the install targets use the same.
PREFIX ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
LOCALSTATEDIR ?= $(if $(filter /usr,$(PREFIX)),/var,$(PREFIX)/var)
PATH_DEFINES = -DSLUICE_PREFIX='"$(PREFIX)/share/sluice/"' -DSLUICE_CONF_PATH='"$(SYSCONFDIR)/sluice/sluice.conf"' \
	-DSLUICE_LOG_DIR='"$(LOCALSTATEDIR)/log/sluice/"' -DSLUICE_PID_PATH='"/run/sluice.pid"'

# $(call keep,FILE,TEXT): FILE holds TEXT; its time changes only when TEXT does. It is written while the makefile is
# read, so that `make -q` tells the truth. The flags leave -Werror out: it changes no object.
keep = $(if $(filter-out x$(subst $(space),_,$(2)),x$(subst $(space),_,$(file <$(1)))),$(file >$(1),$(2)))

ifeq ($(filter clean distclean help deps uninstall,$(MAKECMDGOALS)),)
$(shell mkdir -p $(O))
$(call keep,$(O)/flags,$(strip $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(filter-out -Werror,$(WARNINGS)) $(LTO_CFLAGS) $(LLHTTP_CFLAGS)))
$(call keep,$(O)/paths,$(strip $(PATH_DEFINES)))
$(call keep,$(O)/objects.list,$(strip $(OBJECTS) $(LDFLAGS_ALL) $(LTO_LDFLAGS) $(LIBS_ALL)))
endif
$(O)/flags $(O)/paths $(O)/objects.list: ;
