/* tls_dial.c - one request over TLS as a client. See tls_dial.h; tls_dial_none.c stands in for it
 * where libssl is left out. */
#include "net/tls/tls_dial.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static long receive(SSL *ssl, char *answer, size_t room)
{
    size_t len = 0, n;

    while (len < room && SSL_read_ex(ssl, answer + len, room - len, &n))
        len += n;
    return (long)len;
}

static long talk(SSL *ssl, struct text request, char *answer, size_t room, const char **doing)
{
    size_t n;

    *doing = "TLS handshake";
    if (SSL_connect(ssl) != 1)
        return -EPROTO;
    *doing = "send";
    if (!SSL_write_ex(ssl, request.at, request.len, &n))
        return -EPIPE;
    *doing = "receive";
    return receive(ssl, answer, room);
}

long tls_dial(int fd, const char *name, struct text request, char *answer, size_t room, const char **doing)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    long rc = -ENOMEM;

    *doing = "TLS handshake";
    if (ssl && SSL_set_fd(ssl, fd) == 1 && (!name || SSL_set_tlsext_host_name(ssl, name) == 1))
        rc = talk(ssl, request, answer, room, doing);
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
    return rc;
}
