/* scoreboard.h - what all workers of a server count, in memory that they share with the master.
 * https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
 *
 * Each worker writes to a slot of its own with plain stores; nobody else does while it lives. The
 * master gives slots out before it forks; what a worker counted stays in its slot when it ends, and
 * its successor there goes on counting from it, so that totals never go down. */
#ifndef HTTP_WORKER_SCOREBOARD_H
#define HTTP_WORKER_SCOREBOARD_H

#include "file/cache.h"
#include "io/io.h"
#include "net/tls/tls_count.h"

#include <stdint.h>

enum { STATUS_CLASSES = 6 }; /* status / 100; 0: closed without a response */

/* What a connection does. */
enum connection_state {
    CONN_HANDSHAKE, /* nothing of HTTP has come: what comes is looked at, keys are agreed on */
    CONN_IDLE,      /* between requests, nothing received: holds no buffer and no request */
    CONN_READING,   /* a head is incomplete */
    CONN_BODY,      /* the request's body is read and thrown away */
    CONN_HANDLING,  /* waits for an open, a listing: anything but the client */
    CONN_SENDING,   /* waits for the client to take bytes, for the next turn, or for the disk */
    CONN_LINGERING, /* the response is out; reads what is still on its way before closing */
    CONN_CLOSED
};

/* Files kept as they were compressed, unpacked or recoded: gzip_cache. */
struct gzip_cache_stats {
    uint64_t hits, misses;
    uint64_t entries, bytes; /* now */
};

struct http2_counters {
    uint64_t connections, requests; /* begun */
    uint64_t streams;               /* now */
    uint64_t resets;                /* streams that ended before their response was complete */
    uint64_t refused;               /* streams */
    uint64_t calmed;                /* connections that were ended for what their clients asked for */
};

/* Numbers of 64 bits, all of them: they are added up as an array. */
struct counters {
    struct io_counters io;
    struct file_cache_stats cache;
    struct gzip_cache_stats gzip_cache;
    struct tls_counters tls;
    struct http2_counters http2;
    uint64_t accepted, handled; /* connections */
    uint64_t requests;          /* begun */
    uint64_t statuses[STATUS_CLASSES];
    uint64_t received, sent;          /* bytes of requests, and of responses with their heads */
    uint64_t log_dropped;             /* lines */
    uint64_t states[CONN_CLOSED + 1]; /* connections now, by enum connection_state */
    uint64_t workers;                 /* that serve now, those that drain included */
};

struct scoreboard;

/* Whether new requests should come to this server, as its master sees it: `ready` says so. */
enum readiness {
    READY,
    READY_DRAINING, /* a graceful stop has begun */
    READY_STALE     /* the workers of the newest configuration did not start; earlier ones serve */
};

enum { SCOREBOARD_NO_SLOT = -1 };

int scoreboard_create(struct scoreboard **out); /* 0 or -errno */
void scoreboard_destroy(struct scoreboard *b);  /* NULL is legal */

/* The master's alone. A slot, or SCOREBOARD_NO_SLOT: there are more workers than anybody has. */
int scoreboard_take(struct scoreboard *b);
void scoreboard_give(struct scoreboard *b, int slot); /* its worker has ended; SCOREBOARD_NO_SLOT is legal */

struct counters *scoreboard_counters(struct scoreboard *b, int slot); /* NULL: no slot */
struct io_shared *scoreboard_io(struct scoreboard *b);
struct admission *scoreboard_admission(struct scoreboard *b);

/* All workers that there are and were; any process. Each number of a worker is one that it had
 * during the call, so that no total is ever less than in a sum made before, or more than was
 * counted. Two numbers may be of two moments: a connection that changes its state meanwhile may be
 * missing, or there twice. */
void scoreboard_sum(const struct scoreboard *b, struct counters *total);
int64_t scoreboard_started(const struct scoreboard *b); /* when it was created: seconds since the epoch */

/* Said by the master, asked by any process. */
void scoreboard_say(struct scoreboard *b, enum readiness readiness);
enum readiness scoreboard_readiness(const struct scoreboard *b);

/* Files that could not be opened or read, for a fault of the disk: said and asked by any process. `now` and `since`:
 * clock_now.msec. Counts at most SCOREBOARD_FAILURES. */
enum { SCOREBOARD_FAILURES = 64 };
void scoreboard_read_failed(struct scoreboard *b, int64_t now);
unsigned scoreboard_failed_reads(const struct scoreboard *b, int64_t since);

/* Connections as nginx counts them. */
struct connections_now {
    uint64_t active, reading, writing, waiting;
};
struct connections_now counters_connections(const struct counters *c);

#endif
