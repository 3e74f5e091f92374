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

struct tls;
struct transport;

struct transport_ops {
    /* What both ends agree on before the first byte: 0: done; -EAGAIN: an event, any, tells when to
     * go on; -EINPROGRESS: it waits for what net/tls/tls_pair.h says; -errno: there will be no connection.
     * NULL: nothing. */
    int (*handshake)(struct transport *t);

    /* Bytes (> 0) of at most `room` (> 0); 0: the end; -errno. */
    ssize_t (*recv)(struct transport *t, void *to, size_t room);

    /* Bytes taken, of `count` (> 0) pieces; -EFAULT: memory that cannot be read; or another -errno.
     * `more`: what follows comes at once, so hold back a partial segment. After -EAGAIN, or fewer
     * bytes than there were, the next call brings the same bytes from there on, wherever they lie
     * and however many of them. */
    ssize_t (*send)(struct transport *t, const struct iovec *pieces, int count, bool more);

    /* Bytes taken, of `len` (> 0) from `at` of the file; 0: the file ends there. NULL: takes memory
     * only. */
    ssize_t (*sendfile)(struct transport *t, int fd, off_t at, size_t len);

    /* Where bytes may be put that are to be sent next, at most *room; placed(): `n` of them are there.
     * NULL: has no such memory. */
    char *(*place)(struct transport *t, size_t *room);
    void (*placed)(struct transport *t, size_t n);

    /* Bytes for the peer that are not yet with the kernel, and that no send() comes back for. They
     * go out by flush(): where t->holds, whenever the socket takes more. */
    size_t (*unsent)(const struct transport *t);
    /* 0: nothing is held any more; -EAGAIN; another -errno. NULL: never holds anything. */
    int (*flush)(struct transport *t);

    /* The socket has input while a response is made or sent, so that no recv() comes: answers what of
     * it has to be answered at once. False: the peer is gone. */
    bool (*attend)(struct transport *t);

    /* It lies elsewhere now: transport_move(). NULL: nothing points at it. */
    void (*moved)(struct transport *t);

    int (*finish)(struct transport *t); /* our last byte was taken: the peer is told so. 0 or -errno */
    /* `clean`: the peer has all that it was promised; a transport that can tell it so does. */
    void (*close)(struct transport *t, bool clean);
};

/* Embedded by its user. The descriptor is for what is asked of any socket: events, addresses,
 * net/socket.h. */
struct transport {
    const struct transport_ops *ops;
    int fd;
    bool holds;      /* bytes that wait for the socket: flush() */
    bool pending;    /* input that no event will announce: recv() again */
    size_t untold;   /* bytes that send() took, and that the kernel has only since: the next one tells */
    struct tls *tls; /* net/tls/tls.h; NULL: the bytes travel as they are */
};

/* The bytes themselves, through a stream socket that does not block. Takes over `fd`. */
void transport_plain(struct transport *t, int fd);

static inline int transport_handshake(struct transport *t)
{
    return t->ops->handshake ? t->ops->handshake(t) : 0;
}

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

static inline char *transport_place(struct transport *t, size_t *room)
{
    return t->ops->place ? t->ops->place(t, room) : NULL;
}

static inline size_t transport_unsent(const struct transport *t)
{
    return t->ops->unsent(t);
}

static inline int transport_flush(struct transport *t)
{
    return t->holds ? t->ops->flush(t) : 0;
}

static inline bool transport_attend(struct transport *t)
{
    return t->ops->attend(t);
}

/* *from is nobody's after. */
static inline void transport_move(struct transport *to, const struct transport *from)
{
    *to = *from;
    if (to->ops->moved)
        to->ops->moved(to);
}

static inline int transport_finish(struct transport *t)
{
    return t->ops->finish(t);
}

static inline void transport_close(struct transport *t, bool clean)
{
    t->ops->close(t, clean);
}

#endif
