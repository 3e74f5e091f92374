/* connection_opening.c - what may come before HTTP/1 on a plain connection: a PROXY protocol header,
 * and the preface that says it is HTTP/2. Asked about once for each connection: see
 * connection_read.c. RFC 9113, section 3.4 */
#include "http/h1/connection_private.h"

/* No request of HTTP/1 begins like this. What follows is for HTTP/2 to check. */
static const char preface[] = "PRI * HTTP/2.0\r\n";

/* Whether it is HTTP/2, as far as its bytes tell. */
static enum next look_for_http2(struct connection *c)
{
    struct text seen = text_span(c->in->data + c->in->at, c->in->data + c->in->len);
    size_t n = seen.len < sizeof preface - 1 ? seen.len : sizeof preface - 1;

    if (memcmp(seen.at, preface, n) != 0) {
        c->awaited = 0;
        return NEXT_STEP;
    }
    return n == sizeof preface - 1 ? connection_hand_over(c) : NEXT_STEP;
}

enum next connection_take_opening(struct connection *c)
{
    if (c->awaited & OPENING_PROXY) {
        if (!connection_take_proxy(c))
            return connection_gone(c, "broken PROXY protocol header");
        if (c->awaited & OPENING_PROXY)
            return NEXT_STEP;
        if (c->client.address->tls) {
            connection_await_handshake(c);
            return NEXT_STEP;
        }
    }
    return c->awaited && c->in->at < c->in->len ? look_for_http2(c) : NEXT_STEP;
}
