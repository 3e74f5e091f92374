/* events_conf.c - the directives of events { }. https://nginx.org/en/docs/ngx_core_module.html */
#include "server/conf/main_conf.h"

static const char *set_use(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const char *const others[] = {"select", "poll", "kqueue", "eventport", "/dev/poll", NULL};

    (void)row;
    (void)slot;
    if (text_equal(cf->args[1], TEXT("epoll")))
        return NULL;
    for (const char *const *name = others; *name; name++) {
        if (text_equal(cf->args[1], text_of(*name)))
            return conf_error(cf, "event method \"%s\" is not supported: sluice always uses \"epoll\"", *name);
    }
    return conf_error(cf, "invalid event type \"%s\"", cf->args[1].at);
}

static const struct conf_bounds connections_bounds = {.least = 1, .most = 1 << 24};
static const struct conf_bounds aio_bounds = {.least = 1, .most = 32768}; /* io_uring's own limit */

static const struct conf_row rows[] = {
    {"worker_connections", CONF_EVENTS, CONF_TAKE1, conf_set_number, CONF_SLOT(struct events_conf, connections),
     .extra = &connections_bounds, .dflt = "512", .help = "The most connections of a worker at a time."},
    {"multi_accept", CONF_EVENTS, CONF_FLAG, conf_set_flag, CONF_SLOT(struct events_conf, multi_accept), .dflt = "off",
     .help = "Accept all waiting connections per turn of the loop.",
     .differs = "off accepts up to 16 per turn, not one"},
    {"worker_aio_requests", CONF_EVENTS, CONF_TAKE1, conf_set_number, CONF_SLOT(struct events_conf, aio_requests),
     .extra = &aio_bounds, .dflt = "32", .help = "Asynchronous disk reads in flight per worker and reader.",
     .differs = "a full queue makes reads wait; it never makes them synchronous"},
    {"use", CONF_EVENTS, CONF_TAKE1, set_use, .help = "The event method: epoll is the only one.", .syntax = "epoll"},
    {"accept_mutex", CONF_EVENTS, CONF_FLAG, conf_set_accepted,
     .help = "Accepted; workers have sockets of their own (`reuseport`)."},
    {"accept_mutex_delay", CONF_EVENTS, CONF_TAKE1, conf_set_accepted, .help = "Accepted; there is no accept mutex."},
    {"debug_connection", CONF_EVENTS, CONF_TAKE1 | CONF_REPEAT, conf_set_accepted, .help = "Accepted, without effect."},
    {.name = NULL},
};

struct conf_module events_module = {
    .name = "Events",
    .rows = rows,
    .size = sizeof(struct events_conf),
    .levels = CONF_EVENTS,
};
