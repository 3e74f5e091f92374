/* configured.h - http { } blocks and requests for unit tests, without sockets. */
#ifndef CONFIGURED_H
#define CONFIGURED_H

#include "unit.h"

#include "base/clock.h"
#include "conf/parse.h"
#include "http/access/access.h"
#include "http/access/realip.h"
#include "http/access/referer.h"
#include "http/access/secure_link.h"
#include "http/content/charset.h"
#include "http/content/gzip.h"
#include "http/content/variant.h"
#include "http/core/core.h"
#include "http/files/confine.h"
#include "http/limit/limits.h"
#include "http/listing/listing.h"
#include "http/listing/random_index.h"
#include "http/log/access_log.h"
#include "http/request/client.h"
#include "http/request/request.h"
#include "http/respond/empty_gif.h"
#include "http/respond/headers.h"
#include "http/respond/userid.h"
#include "http/rewrite/rewrite.h"
#include "http/variable/map.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

struct configured {
    struct arena arena;
    struct conf_result result;
    struct http_main *http; /* NULL: result.error says why */
};

/* Reads `bytes`: a whole configuration. */
static inline void configure(struct configured *c, const char *bytes)
{
    static struct conf_module *const modules[] = {
        &io_main_module,      &io_module,        &file_module,    &http_module,        &listing_module,
        &headers_module,      &access_module,    &referer_module, &secure_link_module, &userid_module,
        &log_module,          &rewrite_module,   &map_module,     &geo_module,         &split_clients_module,
        &random_index_module, &empty_gif_module, &limits_module,  &variant_module,     &gzip_module,
        &charset_module,      &confine_module,   &realip_module,  &tls_module,         NULL};
    struct conf_input input = {
        .bytes = text_of(bytes),
        .name = "test.conf",
        .prefix = "/srv/",
        .modules = modules,
        .testing = true,
    };
    clock_update();
    *c = (struct configured){0};
    arena_init(&c->arena, 16384);
    if (conf_read(&input, &c->arena, &c->result) == 0)
        c->http = http_main_of(c->result.root);
}

static inline void unconfigure(struct configured *c)
{
    arena_fini(&c->arena);
}

/* The request's carrier: nothing comes, and nothing goes anywhere. */
static inline void carrier_resume(struct request *r)
{
    (void)r;
}

static inline int carrier_local(const struct request *r, struct address *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

static inline struct text carrier_field(struct request *r, struct text name)
{
    (void)r, (void)name;
    return TEXT_NONE;
}

static inline int carrier_tcp_info(const struct request *r, struct tcp_info *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

static const struct carrier_ops no_carrier_ops = {carrier_resume, carrier_local, carrier_field, carrier_tcp_info};

/* A GET for `uri` (decoded path, perhaps with ?args) at the first address, from 192.0.2.1. */
static inline void request_init(struct request *r, struct client *client, const struct configured *c, const char *host,
                                const char *uri)
{
    struct text target = text_of(uri);
    size_t question = text_find(target, '?');

    *client = (struct client){.address = &c->http->addresses[0], .scheme = &scheme_http, .number = 7};
    client->peer.in4.sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.1", &client->peer.in4.sin_addr);
    static struct carrier carrier = {.ops = &no_carrier_ops};
    *r = (struct request){.carrier = &carrier, .client = client, .peer = &client->peer, .ordinal = 3};
    arena_init(&r->arena, 4096);
    r->msg.method = METHOD_GET;
    r->msg.method_name = TEXT("GET");
    r->msg.protocol = PROTOCOL_1_1;
    r->raw_uri = target;
    r->uri = (struct text){target.at, question};
    r->args = question < target.len ? text_from(target, question + 1) : TEXT_NONE;
    r->host = text_of(host);
    r->out.fields_end = &r->out.fields;
    r->server = client->address->dflt;
    r->location = &r->server->base;
}

static inline void request_fini(struct request *r)
{
    arena_fini(&r->arena);
}

#endif
