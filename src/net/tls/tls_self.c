/* tls_self.c - makes a certificate and its key in memory. See tls_self.h; tls_self_none.c stands in
 * for it where libssl is left out. X509_sign(3) */
#include "net/tls/tls_self.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { HOUR = 60 * 60, YEAR = 365 * 24 * HOUR };

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = e && X509_add_ext(x, e, -1) == 1;

    X509_EXTENSION_free(e);
    return good;
}

/* Browsers look at subjectAltName alone. */
static bool fill(X509 *x, EVP_PKEY *key, const char *address)
{
    static const unsigned char name[] = "localhost";
    char names[200];
    uint64_t serial;

    snprintf(names, sizeof names, "DNS:localhost,IP:127.0.0.1,IP:::1%s%s", address ? ",IP:" : "",
             address ? address : "");
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 && X509_set_version(x, X509_VERSION_3) &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -HOUR) && X509_gmtime_adj(X509_getm_notAfter(x), YEAR) &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0) &&
           X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_set_pubkey(x, key) &&
           add_extension(x, NID_subject_alt_name, names) &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") && X509_sign(x, key, EVP_sha256()) > 0;
}

/* "AB:CD:..." */
static bool write_fingerprint(const X509 *x, char *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;

    if (!X509_digest(x, EVP_sha256(), digest, &len) || 3 * len > TLS_SELF_FINGERPRINT)
        return false;
    for (unsigned i = 0; i < len; i++)
        snprintf(out + (size_t)3 * i, 4, "%02X%s", digest[i], i + 1 < len ? ":" : "");
    return true;
}

static bool take(struct buffer *out, BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);

    buffer_add(out, bytes, len > 0 ? (size_t)len : 0);
    BIO_free(bio);
    return len > 0 && !out->failed;
}

static bool write_pem(struct tls_self *s, X509 *x, EVP_PKEY *key)
{
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
    bool good = c && k && PEM_write_bio_X509(c, x) && PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);

    if (!good) {
        BIO_free(c);
        BIO_free(k);
        return false;
    }
    good = take(&s->certificate, c);
    return take(&s->key, k) && good;
}

int tls_self_make(struct tls_self *s, const char *address)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();

    buffer_init(&s->certificate);
    buffer_init(&s->key);
    bool good = key && x && fill(x, key, address) && write_fingerprint(x, s->fingerprint) && write_pem(s, x, key);
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good ? 0 : -EIO;
}
