/* tls_certificate.c - reads certificates and their keys, and checks them against each other.
 * SSL_CTX_use_certificate(3), PEM_read_bio_X509_AUX(3) */
#include "net/tls/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* ---- certificates ---- */

X509 *tls_read_certificate(BIO *file)
{
    X509 *own = PEM_read_bio_X509_AUX(file, NULL, NULL, NULL);

    if (own && X509_get0_pubkey(own))
        return own;
    X509_free(own);
    return NULL;
}

bool tls_read_chain(BIO *file, STACK_OF(X509) * chain)
{
    for (X509 *next; (next = PEM_read_bio_X509(file, NULL, NULL, NULL));) {
        if (sk_X509_push(chain, next) > 0)
            continue;
        X509_free(next);
        return false;
    }
    return tls_pem_ended();
}

/* Those that follow the first one lead to its authority. */
static const char *load_chain(SSL_CTX *ssl, BIO *file, const struct tls_word *w, struct arena *arena)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    const char *error = NULL;

    if (!chain || !tls_read_chain(file, chain))
        error = tls_error(arena, w, "cannot load certificate \"%s\": PEM_read_bio_X509() failed", w->word);
    else if (SSL_CTX_set1_chain(ssl, chain) != 1)
        error = tls_error(arena, w, "SSL_CTX_set1_chain(\"%s\") failed", w->word);
    sk_X509_pop_free(chain, X509_free);
    return error;
}

/* In the place of one with a key of the same kind, and of what followed that one. */
static const char *use_certificate(SSL_CTX *ssl, X509 *own, const struct tls_word *w, struct arena *arena)
{
    tls_check_kind(ssl, own, w);
    if (SSL_CTX_use_certificate(ssl, own) == 0 || SSL_CTX_clear_chain_certs(ssl) == 0)
        return tls_error(arena, w, "SSL_CTX_use_certificate(\"%s\") failed", w->word);
    return NULL;
}

static const char *load_certificate(SSL_CTX *ssl, const struct tls_word *w, struct arena *arena)
{
    const char *error = NULL;
    BIO *file = tls_pem_open(w, "certificate", arena, &error);
    if (!file)
        return error;
    X509 *own = tls_read_certificate(file);
    if (!own)
        error = tls_error(arena, w, "cannot load certificate \"%s\": PEM_read_bio_X509_AUX() failed", w->word);
    else
        error = use_certificate(ssl, own, w, arena);
    if (!error)
        error = load_chain(ssl, file, w, arena);
    if (!error)
        tls_check_chain(ssl, w);
    X509_free(own);
    BIO_free(file);
    return error;
}

/* ---- passwords ---- */

struct passwords {
    BIO *file;
    unsigned tried;
    bool ended;
};

/* The next line. Called instead of libssl's own function, which asks on the terminal. */
static int next_password(char *to, int room, int writing, void *arg)
{
    struct passwords *p = arg;
    (void)writing;

    p->tried++;
    int len = p->file && !p->ended ? BIO_gets(p->file, to, room) : 0;
    if (len <= 0) {
        p->ended = true;
        return -1;
    }
    while (len > 0 && (to[len - 1] == '\n' || to[len - 1] == '\r'))
        len--;
    return len;
}

EVP_PKEY *tls_read_key(BIO *file, BIO *passwords, unsigned *tried)
{
    struct passwords p = {.file = passwords};

    for (;;) {
        unsigned before = p.tried;
        EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, next_password, &p);
        *tried = p.tried;
        if (key || p.tried == before || p.ended || !p.file)
            return key;
        ERR_clear_error();
        (void)BIO_reset(file);
    }
}

/* ---- keys ---- */

/* What libssl has to say of passwords is long, and does not name them. */
static const char *refuse_key(const struct tls_word *w, unsigned tried, const struct tls_word *password_file,
                              struct arena *arena)
{
    if (tried == 0)
        return tls_error(arena, w, "cannot load certificate key \"%s\": PEM_read_bio_PrivateKey() failed", w->word);
    ERR_clear_error();
    if (!password_file)
        return tls_error(arena, w, "certificate key \"%s\" needs a password, and there is no \"ssl_password_file\"",
                         w->word);
    return tls_error(arena, w, "no password in \"%s\" is that of certificate key \"%s\"", password_file->word, w->word);
}

/* libssl itself accepts a key of another kind than the certificate's, and then has no pair. */
static const char *use_key(SSL_CTX *ssl, EVP_PKEY *key, const struct tls_word *certificate, const struct tls_word *w,
                           struct arena *arena)
{
    if (X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) != 1)
        return tls_error(arena, w, "certificate key \"%s\" does not belong to certificate \"%s\"", w->word,
                         certificate->word);
    if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
        return tls_error(arena, w, "SSL_CTX_use_PrivateKey(\"%s\") failed", w->word);
    return NULL;
}

static const char *load_key(SSL_CTX *ssl, const struct tls_word *certificate, const struct tls_word *w,
                            const struct tls_word *password_file, struct arena *arena)
{
    const char *error = NULL;
    unsigned tried = 0;
    BIO *passwords = password_file ? tls_pem_open(password_file, "passwords", arena, &error) : NULL;
    BIO *file = error ? NULL : tls_pem_open(w, "certificate key", arena, &error);
    EVP_PKEY *key = file ? tls_read_key(file, passwords, &tried) : NULL;

    if (!error)
        error = key ? use_key(ssl, key, certificate, w, arena) : refuse_key(w, tried, password_file, arena);
    if (!error)
        tls_check_key_file(w);
    EVP_PKEY_free(key);
    BIO_free(file);
    BIO_free(passwords);
    return error;
}

const char *tls_load_certificates(struct tls_context *c, struct arena *arena)
{
    const struct tls_word *key = c->conf->keys;

    for (const struct tls_word *w = c->conf->certificates; w; w = w->next, key = key->next) {
        if (!key)
            return tls_error(arena, w, "no \"ssl_certificate_key\" is defined for certificate \"%s\"", w->word);
        const char *error = load_certificate(c->ssl, w, arena);
        if (!error)
            error = load_key(c->ssl, w, key, c->conf->password_file, arena);
        if (error)
            return error;
    }
    return NULL;
}
