/* sink.h - where a response's bytes go: a transport, which takes memory and, where it has sendfile,
 * slices of descriptors. sendmsg(2), sendfile(2), tcp(7).
 *
 * A sink never waits: it moves what the transport takes, at most a cap per turn so that one fast
 * client cannot starve others, and says why it stopped. */
#ifndef IO_SINK_H
#define IO_SINK_H

#include "base/text.h"
#include "io/source.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sink_result {
    SINK_DONE,         /* the transport has taken everything */
    SINK_BLOCKED,      /* it is full: continue when it becomes writable */
    SINK_TURN,         /* the cap of this turn is reached: continue next turn */
    SINK_WAIT_DISK,    /* the source will call back */
    SINK_FAILED,       /* sink->error: the transport broke */
    SINK_SOURCE_FAILED /* source->error: what was promised cannot be sent; the connection must be closed */
};

struct sink {
    struct transport *transport;
    int error;     /* -errno after SINK_FAILED */
    bool closing;  /* the body is the connection's last: its end waits for the FIN, and goes with it in one segment */
    uint64_t sent; /* bytes that the transport took, ever */
};

/* Sends `bytes` from *at on, moving *at. `more`: the rest of the message follows at once, so hold
 * back a partial segment. */
enum sink_result sink_bytes(struct sink *k, struct text bytes, size_t *at, bool more);

struct sink_body {
    struct source *source;
    uint64_t left;   /* bytes still to be sent; 0 ends it, whatever the source still has */
    uint64_t sent;   /* body bytes that the transport took, or that were copied behind the head: */
    size_t copied;   /* these */
    bool open_ended; /* the source's end is the end: `left` is not known */
};

/* Sends `head` from *at on, then the body, with as few calls as the chunks allow; at most `cap`
 * bytes of body (0: no limit). */
enum sink_result sink_body(struct sink *k, struct text head, size_t *at, struct sink_body *body, uint64_t cap);

#endif
