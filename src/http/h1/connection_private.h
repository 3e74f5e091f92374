/* connection_private.h - what the rooms of a connection share: connection.c, connection_handshake.c,
 * connection_read.c, connection_send.c, connection_wait.c, connection_linger.c. RFC 9112, section 9. */
#ifndef HTTP_H1_CONNECTION_PRIVATE_H
#define HTTP_H1_CONNECTION_PRIVATE_H

#include "http/h1/connection.h"
#include "http/request/request.h"

/* What a step came to. */
enum next {
    NEXT_STEP, /* look at the state again */
    NEXT_WAIT, /* an event, a deadline or a callback resumes it */
    NEXT_GONE  /* the connection is closed and freed: touch nothing */
};

enum {
    TURN_READS = 16 /* reads of a body, or while lingering, before others get their turn */
};

/* The connection that brought `r`. */
static inline struct connection *connection_of(const struct request *r)
{
    return container_of(r->carrier, struct connection, carrier);
}

/* ---- connection.c ---- */

/* Of the request's location, else of the address' default server. */
const struct http_conf *connection_conf(const struct connection *c);

void connection_become(struct connection *c, enum connection_state state);
void connection_set_deadline(struct connection *c, int64_t msec);
int64_t connection_idle_timeout(const struct connection *c); /* ms that it may wait for a request */
int64_t connection_drain_grace(const struct connection *c);  /* the same while the worker drains, at most */
void connection_drop_request(struct connection *c);
const char *connection_reading_what(const struct connection *c); /* for the error log */
enum next connection_yield(struct connection *c);                /* others' turn; goes on in the next one */
enum next connection_gone(struct connection *c, const char *why);
enum next connection_hand_over(struct connection *c);                /* it speaks HTTP/2 */
void connection_log_trouble(struct connection *c, const char *call); /* of its transport */
enum next connection_no_memory(struct connection *c);                /* closes it, and says why in the log */

/* Pooled by the worker; NULL: no memory. */
static inline struct input *input_take(struct worker *w, size_t cap)
{
    struct input *in = spare_take(&w->inputs, sizeof *in, cap);
    if (in)
        in->at = in->len = 0;
    return in;
}

static inline void input_give(struct worker *w, struct input *in)
{
    spare_give(&w->inputs, &in->spare);
}

static inline struct output *output_take(struct worker *w, size_t cap)
{
    struct output *out = spare_take(&w->outputs, sizeof *out, cap);
    if (out)
        out->sent = out->len = 0;
    return out;
}

static inline void output_give(struct worker *w, struct output *out)
{
    spare_give(&w->outputs, &out->spare);
}

/* ---- connection_handshake.c: CONN_HANDSHAKE ---- */

void connection_await_handshake(struct connection *c); /* of a client that has sent nothing, or a PROXY header */
enum next connection_handshake(struct connection *c);
void connection_handshake_timeout(struct connection *c); /* closes it */

/* ---- connection_read.c: CONN_IDLE, CONN_READING, CONN_BODY ---- */

enum next connection_wait_for_head(struct connection *c);
enum next connection_read_head(struct connection *c);
enum next connection_find_limits(struct connection *c); /* CONN_HANDLING a request whose body is still to come */
enum next connection_read_body(struct connection *c);

/* proxy_header.c: takes what is there of a PROXY protocol header off c->in; false: it is broken
 * (logged). */
bool connection_take_proxy(struct connection *c);

/* connection_opening.c: looks for what c->awaited says in c->in. NEXT_STEP: there is none of it, or
 * not all of it yet. */
enum next connection_take_opening(struct connection *c);
void connection_release_input(struct connection *c); /* when nothing is left in it: idle connections hold no buffer */

/* A head of which only a part came becomes a request, to be logged. False: there is none (what
 * there is of a PROXY protocol header is no request's), or no memory. */
bool connection_take_partial(struct connection *c);

/* Answers what could not be understood; the connection ends after. */
enum next connection_refuse(struct connection *c, int status);

/* Slower than send_min_rate, which the request's location has: it is to be closed, and has been
 * logged. */
bool connection_is_too_slow(struct connection *c);

/* ---- connection_send.c: CONN_SENDING ---- */

/* What gathered in c->out. NEXT_STEP: it is all out. */
enum next connection_flush(struct connection *c);

/* The same as far as the socket takes it, the state left alone; false: the socket is broken. */
bool connection_push(struct connection *c);

/* `bytes` behind what is in c->out; false: no memory. */
bool connection_queue(struct connection *c, struct text bytes);

enum next connection_begin_response(struct connection *c);
enum next connection_send(struct connection *c);

/* ---- connection_wait.c: CONN_SENDING, and the socket takes nothing ---- */

enum next connection_wait_to_send(struct connection *c);

/* The deadline of that wait, or of a look during it. NULL: the wait goes on; else why it does not,
 * which is in the log. */
const char *connection_send_overdue(struct connection *c);

int64_t connection_look_msec(int64_t timeout, int64_t most); /* between two looks at what the client has taken */
int64_t connection_acked_msec(const struct connection *c);   /* clock_now.msec of its last acknowledgement */

/* ---- connection_linger.c: CONN_LINGERING ---- */

enum next connection_end(struct connection *c);        /* the last response is out */
enum next connection_linger_on(struct connection *c);  /* there may be something to read */
bool connection_linger_overdue(struct connection *c);  /* its deadline: whether it ends now */
bool connection_linger_for_held(struct connection *c); /* if the kernel still holds much; else nothing is done: false */

#endif
