/* tls_conf.h - what the directives ssl_* of one http or server block say.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html
 *
 * Values alone: nothing here needs libssl, and no file is read. tls_context.h makes of them what
 * handshakes need. */
#ifndef NET_TLS_CONF_H
#define NET_TLS_CONF_H

#include "conf/directive.h"

/* What a directive named, and where it stands: for the errors that come when the value is used. */
struct tls_word {
    struct tls_word *next; /* of a directive that may stand several times, in their order */
    const char *word;      /* a path is a full one */
    const char *directive, *file;
    unsigned line;
};

enum tls_protocol { TLS_1_0 = 1 << 0, TLS_1_1 = 1 << 1, TLS_1_2 = 1 << 2, TLS_1_3 = 1 << 3 };

enum tls_cache_kind { TLS_CACHE_NONE, TLS_CACHE_OFF, TLS_CACHE_BUILTIN, TLS_CACHE_SHARED };

struct tls_session_cache {
    struct tls_session_cache *next; /* in tls_conf.caches */
    enum tls_cache_kind kind;
    const char *name; /* TLS_CACHE_SHARED */
    int64_t size;     /* of its memory, in bytes; TLS_CACHE_BUILTIN: in sessions */
};

struct tls_conf {
    struct tls_word *certificates, *keys; /* a pair each, in their order */
    unsigned protocols;                   /* enum tls_protocol bits */
    struct tls_word *ciphers;             /* of TLS 1.2 and older, in OpenSSL's language */
    struct tls_session_cache session_cache;
    struct tls_session_cache *caches; /* of the outermost block: each name once */
    int64_t session_timeout;          /* seconds */
    bool session_tickets;
    struct tls_word *ticket_keys; /* files; the first encrypts */
};

extern struct conf_module tls_module;

#endif
