/* service.h - HTTP in one worker: from listening sockets to responses. What server/process/run.c
 * starts and stops. https://nginx.org/en/docs/control.html */
#ifndef HTTP_SERVICE_H
#define HTTP_SERVICE_H

#include "http/core/core.h"
#include "io/io.h"
#include "net/loop.h"

struct address;
struct counters;
struct scoreboard;
struct service;

struct service_options {
    struct loop *loop;
    const struct http_main *http;
    const struct io_main_conf *io;
    const int *fds;       /* one listening descriptor per http->addresses[i] for this worker, or -1 */
    unsigned extra_count; /* further descriptors to accept from: reuseport sockets of a larger earlier worker count */
    const int *extra_fds;
    const unsigned *extra_address; /* and the index of the address of each */
    unsigned connections;          /* worker_connections */
    unsigned aio_requests;         /* worker_aio_requests */
    bool multi_accept;
    struct scoreboard *scoreboard; /* NULL: counts for itself */
    struct counters *counters;     /* of this worker, there; NULL: counts for itself */
};

int service_start(struct service **out, const struct service_options *options); /* 0 or -errno */

/* Takes over a connection that was accepted elsewhere. */
void service_take(struct service *s, const struct http_address *address, int fd, const struct address *peer);

/* QUIT: accepts what is queued and then no more; idle connections close, after seconds of grace;
 * the next response of each other says Connection: close. `drained` is called exactly once, when no
 * connection is left: from the loop, or in here if there is none now; not any more after
 * service_destroy(). */
void service_drain(struct service *s, loop_fn *drained, void *arg);

void service_destroy(struct service *s); /* TERM: closes everything */
unsigned service_connections(const struct service *s);

#endif
