/* tls_private.h - the insides of TLS contexts, shared by the files of this folder that call
 * libssl. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include "net/tls_context.h"

#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *ssl;
    const struct tls_conf *conf;
    struct tls_sessions *sessions; /* tls_sessions.h */
    unsigned users;
};

/* tls_error.c: "TEXT (SSL: error:0480006C:PEM routines::no start line) in FILE:LINE": with all that libssl has to
 * say, which is taken out of its queue. In `arena`. */
const char *tls_error(struct arena *arena, const struct tls_word *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* tls_certificate.c: the pairs of conf->certificates and conf->keys. NULL or an error text. */
const char *tls_load_certificates(struct tls_context *c, struct arena *arena);

#endif
