/* explain.h - one request processed by the server's own code, told step by step instead of
 * answered. For `sluice explain`. https://nginx.org/en/docs/http/request_processing.html
 *
 * The request is read, routed and looked up as a worker would do it that has just started, and
 * knows of the demand for files what it is given; nothing is sent and nothing is logged. */
#ifndef HTTP_EXPLAIN_EXPLAIN_H
#define HTTP_EXPLAIN_EXPLAIN_H

#include "base/buffer.h"
#include "http/core/core.h"

/* One step in words, without a line end, perhaps with control bytes that came in the request.
 * `topic` NULL: one more line about the step before. Both texts are gone after the call. */
typedef void explain_tell_fn(void *arg, const char *topic, const char *words);

struct explain_options {
    const struct http_main *http;
    const struct io_main_conf *io;
    unsigned aio_requests;              /* worker_aio_requests */
    const struct http_address *address; /* that the request comes in at */
    const char *address_why;            /* in words */
    bool plain;                         /* the client speaks HTTP without TLS, whatever the address is for */
    bool http2;                         /* it speaks HTTP/2, where the server does */
    struct text head;                   /* of the request, as a client of HTTP/1.1 sends it */
    struct address client;              /* that it comes from; AF_UNSPEC: this machine's own */
    const char *folder; /* files of the configuration below it are named without it; ends with / ; NULL: none */
    struct admission *admission; /* directio auto: what is known of the demand; NULL: nothing */
    const char *admission_why;   /* in words: who knows it, or why nobody does */
    explain_tell_fn *tell;
    void *arg;
};

/* Tells each step, then appends the response head to `head` (nothing where none would be sent; of
 * HTTP/2: its fields as text). 0 or -errno: it could not be found out. */
int explain_request(const struct explain_options *options, struct buffer *head);

/* The server_name of `server` that fits `host` (lower-case, without port); NULL: none. */
const struct server_name *explain_name(const struct server *server, struct text host);

#endif
