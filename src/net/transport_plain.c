/* transport_plain.c - the transport that adds nothing: recv, send and sendfile on a socket.
 * send(2), sendfile(2), tcp(7). */
#include "net/transport.h"

#include "net/socket.h"

#include <errno.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t plain_recv(struct transport *t, void *to, size_t room)
{
    ssize_t n;

    do
        n = recv(t->fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Apart, so that one piece does not pay for the frame of this. */
__attribute__((noinline)) static ssize_t send_pieces(int fd, const struct iovec *pieces, int count, int flags)
{
    const struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)count};
    ssize_t n;

    do
        n = sendmsg(fd, &msg, flags);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* One piece, as most responses are, costs less by send(), here and in the kernel. */
static ssize_t plain_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    ssize_t n;

    if (count != 1)
        return send_pieces(t->fd, pieces, count, flags);
    do
        n = send(t->fd, pieces->iov_base, pieces->iov_len, flags);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t plain_sendfile(struct transport *t, int fd, off_t at, size_t len)
{
    ssize_t n;

    do
        n = sendfile(t->fd, fd, &at, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static size_t plain_unsent(const struct transport *t)
{
    (void)t;
    return 0;
}

static bool plain_attend(struct transport *t)
{
    return !socket_is_broken(t->fd);
}

static int plain_finish(struct transport *t)
{
    return shutdown(t->fd, SHUT_WR) < 0 ? -errno : 0;
}

static void plain_close(struct transport *t, bool clean)
{
    (void)clean;
    close(t->fd);
    t->fd = -1;
}

static const struct transport_ops plain_ops = {
    .recv = plain_recv,
    .send = plain_send,
    .sendfile = plain_sendfile,
    .unsent = plain_unsent,
    .attend = plain_attend,
    .finish = plain_finish,
    .close = plain_close,
};

void transport_plain(struct transport *t, int fd)
{
    *t = (struct transport){.ops = &plain_ops, .fd = fd};
}
