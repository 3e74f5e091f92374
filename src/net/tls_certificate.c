/* tls_certificate.c - reads certificates and their keys, and checks them against each other.
 * SSL_CTX_use_certificate(3), PEM_read_bio_X509_AUX(3) */
#include "net/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* The file, or NULL with *error. */
static BIO *open_file(const struct tls_word *w, const char *what, struct arena *arena, const char **error)
{
    errno = 0;
    BIO *file = BIO_new_file(w->word, "re");
    if (file)
        return file;
    int err = errno;
    ERR_clear_error(); /* it says the same, at length */
    *error = tls_error(arena, w, "cannot load %s \"%s\": open() failed (%d: %s)", what, w->word, err, strerror(err));
    return NULL;
}

/* Whether reading ended as the end of a file does, and not at something broken. */
static bool is_end_of_file(void)
{
    unsigned long e = ERR_peek_last_error();
    if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

/* Those that follow the first one lead to its authority. */
static const char *load_chain(SSL_CTX *ssl, BIO *file, const struct tls_word *w, struct arena *arena)
{
    for (X509 *next; (next = PEM_read_bio_X509(file, NULL, NULL, NULL));) {
        if (SSL_CTX_add0_chain_cert(ssl, next) == 1)
            continue;
        X509_free(next);
        return tls_error(arena, w, "SSL_CTX_add0_chain_cert(\"%s\") failed", w->word);
    }
    if (!is_end_of_file())
        return tls_error(arena, w, "cannot load certificate \"%s\": PEM_read_bio_X509() failed", w->word);
    return NULL;
}

static const char *load_certificate(SSL_CTX *ssl, const struct tls_word *w, struct arena *arena)
{
    const char *error = NULL;
    BIO *file = open_file(w, "certificate", arena, &error);
    if (!file)
        return error;
    X509 *own = PEM_read_bio_X509_AUX(file, NULL, NULL, NULL);
    if (!own)
        error = tls_error(arena, w, "cannot load certificate \"%s\": PEM_read_bio_X509_AUX() failed", w->word);
    else if (SSL_CTX_use_certificate(ssl, own) == 0)
        error = tls_error(arena, w, "SSL_CTX_use_certificate(\"%s\") failed", w->word);
    else
        error = load_chain(ssl, file, w, arena);
    X509_free(own);
    BIO_free(file);
    return error;
}

/* Instead of libssl's own, which asks on the terminal. */
static int no_password(char *to, int room, int writing, void *arg)
{
    (void)to, (void)room, (void)writing, (void)arg;
    return -1;
}

/* libssl itself accepts a key of another kind than the certificate's, and then has no pair. */
static const char *load_key(SSL_CTX *ssl, const struct tls_word *certificate, const struct tls_word *w,
                            struct arena *arena)
{
    const char *error = NULL;
    BIO *file = open_file(w, "certificate key", arena, &error);
    if (!file)
        return error;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(file, NULL, no_password, NULL);
    if (!key)
        error = tls_error(arena, w, "cannot load certificate key \"%s\": PEM_read_bio_PrivateKey() failed", w->word);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) != 1)
        error = tls_error(arena, w, "certificate key \"%s\" does not belong to certificate \"%s\"", w->word,
                          certificate->word);
    else if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
        error = tls_error(arena, w, "SSL_CTX_use_PrivateKey(\"%s\") failed", w->word);
    EVP_PKEY_free(key);
    BIO_free(file);
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
            error = load_key(c->ssl, w, key, arena);
        if (error)
            return error;
    }
    return NULL;
}
