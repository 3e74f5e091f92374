/* tls_client.c - what a client's certificate says, in nginx's forms. See tls_fact.h.
 * X509_NAME_print_ex(3), SSL_get_verify_result(3) */
#include "net/tls/tls_private.h"
#include "net/tls/tls_state.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

/* ---- texts ---- */

static struct text text_of_bio(BIO *bio, struct arena *arena)
{
    char *at;
    long len = bio ? BIO_get_mem_data(bio, &at) : 0;
    struct text t = len > 0 ? arena_text(arena, (struct text){at, (size_t)len}) : TEXT_NONE;

    BIO_free(bio);
    return t;
}

static struct text pem_of(X509 *x, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio)
        PEM_write_bio_X509(bio, x);
    return text_of_bio(bio, arena);
}

/* The last line's end is not one of the value. */
static struct text without_end(struct text t)
{
    return (struct text){t.at, t.len > 0 ? t.len - 1 : 0};
}

/* Each byte by `encode`, which returns how many it became, at most three. */
static struct text each_byte(struct text t, size_t (*encode)(char c, char *to), struct arena *arena)
{
    char *out = t.at ? arena_alloc(arena, 3 * t.len + 1) : NULL;
    size_t len = 0;

    if (!out)
        return TEXT_NONE;
    for (size_t i = 0; i < t.len; i++)
        len += encode(t.at[i], out + len);
    return (struct text){out, len};
}

static size_t with_tab(char c, char *to)
{
    to[0] = c;
    to[1] = '\t';
    return c == '\n' ? 2 : 1;
}

static size_t escaped(char c, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));

    if (is_plain) {
        to[0] = c;
        return 1;
    }
    to[0] = '%';
    to[1] = digits[(unsigned char)c >> 4];
    to[2] = digits[c & 15];
    return 3;
}

/* ---- names and numbers ---- */

static struct text name_of(X509_NAME *name, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio)
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
    return text_of_bio(bio, arena);
}

static struct text legacy_name_of(X509_NAME *name, struct arena *arena)
{
    char *line = X509_NAME_oneline(name, NULL, 0);
    struct text t = line ? arena_text(arena, text_of(line)) : TEXT_NONE;

    OPENSSL_free(line);
    return t;
}

static struct text serial_of(X509 *x, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio)
        i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(x));
    return text_of_bio(bio, arena);
}

static struct text fingerprint_of(X509 *x, struct arena *arena)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;

    return X509_digest(x, EVP_sha1(), digest, &len) ? tls_hex(digest, len, arena) : TEXT_NONE;
}

static struct text time_of(const ASN1_TIME *t, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio)
        ASN1_TIME_print(bio, t);
    return text_of_bio(bio, arena);
}

static struct text remaining(X509 *x, struct arena *arena)
{
    struct tm end;
    int64_t days = 0;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &end) == 1)
        days = ((int64_t)timegm(&end) - (int64_t)time(NULL)) / DAY;
    return text_of(arena_printf(arena, "%lld", (long long)(days > 0 ? days : 0)));
}

/* ---- whether it is valid ---- */

/* What an authority that is not known comes to. */
static bool is_unknown_authority(long result)
{
    return result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

enum tls_client tls_client_state(const struct tls *s, bool any, struct arena *arena, const char **why)
{
    long result = SSL_get_verify_result(s->ssl);

    if (result == X509_V_OK || (any && is_unknown_authority(result)))
        return SSL_get0_peer_certificate(s->ssl) ? TLS_CLIENT_VALID : TLS_CLIENT_NONE;
    *why = arena_printf(arena, "(%ld:%s)", result, X509_verify_cert_error_string(result));
    return TLS_CLIENT_BAD;
}

void tls_forget_session(const struct tls *s)
{
    SSL_SESSION *session = SSL_get0_session(s->ssl);

    if (session)
        SSL_CTX_remove_session(SSL_get_SSL_CTX(s->ssl), session);
}

static struct text verify_of(SSL *ssl, const X509 *x, struct arena *arena)
{
    long result = SSL_get_verify_result(ssl);

    if (!x)
        return TEXT("NONE");
    if (result == X509_V_OK)
        return TEXT("SUCCESS");
    return text_of(arena_printf(arena, "FAILED:%s", X509_verify_cert_error_string(result)));
}

static struct text peer_sigalg_of(SSL *ssl)
{
    int type = NID_undef, digest = NID_undef;

    if (!SSL_get_peer_signature_type_nid(ssl, &type))
        return TEXT_NONE;
    SSL_get_peer_signature_nid(ssl, &digest);
    return tls_signature_name(type, digest);
}

static struct text fact_of(SSL *ssl, X509 *x, enum tls_fact which, struct arena *arena)
{
    switch (which) {
    case TLS_CLIENT_CERT:
        return each_byte(without_end(pem_of(x, arena)), with_tab, arena);
    case TLS_CLIENT_RAW_CERT:
        return pem_of(x, arena);
    case TLS_CLIENT_ESCAPED_CERT:
        return each_byte(pem_of(x, arena), escaped, arena);
    case TLS_CLIENT_S_DN:
        return name_of(X509_get_subject_name(x), arena);
    case TLS_CLIENT_I_DN:
        return name_of(X509_get_issuer_name(x), arena);
    case TLS_CLIENT_S_DN_LEGACY:
        return legacy_name_of(X509_get_subject_name(x), arena);
    case TLS_CLIENT_I_DN_LEGACY:
        return legacy_name_of(X509_get_issuer_name(x), arena);
    case TLS_CLIENT_SERIAL:
        return serial_of(x, arena);
    case TLS_CLIENT_FINGERPRINT:
        return fingerprint_of(x, arena);
    case TLS_CLIENT_SIGALG:
        return peer_sigalg_of(ssl);
    case TLS_CLIENT_V_START:
        return time_of(X509_get0_notBefore(x), arena);
    case TLS_CLIENT_V_END:
        return time_of(X509_get0_notAfter(x), arena);
    case TLS_CLIENT_V_REMAIN:
        return remaining(x, arena);
    default:
        return TEXT_NONE;
    }
}

struct text tls_client_fact(SSL *ssl, enum tls_fact which, struct arena *arena)
{
    X509 *x = SSL_get0_peer_certificate(ssl);

    if (which == TLS_CLIENT_VERIFY)
        return verify_of(ssl, x, arena);
    return x ? fact_of(ssl, x, which, arena) : TEXT_NONE;
}
