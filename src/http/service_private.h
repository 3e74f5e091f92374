/* service_private.h - what service.c shares with the connections that it holds. */
#ifndef HTTP_SERVICE_PRIVATE_H
#define HTTP_SERVICE_PRIVATE_H

#include "http/connection.h"
#include "http/service.h"
#include "http/worker.h"

struct service {
    struct worker worker;
    struct acceptor **acceptors;
    struct accepting *accepting;
    unsigned acceptor_count;
    struct list connections; /* struct connection */
    unsigned count, most;    /* connections */
    bool paused;             /* `most` reached: nothing is accepted */
    struct deadline room;    /* while it is: idle connections are looked for again */
    int64_t no_room_until;   /* clock_now.msec; too few were idle to look for them before that */
    int64_t made_room_sec;   /* clock_now; when it was last said that idle connections make room */
    int64_t full_sec;        /* the same: that there is no room */
    bool draining;
    loop_fn *drained;
    void *drained_arg;
    uint64_t next_number;
};

/* Called by connection.c when one is gone. */
void service_connection_gone(struct service *s);

#endif
