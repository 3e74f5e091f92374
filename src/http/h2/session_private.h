/* session_private.h - a connection of HTTP/2 and its streams: what the files of this folder share.
 * RFC 9113.
 *
 * nghttp2 calls back while it reads (nghttp2_session_mem_recv()) and while it composes
 * (nghttp2_session_mem_send()). Nothing ends inside of these: a callback notes what happened, and
 * settle() acts on it when they have returned. */
#ifndef HTTP_H2_SESSION_PRIVATE_H
#define HTTP_H2_SESSION_PRIVATE_H

#include "http/h2/budget.h"
#include "http/h2/fields.h"
#include "http/h2/frames.h"
#include "http/h2/h2.h"
#include "http/h2/h2_conf.h"
#include "http/h2/memory.h"
#include "http/h2/priority.h"
#include "http/request/request.h"
#include "http/worker/worker.h"

#include <nghttp2/nghttp2.h>

enum {
    H2_FRAME_HEAD = 9,
    H2_FRAME_MOST = 16384,              /* bytes of a frame's content that every peer takes: RFC 9113, 4.2 */
    H2_PAYLOAD = 16384 - H2_FRAME_HEAD, /* of a DATA frame that fills one record of TLS */
    H2_OUT_FULL = 4 * 16384,            /* from here on it goes out before more is composed */
    URGENCY_NONE = 8,
    H2_OUT_SIZE = H2_OUT_FULL + H2_FRAME_MOST + H2_FRAME_HEAD
};

/* What nghttp2 has made and the transport has not taken: data[sent, len). Pooled by the worker. */
struct h2_output {
    struct spare spare;
    size_t sent, len;
    char data[];
};

/* Of a worker: what its connections share. */
struct h2_worker {
    struct worker_part part;
    struct worker *worker;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct h2_memory memory; /* nghttp2's */
    struct spares outputs, streams;
    size_t stream_count, streams_most; /* now; beside one of each connection: each may hold a descriptor */
    char *input;                       /* what was read last, of whichever connection */
    size_t input_size;
};

enum h2_stream_state {
    H2_STREAM_HEAD,     /* its header block is incomplete */
    H2_STREAM_BEGINS,   /* it is complete, and not looked at yet */
    H2_STREAM_LIMITS,   /* a body is to come: how long it may be, and whether, is being found out */
    H2_STREAM_BODY,     /* the body is thrown away */
    H2_STREAM_HANDLING, /* waits for an open, a listing: anything but the client */
    H2_STREAM_SENDING,
    H2_STREAM_SENT /* its last frame is composed, or it was given up */
};

/* One request. */
struct h2_stream {
    struct spare spare;
    struct list node;  /* in session->streams */
    struct list noted; /* in session->begun, or session->over */
    struct carrier carrier;
    struct h2_session *session;
    struct request *request;
    struct transport transport; /* into DATA frames */
    struct sink sink;
    int32_t id;
    unsigned urgency; /* RFC 9218: 0 is the most */
    enum h2_stream_state state;
    struct fields fields; /* until the request begins */
    uint64_t body;        /* bytes of the request's body so far */
    size_t memory;        /* of its fields, in session->memory */
    size_t body_at;       /* of request->out.body, where there is no source */
    int64_t moved_msec;   /* clock_now.msec when it last got a part of its body, or sent some of the response */
    bool ended;           /* the client has: END_STREAM */
    bool deferred;        /* waits for a source, or its turn */
    bool failed;          /* the response cannot be completed */
    bool malformed;       /* RFC 9113, 8.1.1 */
    bool bodied;          /* the response has a body */
    bool stopped;         /* RST_STREAM is on its way */
    bool in_line;         /* deferred until it is its turn among large responses, or that of a more urgent one */
    bool prioritised;     /* the client has said how urgent it is */
};

