/* dial.c - connects, sends one request, and reads the answer. See dial.h. */
#include "net/tls/dial.h"

#include "net/tls/tls_dial.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_all(int fd, struct text bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -errno;
        bytes = text_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

/* A reset after an answer is no failure: that has come. */
static long receive(int fd, char *answer, size_t room)
{
    size_t len = 0;

    while (len < room) {
        ssize_t n = recv(fd, answer + len, room - len, 0);

        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return len > 0 ? (long)len : -errno;
        len += n > 0 ? (size_t)n : 0;
    }
    return (long)len;
}

static long talk(const struct dial *d, int fd, struct text request, char *answer, size_t room, const char **doing)
{
    long rc = 0;

    *doing = "connect";
    if (connect(fd, &d->to->any, d->to->len) < 0)
        return -errno;
    *doing = "send";
    if (d->proxy_header)
        rc = send_all(fd, TEXT("PROXY UNKNOWN\r\n"));
    if (rc == 0 && d->tls)
        return tls_dial(fd, d->name, request, answer, room, doing);
    if (rc == 0)
        rc = send_all(fd, request);
    if (rc < 0)
        return rc;
    *doing = "receive";
    return receive(fd, answer, room);
}

long dial(const struct dial *d, struct text request, char *answer, size_t room, const char **doing)
{
    int fd = socket(d->to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    long rc;

    *doing = "socket";
    if (fd < 0)
        return -errno;
    rc = talk(d, fd, request, answer, room, doing);
    close(fd);
    return rc;
}
