# flags.mk - compiler, flags and libraries, and the build folder that belongs to them.

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar

SANITIZE ?=
DEBUG ?= 0
WERROR ?= 0
# Optional libraries: 1 (wanted), 0 (built without).
URING ?= 1
AIO ?= 1
CRYPT ?= 1
CRYPTO ?= 1
TLS ?= 1
ZLIB ?= 1
BROTLI ?= 1
ZSTD ?= 1
HTTP2 ?= 1
JANSSON ?= 1
QR ?= 1
# 0: without link-time optimisation, for quick rebuilds.
LTO ?= 1

PKG_CONFIG ?= pkg-config

# libssl stands on libcrypto.
ifeq ($(CRYPTO),0)
override TLS := 0
endif

# ---- the folder ----

comma := ,
empty :=
space := $(empty) $(empty)
FLAVOUR := release
ifneq ($(filter 1,$(DEBUG)),)
FLAVOUR := debug
endif
ifneq ($(SANITIZE),)
FLAVOUR := $(if $(findstring address,$(SANITIZE)),asan,$(if $(findstring thread,$(SANITIZE)),tsan,$(if $(findstring undefined,$(SANITIZE)),ubsan,$(subst $(comma),-,$(SANITIZE)))))
endif
IS_RELEASE := $(filter release,$(FLAVOUR))
FLAVOUR := $(FLAVOUR)$(if $(filter-out gcc,$(notdir $(CC))),-$(subst $(space),-,$(notdir $(CC))))
FLAVOUR := $(FLAVOUR)$(if $(filter 0,$(URING)),-nouring)$(if $(filter 0,$(AIO)),-noaio)
FLAVOUR := $(FLAVOUR)$(if $(filter 0,$(CRYPT)),-nocrypt)$(if $(filter 0,$(CRYPTO)),-nocrypto)$(if $(filter 0,$(TLS)),-notls)$(if $(filter 0,$(ZLIB)),-nozlib)$(if $(filter 0,$(BROTLI)),-nobrotli)$(if $(filter 0,$(ZSTD)),-nozstd)$(if $(filter 0,$(HTTP2)),-noh2)$(if $(filter 0,$(JANSSON)),-nojansson)$(if $(filter 0,$(QR)),-noqr)
O ?= build/$(FLAVOUR)

# ---- flags ----

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla -Wformat=2
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif

OPTIMISE := -O2 -g
HARDEN := -fstack-protector-strong
ifneq ($(SANITIZE),)
OPTIMISE := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
# The sanitizers' own crypt_r() calls that of libcrypt, which --as-needed would leave out for it.
LDFLAGS_SANITIZE := -fsanitize=$(SANITIZE) -Wl,--no-as-needed
else ifeq ($(DEBUG),1)
OPTIMISE := -Og -g3
else
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDEN += -fcf-protection
endif
endif

# The server alone, of a release by gcc: calls between the rooms cost as little as calls inside of one. Objects hold their own code as well,
# which is what the tests link.
LTO_USED := $(if $(filter release,$(FLAVOUR)),$(if $(filter 0,$(LTO)),,yes))
LTO_CFLAGS := $(if $(LTO_USED),-flto=auto -ffat-lto-objects)
LTO_LDFLAGS := $(if $(LTO_USED),-flto=auto)
LTO_NOT := $(if $(LTO_USED),-fno-lto)

# The same bytes in whichever folder a release is built: no path of it in the debug information, of each file and of the link.
# gcc, too, has the path from PWD.
SAME_BYTES := $(if $(filter release%,$(FLAVOUR)),-ffile-prefix-map="$$PWD"=.)

CFLAGS_ALL = -std=gnu11 $(OPTIMISE) $(HARDEN) -fPIE -pthread $(CFLAGS)
CPPFLAGS_ALL = -D_GNU_SOURCE -iquote include -iquote src -iquote $(O)/made $(LIB_CFLAGS) $(CPPFLAGS)
LDFLAGS_ALL = $(OPTIMISE) -pthread -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed $(LDFLAGS_SANITIZE) $(LDFLAGS)

