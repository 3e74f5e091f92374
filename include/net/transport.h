/* transport.h - what a connection reads from and writes to. The rooms above see bytes; how they
 * travel (plain TCP or Unix sockets, or inside of something) is the transport's. sendmsg(2),
 * sendfile(2), tcp(7).
 *
 * Nothing here waits. -EAGAIN says that an event tells when to try again; EINTR is never seen. */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct transport;

struct transport_ops {
    /* Bytes (> 0) of at most `room` (> 0); 0: the end; -errno. */
    ssize_t (*recv)(struct transport *t, void *to, size_t room);

    /* Bytes taken, of `count` (> 0) pieces; -EFAULT: memory that cannot be read; or another -errno.
     * `more`: what follows comes at once, so hold back a partial segment or record. */
    ssize_t (*send)(struct transport *t, const struct iovec *pieces, int count, bool more);

    /* Bytes taken, of `len` (> 0) from `at` of the file; 0: the file ends there. NULL: takes memory
     * only. */
    ssize_t (*sendfile)(struct transport *t, int fd, off_t at, size_t len);

    size_t (*unsent)(const struct transport *t); /* bytes taken, and not yet with the kernel */
    int (*finish)(struct transport *t);          /* our last byte was taken: the peer is told so. 0 or -errno */
    void (*close)(struct transport *t);
};

/* Embedded by its user. The descriptor is for what is asked of any socket: events, addresses,
 * net/socket.h. */
struct transport {
    const struct transport_ops *ops;
    int fd;
};

/* The bytes themselves, through a stream socket that does not block. Takes over `fd`. */
void transport_plain(struct transport *t, int fd);

static inline ssize_t transport_recv(struct transport *t, void *to, size_t room)
{
    return t->ops->recv(t, to, room);
}

static inline ssize_t transport_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    return t->ops->send(t, pieces, count, more);
}

static inline bool transport_takes_files(const struct transport *t)
{
    return t->ops->sendfile != NULL;
}

static inline ssize_t transport_sendfile(struct transport *t, int fd, off_t at, size_t len)
{
    return t->ops->sendfile(t, fd, at, len);
}

static inline size_t transport_unsent(const struct transport *t)
{
    return t->ops->unsent(t);
}

static inline int transport_finish(struct transport *t)
{
    return t->ops->finish(t);
}

static inline void transport_close(struct transport *t)
{
    t->ops->close(t);
}

#endif
