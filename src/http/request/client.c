/* client.c - see client.h. */
#include "http/request/client.h"

#include <string.h>

const struct scheme scheme_http = {.name = {"http", 4}, .port = 80};
const struct scheme scheme_https = {.name = {"https", 5}, .port = 443};

void peer_set(union peer *peer, const struct address *address)
{
    size_t size = address->any.sa_family == AF_INET    ? sizeof peer->in4
                  : address->any.sa_family == AF_INET6 ? sizeof peer->in6
                                                       : 0;
    memset(peer, 0, sizeof *peer);
    if (size > 0)
        memcpy(peer, &address->any, size);
    else
        peer->any.sa_family = AF_UNIX;
}

static struct address address_of(const union peer *peer)
{
    struct address a = {.len = sizeof a.in6};

    memcpy(&a.in6, peer, sizeof *peer);
    return a;
}

size_t peer_format(const union peer *peer, char *out)
{
    if (peer->any.sa_family == AF_UNIX) {
        memcpy(out, "unix:", sizeof "unix:");
        return sizeof "unix:" - 1;
    }
    struct address a = address_of(peer);
    return address_format(&a, false, out);
}

unsigned peer_port(const union peer *peer)
{
    struct address a = address_of(peer);

    return peer->any.sa_family == AF_UNIX ? 0 : address_port(&a);
}