# ---- libraries ----

PACKAGES := libevent_core libpcre2-8 $(if $(filter 1,$(URING)),liburing)
PACKAGES += $(if $(filter 1,$(CRYPT)),libcrypt) $(if $(filter 1,$(CRYPTO)),libcrypto) $(if $(filter 1,$(TLS)),libssl) $(if $(filter 1,$(ZLIB)),zlib) $(if $(filter 1,$(HTTP2)),libnghttp2) $(if $(filter 1,$(JANSSON)),jansson) $(if $(filter 1,$(QR)),libqrencode)
PACKAGES += $(if $(filter 1,$(BROTLI)),libbrotlienc libbrotlidec) $(if $(filter 1,$(ZSTD)),libzstd)
# What `sluice dict` needs for Brotli.
BROTLI_DICTIONARIES := $(if $(filter 1,$(BROTLI)),$(shell $(PKG_CONFIG) --exists 'libbrotlienc >= 1.1' 2>/dev/null && echo yes))
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) $(if $(filter 1,$(AIO)),-laio) -lm
TLS_LIBS := $(if $(filter 1,$(TLS)),$(shell $(PKG_CONFIG) --libs libssl libcrypto 2>/dev/null))
HTTP2_LIBS := $(if $(filter 1,$(HTTP2)),$(shell $(PKG_CONFIG) --libs libnghttp2 2>/dev/null))
CODING_LIBS := $(if $(filter 1,$(BROTLI)),$(shell $(PKG_CONFIG) --libs libbrotlienc libbrotlidec 2>/dev/null)) $(if $(filter 1,$(ZSTD)),$(shell $(PKG_CONFIG) --libs libzstd 2>/dev/null))
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check 2>/dev/null)

# llhttp: the distribution's library where there is one, else its C sources (mk/llhttp.sh) in strict mode.
ifeq ($(shell $(PKG_CONFIG) --exists libllhttp 2>/dev/null && echo yes),yes)
LLHTTP_CFLAGS := $(shell $(PKG_CONFIG) --cflags libllhttp)
LIBS += $(shell $(PKG_CONFIG) --libs libllhttp)
LLHTTP_READY :=
LLHTTP_SOURCES :=
else
LLHTTP_DIR := build/llhttp
LLHTTP_DEFINES := -DLLHTTP_STRICT_MODE=1
LLHTTP_CFLAGS := $(LLHTTP_DEFINES) -isystem $(LLHTTP_DIR)
LLHTTP_READY := build/llhttp/llhttp.h
LLHTTP_SOURCES := $(addprefix $(LLHTTP_DIR)/,llhttp.c api.c http.c)
endif
LIBS_ALL = $(LIBS) $(LDLIBS)

# Options of mk/deps.sh that follow from the choices above.
DEPS_OPTIONS := $(if $(filter 0,$(URING)),--no-uring) $(if $(filter 0,$(AIO)),--no-aio) \
	$(if $(filter 0,$(CRYPT)),--no-crypt) $(if $(filter 0,$(CRYPTO)),--no-crypto) $(if $(filter 0,$(TLS)),--no-tls) \
	$(if $(filter 0,$(ZLIB)),--no-zlib) $(if $(filter 0,$(BROTLI)),--no-brotli) $(if $(filter 0,$(ZSTD)),--no-zstd) $(if $(filter 0,$(HTTP2)),--no-http2) $(if $(filter 0,$(JANSSON)),--no-jansson) $(if $(filter 0,$(QR)),--no-qr)
# Without a package that the build needs, objects depend on the check that says which.
DEPS_PRESENT := $(if $(shell $(PKG_CONFIG) --exists $(PACKAGES) 2>/dev/null && echo yes),,check-packages)
