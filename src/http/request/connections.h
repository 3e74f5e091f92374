/* connections.h - the client connections of a worker, whatever protocol they speak: what service.c
 * needs to know of them, and how one changes its protocol. RFC 9113, section 3. */
#ifndef HTTP_REQUEST_CONNECTIONS_H
#define HTTP_REQUEST_CONNECTIONS_H

#include "base/list.h"
#include "http/request/client.h"
#include "net/loop.h"
#include "net/transport.h"

struct connections;
struct member;
struct worker;

struct member_ops {
    /* Whether it waits for a request, and nothing of one has come yet. */
    bool (*is_idle)(const struct member *m);
    /* Of one that is idle: clock_now.msec when that began. */
    int64_t (*idle_since)(const struct member *m);
    /* Closes and frees it at once, and ends its requests. `why`: for the debug log. */
    void (*close)(struct member *m, const char *why);
    /* The same, since the worker stops. */
    void (*stop)(struct member *m);
    /* The worker drains: it ends as soon as its client knows. Closes nothing before it returns. */
    void (*drain)(struct member *m);
};

/* Embedded by each connection. */
struct member {
    struct list node; /* in connections.list */
    const struct member_ops *ops;
    const struct client *client;
};

/* A connection in the moment when its protocol is told: by what was agreed on, or its first bytes. */
struct handover {
    struct transport *transport; /* taken over by transport_move() */
    struct client *client;       /* to be copied; what it points at comes along */
    struct watch *watch;         /* of the transport; NULL: it is not watched yet */
    struct text bytes;           /* that were received; gone after the call */
    bool hung_up;                /* the peer has shut down its side, or the connection broke */
};

/* Closes the transport where it cannot be served. */
typedef void handover_fn(struct connections *all, const struct handover *h);

/* Those of a worker. Owned by service.c. */
struct connections {
    struct worker *worker;
    struct list list; /* of members, in the order of coming */
    unsigned count;
    uint64_t numbered; /* so far: $connection */
    bool draining;     /* the worker ends: they do after their next response, or when they were idle for some seconds */
    bool full;         /* there is room for none more: they end after their next response */
    handover_fn *http2; /* takes those that speak it; NULL: none do */
    loop_fn *gone;      /* one has been closed and freed */
    void *arg;
};

/* ms that an idle connection may still bring a request when the worker drains: closing it at once
 * could cross one on its way. */
enum { DRAIN_GRACE = 2000 };

#endif
