/* transport.h - what the harness's clients and the server under test talk over:
 * HARNESS_TRANSPORT=plain (TCP, the default), unix, tls, h2 or h2-tls. A configuration's `listen 127.0.0.1:@PORT@`
 * becomes the transport's own address of that port, so that a suite runs over each of them as it
 * stands. */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct channel {
    const struct site_transport *transport;
    int fd;        /* for poll(2); -1: closed */
    void *session; /* the transport's own, or NULL */
};

/* Calls that fail return -1 with errno set, as the system's do. */
struct site_transport {
    const char *name;
    const char *peer;              /* $remote_addr of its clients */
    const char *scheme;            /* of its URIs: http, https */
    bool is_tcp;                   /* addresses, ports, resets and receive buffers are TCP's */
    bool is_http2;                 /* the test's HTTP/1 is carried as HTTP/2 (transport_h2.c) */
    const char *(*preamble)(void); /* directives that must stand beside such a `listen`; NULL: none */
    const char *option;            /* of `listen`, with a space before it; NULL: none */
    /* What stands in `listen` for a port. */
    void (*address)(char *out, size_t size, int port);
    int (*connect)(struct channel *ch, int port, int rcvbuf); /* rcvbuf 0: the kernel's choice */
    ssize_t (*send)(struct channel *ch, const void *bytes, size_t len, bool wait);
    ssize_t (*receive)(struct channel *ch, void *bytes, size_t len, bool wait); /* 0: the end */
    bool (*has_pending)(const struct channel *ch);                              /* input that poll(2) no longer shows */
    int (*end_sending)(struct channel *ch);                                     /* the other direction stays */
    void (*reset)(struct channel *ch);                                          /* closes abruptly, where it can */
    void (*close)(struct channel *ch);
};

const struct site_transport *site_transport(void); /* the chosen one; an unknown name ends the run */
void site_choose_transport(const char *name);      /* in this process, whatever HARNESS_TRANSPORT says */

/* To a socket that is no port's, whatever the chosen transport. */
int channel_connect_unix(struct channel *ch, const char *path);
struct channel channel_of_tcp(int fd); /* a socket that the test has connected itself */

#endif
