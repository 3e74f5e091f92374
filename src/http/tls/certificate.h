/* certificate.h - certificates whose names hold variables: found, read and kept while a handshake
 * waits for them. https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate */
#ifndef HTTP_TLS_CERTIFICATE_H
#define HTTP_TLS_CERTIFICATE_H

#include "http/request/client.h"
#include "http/worker/worker.h"

struct carrier;
struct tls;
struct certificate_wait;

/* A connection, from its certificate_begin() on; all of it lives until the wait is over, or left. */
struct certificate_client {
    struct worker *worker;
    struct carrier *carrier; /* for what variables ask of it */
    const struct client *client;
    struct tls *tls;           /* its handshake has said -EINPROGRESS */
    void (*resume)(void *arg); /* the handshake goes on */
    void *arg;
};

/* Finds the pairs of the server that the handshake is with, and gives them to it; what fails is
 * logged, and the handshake refused by its next step. 0: that is done; -EINPROGRESS: they are being
 * read by a thread, and resume() is called once from the loop, unless certificate_leave() comes
 * first; *out is of no use from then on. -ENOMEM. */
int certificate_begin(struct certificate_wait **out, const struct certificate_client *c);

/* The connection has gone away. */
void certificate_leave(struct certificate_wait *w);

#endif
