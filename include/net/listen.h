/* listen.h - listening sockets (opened by the master) and accepting from them (in a worker).
 * listen(2), accept4(2), socket(7), tcp(7). */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/address.h"
#include "net/loop.h"

#include <stdbool.h>

/* The options of nginx's `listen`; -1 or 0 as noted: leave the kernel's default. */
struct listen_options {
    int backlog;        /* 511 */
    int rcvbuf, sndbuf; /* bytes, 0: default */
    int ipv6only;       /* 1, 0, -1: 1 */
    bool reuseport;     /* one socket per worker */
    bool exclusive;     /* with reuseport, for the first of these sockets: fail where anybody listens already */
    bool deferred;      /* TCP_DEFER_ACCEPT */
    int fastopen;       /* queue length, 0: off */
    int keepalive;      /* -1: kernel's, 0: off, 1: on */
    int keepidle, keepintvl, keepcnt; /* seconds, seconds, count; 0: kernel's */
};

/* Socket, options, bind, listen; non-blocking, close-on-exec. A stale unix: socket file is
 * replaced; mode 0666. TCP_NODELAY is on, and with it on every connection accepted. 0 or -errno. */
int listen_open(const struct address *address, const struct listen_options *options, int *fd);

/* The same for a socket that listens already (taken over from an earlier configuration, or
 * inherited): sets what can be changed, the backlog too. The descriptor stays the caller's. 0 or
 * -errno. */
int listen_adopt(int fd, const struct listen_options *options);

/* Address that a descriptor handed to us (LISTEN_FDS, a binary upgrade) is bound to. 0 or
 * -errno. */
int listen_address_of(int fd, struct address *address);

struct acceptor;

/* `fd`: non-blocking, close-on-exec, belongs to the callee; `peer`: the client. Once for each
 * connection, from the loop or inside acceptor_drain(). */
typedef void accept_fn(void *arg, int fd, const struct address *peer);

struct acceptor_options {
    bool multi;    /* accept until EAGAIN (at most 1024 per turn); otherwise at most 16 per turn */
    int listen_fd; /* stays the caller's */
    accept_fn *accepted;
    void *arg;
    /* Called (at most once a second) when accepting fails, e.g. EMFILE; the acceptor has then
     * answered the client by closing it with the spare descriptor, and waits 500 ms before it goes
     * on. */
    void (*failed)(void *arg, int error);
};

int acceptor_create(struct acceptor **out, struct loop *loop, const struct acceptor_options *options);
/* Accepts at once what is queued (at most some thousands): before it is destroyed, so that nobody
 * who is already connected is turned away. */
void acceptor_drain(struct acceptor *a);
void acceptor_pause(struct acceptor *a); /* e.g. worker_connections reached */
void acceptor_resume(struct acceptor *a);
void acceptor_destroy(struct acceptor *a); /* the listening descriptor stays open */

#endif
