/* tls_check.c - looks at certificates and keys as an operator would: what is legal, and will not do
 * for long. See tls_private.h. X509_check_issued(3), X509_check_host(3) */
#include "base/log.h"
#include "net/tls/tls_private.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

enum { DAY = 24 * 60 * 60, SOON = 14 * DAY };

static void warn(const struct tls_word *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(const struct tls_word *w, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_warn(0, "%s in %s:%u", text, w->file, w->line);
}

/* ---- times ---- */

/* Seconds since 1970; 0: it has no such time. */
static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void check_times(const X509 *x, const char *what, const struct tls_word *w)
{
    int64_t now = (int64_t)time(NULL);
    int64_t begin = seconds_of(X509_get0_notBefore(x)), end = seconds_of(X509_get0_notAfter(x));
    char day[32] = "";
    struct tm tm;
    time_t t = (time_t)(begin > now ? begin : end);

    if (gmtime_r(&t, &tm))
        strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S GMT", &tm);
    if (end < now)
        warn(w, "%s \"%s\" has expired on %s", what, w->word, day);
    else if (begin > now)
        warn(w, "%s \"%s\" is not valid before %s", what, w->word, day);
    else if (end - now < SOON)
        warn(w, "%s \"%s\" expires within %d days, on %s", what, w->word, SOON / DAY, day);
}

/* ---- certificates ---- */

void tls_check_kind(SSL_CTX *ssl, const X509 *own, const struct tls_word *w)
{
    for (long rc = SSL_CTX_set_current_cert(ssl, SSL_CERT_SET_FIRST); rc == 1;
         rc = SSL_CTX_set_current_cert(ssl, SSL_CERT_SET_NEXT)) {
        const X509 *other = SSL_CTX_get0_certificate(ssl);
        if (!w->told && EVP_PKEY_get_base_id(X509_get0_pubkey(other)) == EVP_PKEY_get_base_id(X509_get0_pubkey(own)))
            warn(w, "certificate \"%s\" takes the place of the one before it: both have a key of the same kind",
                 w->word);
    }
    ERR_clear_error();
}

/* Clients look for each issuer in what follows; some do not look twice. */
static void check_order(X509 *own, STACK_OF(X509) * chain, const struct tls_word *w)
{
    X509 *last = own;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *next = sk_X509_value(chain, i);
        if (X509_check_issued(next, last) != X509_V_OK) {
            warn(w, "certificate %d in \"%s\" has not issued the one before it", i + 2, w->word);
            return;
        }
        check_times(next, "a certificate of an authority in", w);
        last = next;
    }
}

void tls_check_chain(SSL_CTX *ssl, const struct tls_word *w)
{
    STACK_OF(X509) *chain = NULL;
    X509 *own = SSL_CTX_get0_certificate(ssl);

    if (w->told)
        return;
    check_times(own, "certificate", w);
    if (SSL_CTX_get0_chain_certs(ssl, &chain) == 1)
        check_order(own, chain, w);
    ERR_clear_error();
    ((struct tls_word *)w)->told = true;
}

void tls_check_key_file(const struct tls_word *w)
{
    struct stat st;

    if (w->told || text_starts(text_of(w->word), TEXT("data:")) || stat(w->word, &st) < 0)
        return;
    if (st.st_mode & S_IRWXO)
        warn(w, "certificate key \"%s\" is open to all users (mode %03o): they can pass for this server", w->word,
             (unsigned)st.st_mode & 0777);
    ((struct tls_word *)w)->told = true;
}

/* ---- settings ---- */

void tls_check_kernel(SSL_CTX *ssl, const struct tls_word *w)
{
    if (!(SSL_CTX_get_options(ssl) & SSL_OP_ENABLE_KTLS))
        return;
    SSL_CTX_clear_options(ssl, SSL_OP_ENABLE_KTLS);
    if (!w->told)
        warn(w, "kernel TLS is not used, \"%s %s\" is without effect", w->name, w->word);
    ((struct tls_word *)w)->told = true;
}

/* ---- what a context has ---- */

/* To the first, or the next. Changes which one counts as current, and nothing else. */
static bool each_certificate(SSL_CTX *ssl, bool first)
{
    bool there = SSL_CTX_set_current_cert(ssl, first ? SSL_CERT_SET_FIRST : SSL_CERT_SET_NEXT) == 1;
    ERR_clear_error();
    return there;
}

static bool is_for(X509 *x, const char *host)
{
    struct in6_addr any;

    if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
        return X509_check_ip_asc(x, host, 0) == 1;
    return X509_check_host(x, host, strlen(host), 0, NULL) == 1;
}

bool tls_context_covers(const struct tls_context *c, const char *host)
{
    bool covers = true;

    for (bool more = each_certificate(c->ssl, true); more; more = each_certificate(c->ssl, false))
        covers = covers && is_for(SSL_CTX_get0_certificate(c->ssl), host);
    return covers;
}

int64_t tls_first_end(SSL_CTX *ssl)
{
    int64_t first = 0;

    for (bool more = each_certificate(ssl, true); more; more = each_certificate(ssl, false)) {
        int64_t end = seconds_of(X509_get0_notAfter(SSL_CTX_get0_certificate(ssl)));
        first = first == 0 || end < first ? end : first;
    }
    return first;
}
