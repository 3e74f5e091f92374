/* connection.h - one client connection: its states, deadlines, buffers; requests one after another.
 * RFC 9112, section 9. */
#ifndef HTTP_H1_CONNECTION_H
#define HTTP_H1_CONNECTION_H

#include "http/core/core.h"
#include "http/h1/parse.h"
#include "http/h1/reply.h"
#include "http/request/carrier.h"
#include "http/request/client.h"
#include "http/request/connections.h"
#include "http/request/request.h"
#include "http/worker/worker.h"

struct certificate_wait; /* certificate.h */

/* Bytes received and not yet used: data[at, len). Pooled by the worker. */
struct input {
    struct spare spare;
    size_t at, len;
    char data[];
};

/* Heads and small bodies not yet sent: data[sent, len). Pooled by the worker. */
struct output {
    struct spare spare;
    size_t sent, len;
    char data[];
};

/* Heads and small bodies; larger bodies are sent from where they are. */
enum { OUTPUT_SIZE = 16 * 1024 - (int)sizeof(struct output) };

/* What may come before a request of HTTP/1. */
enum opening {
    OPENING_PROXY = 1, /* a PROXY protocol header, which was not all there yet */
    OPENING_HTTP2 = 2  /* the preface of HTTP/2, by which the connection becomes one of that */
};

struct connection {
    struct member member;
    struct carrier carrier; /* of its request */
    struct connections *all;
    struct worker *worker;
    struct client client;
    struct watch *watch;
    struct request *request;
    struct input *in;
    struct output *out;
    struct transport transport;
    struct certificate_wait *certificates; /* that its handshake waits for; NULL: it does not */
    struct sink sink;                      /* of the transport */
    struct deadline deadline;
    struct deferred next_turn; /* more to do without waiting for an event */
    struct scan scan;          /* of the head in `in` */
    struct framing framing;    /* of the request */
    struct reply reply;        /* and of its response */
    struct input *head;        /* that the request's head lies in, while a body is read into another; else NULL */
    struct body *body;         /* of the request, being thrown away; in its arena */
    enum connection_state state;
    bool readable, writable;        /* as far as known; edge-triggered */
    bool unsure;                    /* the last read took less than it might: not readable, unless a reset follows */
    bool nodelay;                   /* TCP_NODELAY is set: inherited from the listening socket */
    bool hung_up;                   /* the peer has shut down its side, or the connection broke */
    bool head_timed;                /* the deadline is that of an incomplete head */
    bool idle_timed;                /* the deadline is that of a connection without a request */
    bool pipelined;                 /* this request was there before the last response was out: $pipe */
    unsigned requests;              /* served, this one included */
    int64_t keepalive_msec;         /* of the last request's location */
    int64_t keepalive_min_msec;     /* the same */
    int64_t head_msec;              /* when the first byte of the head in `in` came */
    const struct http_conf *linger; /* while it lingers: how, as the last request's location says */
    int64_t lingering_end;          /* of throwing away: a body, or what comes behind the last response */
    size_t in_kernel;      /* while it lingers: bytes the kernel had for the client when last asked; 0: few, or none */
    uint64_t taken;        /* bytes that the client had taken when that was last looked at during a wait */
    int64_t taken_msec;    /* clock_now.msec when it, or the kernel for it, last took some; 0: there was no wait yet */
    uint64_t waited_sent;  /* bytes that the kernel had taken when the wait began */
    bool may_send;         /* while it lingers: the client may not know yet that it is over */
    size_t proxy_left;     /* bytes of its header still to be thrown away */
    unsigned char awaited; /* before HTTP/1: enum opening */
};

/* Takes over `fd`. Without memory the descriptor is closed. Nothing is read before it returns, but in
 * the same turn. */
void connection_open(struct connections *all, const struct http_address *address, int fd, const struct address *peer);

/* Closes and frees it at once, from any state, and ends its request; beside connection_hand_over()
 * the only function that does.
 * `why`: for the debug log. */
void connection_close(struct connection *c, const char *why);

/* What its request is logged with, if that has no response yet: the status that one would have. */
void connection_fail(struct connection *c, int status);

#endif
