/* tls_verify.c - client certificates: whose are asked for, and what makes one valid. See tls_private.h. SSL_CTX_set_verify(3), X509_STORE_add_crl(3) */
#include "net/tls/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* The handshake goes on: what is wrong becomes a response. */
static int on_verify(int good, X509_STORE_CTX *store)
{
    (void)good, (void)store;
    return 1;
}

/* ---- authorities ---- */

/* `names`: where the names that clients are told are added, or NULL. */
static const char *add_authorities(X509_STORE *store, const struct tls_word *w, STACK_OF(X509_NAME) * names,
                                   struct arena *arena)
{
    const char *error = NULL;
    unsigned count = 0;
    BIO *file = tls_pem_open(w, "certificate", arena, &error);

    if (!file)
        return error;
    for (X509 *ca; !error && (ca = PEM_read_bio_X509_AUX(file, NULL, NULL, NULL)); count++) {
        X509_NAME *name = names ? X509_NAME_dup(X509_get_subject_name(ca)) : NULL;
        if (X509_STORE_add_cert(store, ca) != 1 || (names && sk_X509_NAME_push(names, name) == 0))
            error = tls_error(arena, w, "X509_STORE_add_cert(\"%s\") failed", w->word);
        X509_free(ca);
    }
    BIO_free(file);
    if (!error && (count == 0 || !tls_pem_ended()))
        error = tls_error(arena, w, "cannot load certificate \"%s\": PEM_read_bio_X509_AUX() failed", w->word);
    return error;
}

static const char *load_clients(struct tls_context *c, X509_STORE *store, struct arena *arena)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    const char *error = names ? add_authorities(store, c->conf->client_certificate, names, arena) : "no memory";

    if (error)
        sk_X509_NAME_pop_free(names, X509_NAME_free);
    else
        SSL_CTX_set_client_CA_list(c->ssl, names);
    return error;
}

static const char *load_crl(X509_STORE *store, const struct tls_word *w, struct arena *arena)
{
    const char *error = NULL;
    unsigned count = 0;
    BIO *file = tls_pem_open(w, "certificate revocation list", arena, &error);

    if (!file)
        return error;
    for (X509_CRL *crl; !error && (crl = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL)); count++) {
        if (X509_STORE_add_crl(store, crl) != 1)
            error = tls_error(arena, w, "X509_STORE_add_crl(\"%s\") failed", w->word);
        X509_CRL_free(crl);
    }
    BIO_free(file);
    if (!error && (count == 0 || !tls_pem_ended()))
        error = tls_error(arena, w, "cannot load certificate revocation list \"%s\": PEM_read_bio_X509_CRL() failed",
                          w->word);
    if (!error)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return error;
}

const char *tls_load_authorities(struct tls_context *c, struct arena *arena)
{
    const struct tls_conf *conf = c->conf;
    X509_STORE *store = SSL_CTX_get_cert_store(c->ssl);
    const char *error = NULL;

    if (conf->verify_client != TLS_VERIFY_OFF) {
        SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, on_verify);
        SSL_CTX_set_verify_depth(c->ssl, (int)conf->verify_depth);
    }
    if (conf->client_certificate)
        error = load_clients(c, store, arena);
    if (!error && conf->trusted_certificate)
        error = add_authorities(store, conf->trusted_certificate, NULL, arena);
    if (!error && conf->crl)
        error = load_crl(store, conf->crl, arena);
    return error;
}
