/* h2_conf.c - the directives of HTTP/2, which are read in builds without it, too. See h2_conf.h. */
#include "http/h2/h2_conf.h"

#include "http/site/site.h"

/* Those that nginx had before, with its words for them. */
static const char *set_obsolete(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)slot;
    if (row->extra)
        conf_warn(cf, "the \"%s\" directive is obsolete, use the \"%s\" directive instead", row->name,
                  (const char *)row->extra);
    else
        conf_warn(cf, "the \"%s\" directive is obsolete, ignored", row->name);
    return NULL;
}

#define HTTP_SERVER (CONF_HTTP | CONF_SERVER)
#define SLOT(field) CONF_SLOT(struct h2_conf, field)

#define OBSOLETE(name, contexts, instead)                                                                              \
    {                                                                                                                  \
        name, contexts, CONF_TAKE1, set_obsolete, .extra = instead, .help = "Accepted with a warning: obsolete."       \
    }

static const struct conf_bounds streams = {.least = 1, .most = 65535};
static const struct conf_bounds chunk = {.least = 1, .most = 1 << 24};
static const struct conf_bounds window = {.least = 0, .most = INT32_MAX};
static const struct conf_bounds recv_buffer = {.least = 4096, .most = 1 << 24};

static const struct conf_row rows[] = {
    {"http2_max_concurrent_streams", HTTP_SERVER, CONF_TAKE1, conf_set_number, SLOT(concurrent_streams),
     .extra = &streams, .dflt = "128",
     .help = "Most requests at a time on a connection of HTTP/2. The value of the address' default server applies."},
    {"http2_chunk_size", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, SLOT(chunk_size), .extra = &chunk, .dflt = "16k",
     .help = "Most bytes of a response's body in one DATA frame.",
     .differs = "nginx's default is 8k. Over TLS a frame has no more than 16375 bytes, so that with its head it fills "
                "one record "
                "of TLS."},
    {"http2_body_preread_size", HTTP_SERVER, CONF_TAKE1, conf_set_size, SLOT(body_window), .extra = &window,
     .dflt = "64k",
     .help = "Bytes of a request's body that a client may send before it is told to go on. The value of the address' "
             "default server applies."},
    {"http2_recv_buffer_size", CONF_HTTP, CONF_TAKE1, conf_set_size, SLOT(recv_buffer), .extra = &recv_buffer,
     .dflt = "256k", .help = "Size of the buffer that each worker reads connections of HTTP/2 into."},
    OBSOLETE("http2_idle_timeout", HTTP_SERVER, "keepalive_timeout"),
    OBSOLETE("http2_max_concurrent_pushes", HTTP_SERVER, NULL),
    OBSOLETE("http2_max_field_size", HTTP_SERVER, "large_client_header_buffers"),
    OBSOLETE("http2_max_header_size", HTTP_SERVER, "large_client_header_buffers"),
    OBSOLETE("http2_max_requests", HTTP_SERVER, "keepalive_requests"),
    {"http2_push", CONF_HTTP_ALL, CONF_TAKE1 | CONF_REPEAT, set_obsolete, .syntax = "uri | off",
     .help = "Accepted with a warning: obsolete."},
    {"http2_push_preload", CONF_HTTP_ALL, CONF_FLAG, set_obsolete, .help = "Accepted with a warning: obsolete."},
    OBSOLETE("http2_recv_timeout", HTTP_SERVER, "client_header_timeout"),
    {"http2_pool_size", HTTP_SERVER, CONF_TAKE1, conf_set_accepted, .help = "Accepted; it has no meaning here."},
    {"http2_streams_index_size", HTTP_SERVER, CONF_TAKE1, conf_set_accepted,
     .help = "Accepted; it has no meaning here."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->h2 = values;
    return NULL;
}

struct conf_module h2_module = {
    .name = "HTTP/2",
    .rows = rows,
    .size = sizeof(struct h2_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
