/* proxy_header.c - the PROXY protocol header at the beginning of a connection, on addresses that
 * `listen ... proxy_protocol` names. */
#include "http/h1/connection_private.h"

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

static size_t tlv_room(const struct proxy_header *p)
{
    return p->tlv_len < PROXY_PROTOCOL_TLV_MOST ? p->tlv_len : PROXY_PROTOCOL_TLV_MOST;
}

/* For as long as the connection lasts, with room for the TLVs behind it. False: no memory. */
static bool keep_header(struct connection *c, const struct proxy_header *header)
{
    if (!header->known)
        return true;
    c->client.proxy = malloc(sizeof *c->client.proxy + tlv_room(header));
    if (!c->client.proxy)
        return false;
    *c->client.proxy = *header;
    return true;
}

/* The TLVs among the next `count` bytes of the header. */
static void keep_tlvs(struct connection *c, const char *bytes, size_t count)
{
    struct proxy_header *p = c->client.proxy;
    size_t before = c->proxy_left > p->tlv_len ? c->proxy_left - p->tlv_len : 0;
    char *kept = (char *)(p + 1);

    if (count <= before)
        return;
    count -= before;
    size_t room = tlv_room(p) - p->tlvs.len;
    if (count > room)
        count = room;
    memcpy(kept + p->tlvs.len, bytes + before, count);
    p->tlvs = (struct text){kept, p->tlvs.len + count};
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
        if (!keep_header(c, &header))
            return false;
        c->proxy_left = (size_t)n;
    }
    size_t take = c->proxy_left < have ? c->proxy_left : have;
    if (c->client.proxy)
        keep_tlvs(c, in->data + in->at, take);
    in->at += take;
    c->proxy_left -= take;
    if (c->proxy_left == 0)
        c->awaited &= (unsigned char)~OPENING_PROXY;
    return true;
}