struct h2_session {
    struct member member;
    struct connections *all;
    struct worker *worker;
    struct h2_worker *shared;
    struct client client;
    struct watch *watch;
    struct transport transport;
    nghttp2_session *nghttp2;
    struct h2_output *out;
    struct deadline deadline;
    struct deferred next_turn;
    struct list streams; /* in the order of their coming */
    struct list begun;   /* whose header block came in this call of nghttp2 */
    struct list over;    /* that it closed */
    unsigned stream_count;
    unsigned open_count;  /* those of them that nghttp2 has not closed */
    size_t filled, room;  /* of the DATA frame that is composed: bytes so far, and at most */
    struct frames frames; /* as they come in */
    struct fields_limits limits;
    struct h2_stream *block; /* whose header block comes, between two calls of nghttp2, too; or NULL */
    struct fields trailers;  /* of that block */
    enum connection_state state;
    unsigned requests;
    unsigned line_urgency; /* of the most urgent stream that waits for its turn; URGENCY_NONE: there is none */
    uint64_t share;        /* of large responses: bytes that may go in this call of h2_send() */
    struct budget budget;
    struct {
        uint64_t resets, idle, requests, data;
    } spent, counted; /* what budget.h asks for, so far (`idle`: beside frames.idle); and what of it the budget knows */
    uint64_t datas;   /* frames of DATA that nghttp2 told of */
    int32_t highest;  /* number of a stream that came */
    size_t memory;    /* of the fields of its requests */
    uint64_t sent;    /* bytes that the transport took */
    uint64_t taken;   /* bytes that the client had taken when that was last looked at during a wait */
    int64_t taken_msec;   /* clock_now.msec when it, or the kernel for it, last took some */
    int64_t idle_msec;    /* when the last stream ended, or it came */
    int64_t partial_msec; /* when the first byte of an incomplete frame or header block came; 0: there is none */
    int64_t keepalive_msec;
    int64_t keepalive_min_msec;
    int64_t lingering_end;
    bool readable, writable;
    bool ends;         /* its end is on the way, behind what is there to be read */
    bool hung_up;      /* the client sends no more */
    bool corked;       /* the kernel waits for what follows what was sent last */
    bool paused;       /* no room in `out` for a DATA frame */
    bool notified;     /* that it ends: GOAWAY with the highest id */
    bool answered;     /* the client has read it */
    bool leaving;      /* and with the last one */
    char trouble[128]; /* what nghttp2 says is wrong with what came */
    bool broken;       /* the transport is */
    bool finished;     /* our last byte was taken: lingers */
    bool busy;         /* inside of h2_run() */
    bool failed;       /* it cannot go on: nothing is sent any more */
    bool idle_timed;   /* the deadline is that of a connection without a request */
    int64_t notified_msec;
    struct {
        int32_t id;
        unsigned urgency;
    } updated[8]; /* the last streams that PRIORITY_UPDATE was about before they were there */
    unsigned updates;
    bool unfinished;                   /* there is more to compose: it is others' turn, or the socket is full */
    bool condemned;                    /* GOAWAY with an error is all that it gets: no more is read */
    bool told;                         /* what was wrong with it, in the error log */
    const struct http_conf *last_conf; /* of the last request's location; NULL: there was none */
};

/* ---- session.c ---- */

/* Closes and frees it at once, and ends its requests; the only function that does. */
void h2_close(struct h2_session *c, const char *why);
void h2_run(struct h2_session *c);   /* may close it */
void h2_leave(struct h2_session *c); /* the client knows: GOAWAY with the last id */
void h2_become(struct h2_session *c, enum connection_state state);
uint64_t h2_taken(const struct h2_session *c);                  /* bytes that the client has acknowledged */
const struct http_conf *h2_conf_of(const struct h2_session *c); /* the address' default server's */

/* Most streams at a time. */
static inline uint32_t h2_streams_most(const struct h2_session *c)
{
    return (uint32_t)c->client.address->dflt->base.h2->concurrent_streams;
}

/* ---- session_shared.c ---- */

struct h2_worker *h2_worker_of(struct worker *w, const struct http_address *a); /* NULL: no memory */

/* ---- session_receive.c ---- */

void h2_set_receive_callbacks(nghttp2_session_callbacks *callbacks);

/* A line for a fault of the client's that ends the connection; once. */
void h2_tell_error(struct h2_session *c, uint32_t error);

/* Ends the connection for a fault of the client's: the line, and GOAWAY; its requests end in
 * settle(). Not from inside of nghttp2. */
void h2_condemn(struct h2_session *c, uint32_t error, const char *trouble);

/* Reads what is there. False: the session is to end. */
bool h2_receive(struct h2_session *c);
bool h2_take(struct h2_session *c, const char *bytes, size_t len); /* that were received */

/* ---- session_send.c ---- */

void h2_set_send_callbacks(nghttp2_session_callbacks *callbacks);

/* SETTINGS, the first frame, into the buffer. False: no memory. */
bool h2_greet(struct h2_session *c);

/* What there is to send, as far as the transport takes it. False: the session is to end. */
bool h2_send(struct h2_session *c);

/* The head of a response, and its body where it has one: 0, or an error of nghttp2. */
int h2_submit(struct h2_stream *st, const nghttp2_nv *fields, size_t count);

extern const struct transport_ops h2_stream_transport; /* into the DATA frame that is being composed */

static inline void h2_output_give(struct h2_session *c)
{
    spare_give(&c->shared->outputs, &c->out->spare);
    c->out = NULL;
}

/* ---- stream.c ---- */

/* NULL: it is to be refused, for the number of streams or memory. */
struct h2_stream *h2_stream_begin(struct h2_session *c, int32_t id);

/* What it waited for is there: its header block, some of its body, what a step waited for. Not to be
 * called from inside of nghttp2. */
void h2_stream_go_on(struct h2_stream *st);

/* nghttp2 does not know it any more: its request is logged and ends. Frees it. */
void h2_stream_end(struct h2_stream *st);

void h2_set_priority(struct h2_stream *st, const struct priority *p);

/* Its request is logged and ends, whatever nghttp2 has of it. */
void h2_stream_cut(struct h2_stream *st);

/* From time to time: whether its client takes too long. Not from inside of nghttp2. */
void h2_stream_look(struct h2_stream *st);

/* Its request is logged with `status`, where it has none, and ends; RST_STREAM. Not from inside of
 * nghttp2. */
void h2_stream_reset(struct h2_stream *st, int status, uint32_t error);

/* ---- head.c ---- */

/* The head of the response, and what follows: 0 or -ENOMEM. */
int h2_respond(struct h2_stream *st);
int h2_submit_trailers(struct h2_stream *st); /* how many there are, or -ENOMEM: from inside of nghttp2 */
int h2_submit_continue(struct h2_stream *st); /* 100 */

#endif
