/* tls_call.c - what is around every call of libssl: its queue of errors, its results, the records that
 * it made. See tls_state.h. SSL_get_error(3) */
#include "net/tls/tls_state.h"

#include <errno.h>
#include <openssl/err.h>

void tls_forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

int tls_outcome(struct tls *s, int rc)
{
    int error = SSL_get_error(s->ssl, rc);

    if (s->error)
        return s->error;
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return s->ended ? 0 : -EAGAIN;
    if (error == SSL_ERROR_WANT_X509_LOOKUP)
        return -EINPROGRESS;
    s->trouble = ERR_peek_error();
    ERR_clear_error();
    s->error = ERR_GET_REASON(s->trouble) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EPROTO;
    return s->error;
}

int tls_let_out(struct tls *s)
{
    int error = s->error;

    if (error == -EPROTO)
        s->error = 0;
    int rc = tls_wire_end(s, false, 0);
    if (error)
        s->error = error;
    return s->error ? s->error : rc;
}

void tls_trouble(const struct tls *s, char *out, size_t size)
{
    ERR_error_string_n(s->trouble, out, size);
}

static enum tls_version version_of(const SSL *ssl)
{
    switch (SSL_version(ssl)) {
    case TLS1_2_VERSION:
        return TLS_V12;
    case TLS1_3_VERSION:
        return TLS_V13;
    default:
        return TLS_VOTHER;
    }
}

void tls_count_done(const SSL *ssl)
{
    tls_counters->handshakes[TLS_OK]++;
    tls_counters->versions[version_of(ssl)]++;
    tls_counters->resumed += SSL_session_reused(ssl) ? 1 : 0;
}
