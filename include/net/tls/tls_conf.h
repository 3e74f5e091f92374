/* tls_conf.h - what the directives ssl_* of one http or server block say.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html
 *
 * Values alone: nothing here needs libssl, and no file is read. tls_context.h makes of them what
 * handshakes need. */
#ifndef NET_TLS_TLS_CONF_H
#define NET_TLS_TLS_CONF_H

#include "conf/directive.h"

struct conf_noted_path;

/* What a directive named, and where it stands: for the errors that come when the value is used. */
struct tls_word {
    struct tls_word *next; /* of a directive that may stand several times, in their order */
    const char *word;      /* a path is a full one */
    const char *name;      /* of ssl_conf_command: the command; the word is its value */
    const char *folder;    /* where relative paths begin; ends with / */
    bool varies;           /* of a certificate or key: there are variables in the word, which is as it was written */
    void *value;           /* of one that is read at the handshake: what http/tls makes of the word */
    struct conf_noted_path *noted; /* of a certificate or key: who serves may have to read it */
    const char *directive, *file;
    unsigned line;
    bool told; /* what is doubtful about it has been warned of */
};

enum tls_protocol { TLS_1_0 = 1 << 0, TLS_1_1 = 1 << 1, TLS_1_2 = 1 << 2, TLS_1_3 = 1 << 3 };

enum tls_verify {
    TLS_VERIFY_OFF,
    TLS_VERIFY_ON,
    TLS_VERIFY_OPTIONAL,
    TLS_VERIFY_ANY /* optional_no_ca: also one of an authority that is not known */
};

enum tls_cache_kind { TLS_CACHE_NONE, TLS_CACHE_OFF, TLS_CACHE_BUILTIN, TLS_CACHE_SHARED };

struct tls_session_cache {
    struct tls_session_cache *next; /* in tls_conf.caches */
    enum tls_cache_kind kind;
    const char *name; /* TLS_CACHE_SHARED */
    int64_t size;     /* of its memory, in bytes; TLS_CACHE_BUILTIN: in sessions */
};

struct tls_conf {
    struct tls_word *certificates, *keys; /* a pair each, in their order */
    struct tls_word *password_file;
    unsigned protocols;       /* enum tls_protocol bits */
    struct tls_word *ciphers; /* of TLS 1.2 and older, in OpenSSL's language */
    bool prefer_server_ciphers;
    struct tls_word *ecdh_curve; /* "auto", or groups in OpenSSL's language */
    struct tls_word *dhparam;
    struct tls_word *commands; /* ssl_conf_command */
    struct tls_session_cache session_cache;
    int64_t session_timeout; /* seconds */
    bool session_tickets;
    struct tls_word *ticket_keys; /* the first one makes tickets */
    int64_t buffer_size;          /* bytes of a record, at most */
    bool early_data;
    bool reject_handshake;

    int verify_client; /* enum tls_verify */
    int64_t verify_depth;
    struct tls_word *client_certificate, *trusted_certificate, *crl;

    /* Of the outermost block alone, for all of the configuration. */
    struct tls_session_cache *caches; /* each name once */
    bool told_ocsp;
};

/* Whether the pairs are read at each handshake: there are variables in one of their names. */
bool tls_conf_varies(const struct tls_conf *c);

extern struct conf_module tls_module;

#endif
