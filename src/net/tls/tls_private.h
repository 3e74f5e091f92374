/* tls_private.h - the insides of TLS contexts, shared by the files of this folder that call
 * libssl. */
#ifndef NET_TLS_TLS_PRIVATE_H
#define NET_TLS_TLS_PRIVATE_H

#include "net/tls/tls_context.h"
#include "net/tls/tls_fact.h"

#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *ssl;
    const struct tls_conf *conf;
    struct tls_sessions *sessions; /* tls_sessions.h */
    const void *owner;             /* tls_context_owner() */
    const char *groups;            /* in libssl's language; NULL: its own */
    char *passwords; /* where pairs are read at the handshake: of their keys, lines; on the heap, or NULL */
    size_t passwords_len;
    int64_t not_after; /* of the first of its certificates to end; 0: it has none */
    unsigned users;
};

/* tls_error.c: "TEXT (SSL: error:0480006C:PEM routines::no start line) in FILE:LINE": with all that
 * libssl has to say, which is taken out of its queue. In `arena`. */
const char *tls_error(struct arena *arena, const struct tls_word *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* tls_pem.c: a file, or the text behind "data:"; NULL with *error, which calls it `what`. */
BIO *tls_pem_open(const struct tls_word *w, const char *what, struct arena *arena, const char **error);

/* Whether reading ended as the end of a file does, and not at something broken. */
bool tls_pem_ended(void);

/* tls_certificate.c: the pairs of conf->certificates and conf->keys. NULL or an error text. */
const char *tls_load_certificates(struct tls_context *c, struct arena *arena);

/* The parts of it: a certificate, and those behind it, which are added to `chain`; and a key, by one of the
 * lines of `passwords` (NULL: there are none), of which *tried says how many were asked for. NULL: libssl's
 * queue says why. */
X509 *tls_read_certificate(BIO *file);
bool tls_read_chain(BIO *file, STACK_OF(X509) * chain);
EVP_PKEY *tls_read_key(BIO *file, BIO *passwords, unsigned *tried);

/* tls_pair.c: for contexts whose pairs are read at the handshake. NULL or an error text. */
const char *tls_pair_prepare(struct tls_context *c, struct arena *arena);

/* tls_error.c: " (SSL: error:...)" for what is in libssl's queue, or nothing. */
struct buffer;
void tls_error_add(struct buffer *b);

/* tls_check.c: warnings, each once for a line of the configuration. */
void tls_check_kind(SSL_CTX *ssl, const X509 *own, const struct tls_word *w); /* before it is put in */
void tls_check_chain(SSL_CTX *ssl, const struct tls_word *w);                 /* of the certificate put in last */
void tls_check_key_file(const struct tls_word *w);
void tls_check_kernel(SSL_CTX *ssl, const struct tls_word *w); /* takes KTLS back, which nothing here uses */

/* When the first of the certificates ends, in seconds since 1970; 0: there is none. */
int64_t tls_first_end(SSL_CTX *ssl);

/* tls_verify.c: which client certificates are asked for, and what makes them valid. */
const char *tls_load_authorities(struct tls_context *c, struct arena *arena);

/* tls_settings.c: everything else that the directives say. */
const char *tls_apply_settings(struct tls_context *c, struct arena *arena);

/* Of servers that leave them to libssl, on a connection that began with others. */
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
#define TLS_GROUPS_AUTO "DEFAULT"
#else
#define TLS_GROUPS_AUTO "X25519:P-256:X448:P-521:P-384"
#endif

/* Bytes of a record at most, as ssl_buffer_size says. */
static inline long tls_record_size(const struct tls_conf *conf)
{
    return conf->buffer_size < SSL3_RT_MAX_PLAIN_LENGTH ? (long)conf->buffer_size : SSL3_RT_MAX_PLAIN_LENGTH;
}

/* tls_hello.c: the name that a client asks for chooses the server. */
void tls_hello_install(SSL_CTX *ssl);

/* tls_client.c, tls_words.c: facts, and what they are made of. */
struct text tls_client_fact(SSL *ssl, enum tls_fact which, struct arena *arena);
struct text tls_hex(const unsigned char *bytes, size_t len, struct arena *arena);
struct text tls_signature_name(int type, int digest); /* NIDs; absent: none that TLS 1.2 and 1.3 have */

#endif
