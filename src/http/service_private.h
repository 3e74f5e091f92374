/* service_private.h - what the rooms of http/ share in one worker. Owned by service.c. */
#ifndef HTTP_SERVICE_PRIVATE_H
#define HTTP_SERVICE_PRIVATE_H

#include "http/bulk.h"
#include "http/connection.h"
#include "http/listing_job.h"
#include "http/scoreboard.h"
#include "http/service.h"
#include "io/io.h"
#include "net/deadline.h"

/* Room for the struct and a usual request's allocations in one piece. */
enum { REQUEST_SPACE = 4096 };

/* Heads and small bodies; larger bodies are sent from where they are. */
enum { OUTPUT_SIZE = 16 * 1024 - (int)sizeof(struct output) };

/* Buffers of the usual size, kept for the next user. */
struct spares {
    struct spare *first;
    unsigned count;
    size_t usual; /* cap of those that are kept */
};

struct auth; /* auth.h */

struct service {
    struct loop *loop;
    const struct http_main *http;
    struct io *io;
    struct scoreboard *scoreboard; /* or NULL */
    struct counters own, *counters;
    struct file_cache *cache;
    struct auth *auth; /* NULL: nobody has asked for a password yet */
    struct deadlines *deadlines;
    struct bulk bulk;
    struct acceptor **acceptors;
    struct accepting *accepting;
    unsigned acceptor_count;
    struct list connections; /* struct connection */
    struct listing_jobs listings;
    unsigned count, most;  /* connections */
    bool paused;           /* `most` reached: nothing is accepted */
    struct deadline room;  /* while it is: idle connections are looked for again */
    int64_t no_room_until; /* clock_now.msec; too few were idle to look for them before that */
    int64_t made_room_sec; /* clock_now; when it was last said that idle connections make room */
    int64_t full_sec;      /* the same: that there is no room */
    bool draining;
    loop_fn *drained;
    void *drained_arg;
    uint64_t next_number;
    struct spares inputs, outputs;
    struct request *free_requests;
    unsigned free_request_count;
};

/* Pools; NULL: no memory. A buffer that is not of the usual size goes back to the heap. */
struct input *service_input(struct service *s, size_t cap);
void service_give_input(struct service *s, struct input *in);
struct output *service_output(struct service *s, size_t cap);
void service_give_output(struct service *s, struct output *out);

/* A zeroed request with its arena ready. */
struct request *service_request(struct service *s);
void service_give_request(struct service *s, struct request *r);

/* What all workers count; this one alone where there is no scoreboard. */
void service_sum(const struct service *s, struct counters *total);

/* Called by connection.c when one is gone. */
void service_connection_gone(struct service *s);

#endif
