/* tls_scope.c - which servers may resume each other's sessions: those that are the same to a client
 * (their certificates have the same names), and ask the same of it. RFC 5246, F.1.4; RFC 8446, 4.6.1;
 * SSL_CTX_set_session_id_context(3)
 *
 * A renewed certificate has other bytes and the same names: sessions outlive it. A session with a
 * client's certificate is not checked again when it is resumed, so that whatever decides about such
 * certificates is part of the scope: what is asked for, by whom they may be issued, which are
 * revoked. */
#include "net/tls/tls_sessions.h"

#include <openssl/x509v3.h>

static bool add(EVP_MD_CTX *md, const void *bytes, size_t len)
{
    uint64_t size = len;

    return EVP_DigestUpdate(md, &size, sizeof size) == 1 && EVP_DigestUpdate(md, bytes, len) == 1;
}

/* What an i2d function has made; it is freed. */
static bool add_der(EVP_MD_CTX *md, unsigned char *der, int len)
{
    bool ok = len >= 0 && add(md, der, (size_t)len);

    OPENSSL_free(der);
    return ok;
}

/* The names of subjectAltName, else the subject. */
static bool add_names(EVP_MD_CTX *md, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    unsigned char *der = NULL;
    int len = names ? i2d_GENERAL_NAMES(names, &der) : i2d_X509_NAME(X509_get_subject_name(certificate), &der);

    GENERAL_NAMES_free(names);
    return add_der(md, der, len);
}

/* Certificates that are read at the handshake are known by the names that the configuration has for
 * them, as in nginx. */
static bool add_words(EVP_MD_CTX *md, const struct tls_word *w)
{
    bool ok = true;

    for (; w && ok; w = w->next)
        ok = add(md, w->word, strlen(w->word));
    return ok;
}

static bool add_certificates(EVP_MD_CTX *md, const struct tls_context *c)
{
    bool ok = true;

    if (tls_conf_varies(c->conf))
        return add_words(md, c->conf->certificates);

    for (long rc = SSL_CTX_set_current_cert(c->ssl, SSL_CERT_SET_FIRST); rc == 1 && ok;
         rc = SSL_CTX_set_current_cert(c->ssl, SSL_CERT_SET_NEXT))
        ok = add_names(md, SSL_CTX_get0_certificate(c->ssl));
    return ok;
}

static bool add_trusted(EVP_MD_CTX *md, const X509_OBJECT *object)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    X509 *certificate = X509_OBJECT_get0_X509(object);
    X509_CRL *list = certificate ? NULL : X509_OBJECT_get0_X509_CRL(object);

    if (certificate)
        return X509_digest(certificate, EVP_sha256(), digest, &len) == 1 && add(md, digest, len);
    return !list || (X509_CRL_digest(list, EVP_sha256(), digest, &len) == 1 && add(md, digest, len));
}

/* What clients are asked for, and what decides about it. */
static bool add_rules(EVP_MD_CTX *md, const struct tls_context *c)
{
    int rules[] = {c->conf->verify_client, SSL_CTX_get_verify_depth(c->ssl)};
    const STACK_OF(X509_NAME) *issuers = SSL_CTX_get_client_CA_list(c->ssl);
    const STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(c->ssl));
    bool ok = add(md, rules, rules[0] == TLS_VERIFY_OFF ? sizeof rules[0] : sizeof rules);

    if (rules[0] == TLS_VERIFY_OFF)
        return ok;
    for (int i = 0; ok && i < sk_X509_NAME_num(issuers); i++) {
        unsigned char *der = NULL;
        int len = i2d_X509_NAME(sk_X509_NAME_value(issuers, i), &der);
        ok = add_der(md, der, len);
    }
    for (int i = 0; ok && i < sk_X509_OBJECT_num(trusted); i++)
        ok = add_trusted(md, sk_X509_OBJECT_value(trusted, i));
    return ok;
}

bool tls_scope(const struct tls_context *c, unsigned char digest[TLS_SCOPE_LEN])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 && add_certificates(md, c) && add_rules(md, c) &&
              EVP_DigestFinal_ex(md, digest, NULL) == 1;

    EVP_MD_CTX_free(md);
    return ok;
}
