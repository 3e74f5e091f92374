/* reply.h - how HTTP/1 frames a response: chunks, the end of the connection. RFC 9112, sections 6,
 * 7 and 9.3. */
#ifndef HTTP_H1_REPLY_H
#define HTTP_H1_REPLY_H

#include <stdbool.h>

struct framing;
struct request;

/* Zeroed when the request begins. */
struct reply {
    bool close;   /* Connection: close */
    bool lingers; /* and input may still be on its way: close gently */
    bool chunked; /* Transfer-Encoding: chunked */
};

/* The last step before the head is composed: decides the above, by the location's
 * keepalive_requests, keepalive_time, keepalive_timeout, keepalive_disable and
 * chunked_transfer_encoding too, and puts what becomes of the body's content around its source. 0
 * or -errno. */
int reply_begin(struct reply *y, struct request *r, const struct framing *f);

#endif
