/* connection_handshake.c - what comes before HTTP: on an address that is for TLS, the first byte tells
 * whether the client knows; then keys are agreed on.
 *
 * All of it has client_header_timeout once, and the first head with it: bytes in drops buy no time.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout */
#include "http/h1/connection_private.h"

#include "http/tls/certificate.h"
#include "net/socket.h"
#include "net/tls/tls.h"
#include "net/tls/tls_count.h"

#include <errno.h>
#include <stdio.h>

static const char doing[] = "SSL handshaking";

void connection_await_handshake(struct connection *c)
{
    connection_become(c, CONN_HANDSHAKE);
    if (!deadline_is_set(&c->deadline))
        connection_set_deadline(c, c->client.address->dflt->base.http->client_header_timeout);
}

static struct text received(const struct connection *c)
{
    return c->in ? text_span(c->in->data + c->in->at, c->in->data + c->in->len) : TEXT("");
}

/* Of what the client sends: behind its PROXY header, or still in the socket. 0; -EAGAIN: nothing
 * yet; another -errno. */
static int first_byte(const struct connection *c, unsigned char *byte)
{
    struct text in = received(c);

    if (in.len > 0) {
        *byte = (unsigned char)in.at[0];
        return 0;
    }
    return socket_peek(c->transport.fd, byte);
}

/* 0: the transport is one of TLS now, or stays plain. */
static int begin(struct connection *c)
{
    unsigned char byte;
    int rc = first_byte(c, &byte);

    if (rc < 0)
        return rc;
    if (!tls_begins(byte)) {
        c->client.plain_on_tls = true;
        return 0;
    }
    rc = transport_tls(&c->transport, &c->client.address->acceptor, received(c));
    if (rc < 0)
        return rc;
    c->carrier.takes_files = transport_takes_files(&c->transport);
    if (c->in)
        c->in->at = c->in->len;
    connection_release_input(c);
    return 0;
}

void connection_log_trouble(struct connection *c, const char *call)
{
    char trouble[256], line[320];

    tls_trouble(c->transport.tls, trouble, sizeof trouble);
    snprintf(line, sizeof line, "%s() failed (SSL: %s)", call, trouble);
    client_log(&c->client, LEVEL_INFO, 0, c->state == CONN_HANDSHAKE ? doing : "reading from client", line);
}

static enum next fail(struct connection *c, int rc)
{
    if (rc == -ENOMEM)
        return connection_no_memory(c);
    tls_counters->handshakes[rc == -EPROTO ? TLS_FAILED : TLS_GONE]++;
    if (rc == -EPROTO)
        connection_log_trouble(c, "SSL_do_handshake");
    else if (c->transport.tls)
        client_log(&c->client, LEVEL_INFO, rc == -ECONNRESET ? 0 : -rc, doing,
                   "peer closed connection in SSL handshake");
    return connection_gone(c, "no handshake");
}

/* ---- certificates that are read for it ---- */

static void on_certificates(void *arg)
{
    struct connection *c = arg;

    c->certificates = NULL;
    loop_defer(c->worker->loop, &c->next_turn);
}

/* 0: they are there, or there are none: the handshake goes on. */
static int find_certificates(struct connection *c)
{
    return certificate_begin(&c->certificates, &(struct certificate_client){.worker = c->worker,
                                                                            .carrier = &c->carrier,
                                                                            .client = &c->client,
                                                                            .tls = c->transport.tls,
                                                                            .resume = on_certificates,
                                                                            .arg = c});
}

static int agree(struct connection *c)
{
    int rc = transport_handshake(&c->transport);

    if (rc != -EINPROGRESS)
        return rc;
    rc = find_certificates(c);
    return rc == 0 ? transport_handshake(&c->transport) : rc;
}

/* ---- */

enum next connection_handshake(struct connection *c)
{
    if (c->certificates)
        return NEXT_WAIT;
    int rc = c->transport.tls ? 0 : begin(c);
    if (rc == 0)
        rc = agree(c);
    if (rc == -EINPROGRESS)
        return NEXT_WAIT;
    if (rc == -EAGAIN) {
        c->readable = false;
        return NEXT_WAIT;
    }
    if (rc < 0)
        return fail(c, rc);
    if (c->transport.tls) {
        c->client.tls = c->transport.tls;
        c->client.scheme = &scheme_https;
    }
    if (c->transport.tls && c->all->http2 && tls_agreed_h2(c->transport.tls))
        return connection_hand_over(c);
    c->readable = true; /* what came behind the handshake may be read already */
    connection_become(c, c->in ? CONN_READING : CONN_IDLE);
    return NEXT_STEP;
}

void connection_handshake_timeout(struct connection *c)
{
    tls_counters->handshakes[TLS_TIMED_OUT]++;
    client_log(&c->client, LEVEL_INFO, ETIMEDOUT, doing, "client timed out");
    connection_close(c, "the handshake did not come in time");
}
