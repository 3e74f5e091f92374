/* socket.c - what is set on a connection's socket. */
#include "net/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int socket_nodelay(int fd, bool on)
{
    return set_int(fd, IPPROTO_TCP, TCP_NODELAY, on);
}

int socket_unsent_most(int fd, int bytes)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes) < 0 ? -errno : 0;
}

/* Setting it again sends what is pending: tcp(7). */
int socket_push(int fd)
{
    return set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int socket_local(int fd, struct address *a)
{
    a->len = sizeof a->un;
    if (getsockname(fd, &a->any, &a->len) < 0)
        return -errno;
    return 0;
}

int socket_tcp_info(int fd, struct tcp_info *out)
{
    socklen_t len = sizeof *out;

    memset(out, 0, sizeof *out);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, out, &len) < 0 ? -errno : 0;
}

size_t socket_unsent(int fd)
{
    int bytes = 0;

    if (ioctl(fd, SIOCOUTQ, &bytes) < 0 || bytes < 0)
        return 0;
    return (size_t)bytes;
}

bool socket_is_broken(int fd)
{
    struct pollfd p = {.fd = fd};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP));
}

bool socket_has_input(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

int socket_peek(int fd, unsigned char *byte)
{
    ssize_t n;

    do
        n = recv(fd, byte, 1, MSG_PEEK);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n == 0 ? -ECONNRESET : 0;
}

/* After a reset the count stays as it was, so that the state is asked for too: it comes first in
 * struct tcp_info. */
size_t socket_held(int fd)
{
    unsigned char state;
    socklen_t size = sizeof state;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &size) < 0 || state == TCP_CLOSE)
        return 0;
    return socket_unsent(fd);
}

int socket_reset_on_close(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ? -errno : 0;
}
