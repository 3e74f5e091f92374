/* explain_private.h - what the rooms of `sluice explain` share: explain.c takes a request through
 * its steps, explain_words.c says what each of them did, explain_outcome.c what it all came to. */
#ifndef HTTP_EXPLAIN_EXPLAIN_PRIVATE_H
#define HTTP_EXPLAIN_EXPLAIN_PRIVATE_H

#include "http/explain/explain.h"
#include "http/h1/parse.h"
#include "http/h1/reply.h"
#include "http/request/request.h"
#include "http/worker/worker.h"

struct explain {
    const struct explain_options *options;
    struct loop *loop;
    struct worker worker;
    struct client client;
    struct carrier carrier;
    struct framing framing;
    struct reply reply;
    struct request *request;
    struct deferred turn_end, nothing;
    bool is_http2;
    bool ready;      /* what the source waited for is there */
    struct text uri; /* that the request came with, normalised */
    bool refused;    /* the head was not accepted: no step was taken */
    char *why;       /* of the status, from the step that decided; in the request's arena; NULL: nothing to say */
    int read_error;  /* -errno: the file was opened, and cannot be read */
};

/* Where a request stood before a step. */
struct moment {
    enum step step;
    unsigned step_at;
    struct text uri;
    struct text path; /* that the step looks up; absent: none */
    const struct location *location;
    unsigned redirects;
    int error_status;
    bool in_error_page, internal;
};

void explain_say(struct explain *e, const char *topic, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Why the status is what it is, said with the outcome. */
void explain_because(struct explain *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "(conf/sluice.conf:40)" */
const char *explain_place(struct explain *e, const char *file, unsigned line);

/* What the access step came to: why it refused, or NULL. */
const char *explain_access(struct explain *e, const struct moment *before);

struct moment explain_moment(struct request *r);

void explain_opening(struct explain *e);                           /* address, server, URI */
void explain_step(struct explain *e, const struct moment *before); /* what the step from `before` on came to */
void explain_outcome(struct explain *e);                           /* status, and what moves the bytes */

/* explain_http2.c. The first: whether HTTP/2 is asked for and served; then the request has come so. */
bool explain_as_http2(struct explain *e);
void explain_protocol(struct explain *e);
void explain_http2_head(struct text head, struct buffer *out);

/* explain_route.c: the steps that choose a location. */
void explain_route(struct explain *e, const struct moment *before);
void explain_found(struct explain *e, const struct moment *before);
void explain_rewrite(struct explain *e, const struct moment *before, const char *where);
void explain_location(struct explain *e, const struct location *l);
void explain_content(struct explain *e, const struct moment *before);

/* explain_files.c: the steps that look for a file. */
void explain_try_files(struct explain *e, const struct moment *before);
void explain_index(struct explain *e, const struct moment *before);
void explain_variant(struct explain *e, const struct moment *before);
void explain_file(struct explain *e, const struct moment *before);
void explain_listing(struct explain *e, const struct moment *before);

#endif
