/* proxied.c - the PROXY protocol header at the beginning of a connection, on addresses that `listen ... proxy_protocol` names. */
#include "http/connection_steps.h"

#include "net/proxy_protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool refuse(const struct connection *c, struct text seen, ssize_t rc)
{
    const struct http_conf *h = c->client.address->dflt->base.http;
    const struct log *log = h->error_log ? h->error_log : log_main;
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE];

    peer_format(&c->client.peer, client);
    address_format(&c->client.address->address, true, server);
    char what[64] = "broken header";
    if (rc == -EPROTONOSUPPORT) {
        unsigned char byte = (unsigned char)seen.at[12];
        bool version = byte >> 4 != 2;
        snprintf(what, sizeof what, "unknown PROXY protocol %s: %d", version ? "version" : "command",
                 version ? byte >> 4 : byte & 15);
        seen.len = 0;
    }
    log_write(log, LEVEL_ERROR, c->client.number, 0, "%s%s%.*s%s while reading PROXY protocol, client: %s, server: %s",
              what, seen.len > 0 ? ": \"" : "", TEXT_ARG(seen), seen.len > 0 ? "\"" : "", client, server);
    return false;
}

bool connection_take_proxy(struct connection *c)
{
    struct input *in = c->in;
    size_t have = in->len - in->at;

    if (c->proxy_left == 0) {
        struct text seen = {in->data + in->at, have < PROXY_PROTOCOL_MOST ? have : PROXY_PROTOCOL_MOST};
        struct proxy_header header;
        ssize_t n = proxy_protocol_parse(seen.at, seen.len, &header);
        if (n < 0)
            return refuse(c, seen, n);
        if (n == 0)
            return true;
        if (header.known && !(c->client.proxy = malloc(sizeof *c->client.proxy)))
            return false;
        if (header.known)
            *c->client.proxy = header;
        c->proxy_left = (size_t)n;
    }
    size_t take = c->proxy_left < have ? c->proxy_left : have;
    in->at += take;
    c->proxy_left -= take;
    c->proxy_awaited = c->proxy_left > 0;
    return true;
}
