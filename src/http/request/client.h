/* client.h - the client of one connection: constant once its first request begins, shared by all of
 * its requests. What a request itself takes for its client's address is r->peer, which realip.c may
 * lead elsewhere. */
#ifndef HTTP_REQUEST_CLIENT_H
#define HTTP_REQUEST_CLIENT_H

#include "base/text.h"
#include "net/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct http_address;
struct proxy_header;
struct tls;

/* A client's address, without the room that unix: paths take. */
union peer {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* Of the URIs that name what is served here: RFC 9110, 4.2. */
struct scheme {
    struct text name;
    unsigned port; /* that URIs leave out */
};

extern const struct scheme scheme_http, scheme_https;

struct client {
    union peer peer;                    /* the other end of the connection */
    const struct http_address *address; /* that it came in on */
    const struct scheme *scheme;
    const struct tls *tls;      /* what was agreed on, for net/tls/tls.h; NULL: the connection is a plain one */
    bool plain_on_tls;          /* on an address that is for TLS: 497 */
    struct proxy_header *proxy; /* addresses and TLVs of the PROXY protocol, or NULL */
    uint64_t number;            /* $connection */
    int64_t since_msec;         /* clock_now.msec when it came: $connection_time, keepalive_time */
};

void peer_set(union peer *peer, const struct address *address);

/* "192.0.2.1", "2001:db8::1", or "unix:"; at most ADDRESS_TEXT_SIZE bytes with the NUL. Returns the
 * length. */
size_t peer_format(const union peer *peer, char *out);

unsigned peer_port(const union peer *peer); /* 0: it has none */

#endif
