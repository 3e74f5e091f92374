/* tls_pair.c - pairs that are read at the handshake. See tls_pair.h; who reads them is
 * http/tls/certificate.c. SSL_CTX_set_cert_cb(3), SSL_use_cert_and_key(3) */
#include "net/tls/tls_pair.h"

#include "net/tls/tls_private.h"
#include "net/tls/tls_sessions.h"
#include "net/tls/tls_state.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

struct tls_pair {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    unsigned users;
};

/* ---- reading ---- */

static BIO *bio_of(struct text t)
{
    return t.at && t.len <= INT32_MAX ? BIO_new_mem_buf(t.at, (int)t.len) : NULL;
}

/* What failed, or NULL. */
static const char *read_certificate(struct tls_pair *p, BIO *file)
{
    p->chain = sk_X509_new_null();
    p->certificate = file ? tls_read_certificate(file) : NULL;
    if (!p->certificate || !p->chain)
        return "PEM_read_bio_X509_AUX() failed";
    return tls_read_chain(file, p->chain) ? NULL : "PEM_read_bio_X509() failed";
}

static const char *read_key(struct tls_pair *p, BIO *file, BIO *passwords)
{
    unsigned tried = 0;

    p->key = file ? tls_read_key(file, passwords, &tried) : NULL;
    if (!p->key && tried == 0)
        return "PEM_read_bio_PrivateKey() failed";
    if (!p->key) { /* what libssl has to say of passwords does not name them */
        ERR_clear_error();
        return passwords ? "no password in \"ssl_password_file\" is that of the key"
                         : "it needs a password, and there is no \"ssl_password_file\"";
    }
    return X509_check_private_key(p->certificate, p->key) == 1 ? NULL : "it does not belong to the certificate";
}

static const char *read_both(struct tls_pair *p, const struct text *texts, bool *of_key)
{
    BIO *certificate = bio_of(texts[0]), *key = bio_of(texts[1]), *passwords = bio_of(texts[2]);
    const char *failed = read_certificate(p, certificate);

    *of_key = !failed;
    if (!failed)
        failed = read_key(p, key, passwords);
    BIO_free(certificate);
    BIO_free(key);
    BIO_free(passwords);
    return failed;
}

int tls_pair_read(struct tls_pair **out, struct text certificate, struct text key, struct text passwords,
                  struct buffer *why, bool *of_key)
{
    const struct text texts[] = {certificate, key, passwords};
    struct tls_pair *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->users = 1;
    ERR_clear_error();
    const char *failed = read_both(p, texts, of_key);
    if (!failed) {
        *out = p;
        return 0;
    }
    buffer_add_str(why, failed);
    tls_error_add(why);
    tls_pair_release(p);
    return -EINVAL;
}

void tls_pair_acquire(struct tls_pair *p)
{
    p->users++;
}

void tls_pair_release(struct tls_pair *p)
{
    if (!p || --p->users > 0)
        return;
    X509_free(p->certificate);
    sk_X509_pop_free(p->chain, X509_free);
    EVP_PKEY_free(p->key);
    free(p);
}

/* ---- the handshake ---- */

/* Not asked where a session is resumed. */
static int on_certificate(SSL *ssl, void *arg)
{
    struct tls *s = SSL_get_app_data(ssl);
    (void)arg;

    if (!s) /* no transport's */
        return 1;
    if (s->pairs == PAIRS_UNASKED)
        s->pairs = PAIRS_AWAITED;
    return s->pairs == PAIRS_AWAITED ? -1 : s->pairs == PAIRS_GIVEN;
}

static const char *keep_passwords(struct tls_context *c, struct arena *arena)
{
    const char *error = NULL;
    char line[1024];
    int n;
    struct buffer all;
    BIO *file = tls_pem_open(c->conf->password_file, "passwords", arena, &error);

    if (!file)
        return error;
    buffer_init(&all);
    while ((n = BIO_read(file, line, sizeof line)) > 0)
        buffer_add(&all, line, (size_t)n);
    BIO_free(file);
    explicit_bzero(line, sizeof line);
    if (all.failed)
        error = "no memory";
    else
        c->passwords = buffer_steal(&all, &c->passwords_len);
    buffer_fini(&all);
    return error;
}

const char *tls_pair_prepare(struct tls_context *c, struct arena *arena)
{
    const struct tls_word *key = c->conf->keys;

    for (const struct tls_word *w = c->conf->certificates; w; w = w->next, key = key->next)
        if (!key)
            return tls_error(arena, w, "no \"ssl_certificate_key\" is defined for certificate \"%s\"", w->word);
    SSL_CTX_set_cert_cb(c->ssl, on_certificate, NULL);
    return c->conf->password_file ? keep_passwords(c, arena) : NULL;
}

struct tls_context *tls_pairs_awaited(const struct tls *s)
{
    return tls_sessions_context(s->ssl);
}

int tls_pair_give(struct tls *s, const struct tls_pair *p)
{
    int rc = 0;

    tls_forget_errors();
    if (!p)
        s->pairs = PAIRS_REFUSED;
    else if (SSL_use_cert_and_key(s->ssl, p->certificate, p->key, p->chain, 1) != 1) /* too weak a key ... */
        rc = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EINVAL;
    ERR_clear_error();
    if (rc < 0)
        s->pairs = PAIRS_REFUSED;
    else if (s->pairs == PAIRS_AWAITED)
        s->pairs = PAIRS_GIVEN;
    return rc;
}
