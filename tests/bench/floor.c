/* floor.c - what a request costs when nothing is done for it: an epoll loop that answers every read with a canned
 * response. One recv and one send; from 64 KiB on, send(MSG_MORE) of the head and sendfile of the body.
 *
 * usage: floor PORT FILE */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, EVENTS = 512, SENDFILE_FROM = 65536 };

static struct {
    char *bytes; /* head, and the body where it is sent from memory */
    size_t len, head_len;
    int fd;
    off_t size;
} canned;

static struct connection {
    off_t sent;    /* of head and body together */
    unsigned owed; /* requests that wait for their answer */
} connections[CONNECTIONS];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void prepare(const char *path)
{
    struct stat st;
    char head[256];
    canned.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (canned.fd < 0 || fstat(canned.fd, &st) < 0)
        die(path);
    canned.size = st.st_size;
    canned.head_len = (size_t)snprintf(head, sizeof(head),
                                       "HTTP/1.1 200 OK\r\nServer: floor\r\nContent-Type: application/octet-stream\r\n"
                                       "Content-Length: %jd\r\nConnection: keep-alive\r\n\r\n",
                                       (intmax_t)st.st_size);
    size_t body = st.st_size < SENDFILE_FROM ? (size_t)st.st_size : 0;
    canned.len = canned.head_len + body;
    canned.bytes = malloc(canned.len);
    if (!canned.bytes)
        die("malloc");
    memcpy(canned.bytes, head, canned.head_len);
    if (body && pread(canned.fd, canned.bytes + canned.head_len, body, 0) != (ssize_t)body)
        die("read");
}

static off_t whole(void)
{
    return (off_t)canned.head_len + canned.size;
}

static ssize_t send_some(int fd, off_t at)
{
    if (at < (off_t)canned.len)
        return send(fd, canned.bytes + at, canned.len - (size_t)at,
                    MSG_NOSIGNAL | (canned.size >= SENDFILE_FROM ? MSG_MORE : 0));
    off_t offset = at - (off_t)canned.head_len;
    return sendfile(fd, canned.fd, &offset, (size_t)(canned.size - offset));
}

/* False: the connection is over. */
static int answer(int fd)
{
    struct connection *c = &connections[fd];
    while (c->owed) {
        ssize_t n = send_some(fd, c->sent);
        if (n < 0)
            return errno == EAGAIN;
        c->sent += n;
        if (c->sent == whole()) {
            c->sent = 0;
            c->owed--;
        }
    }
    return 1;
}

static int take(int fd)
{
    char in[16384];
    ssize_t n = recv(fd, in, sizeof(in), 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    connections[fd].owed++;
    return 1;
}

static void accept_all(int listener, int epoll)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        connections[fd] = (struct connection){0};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 511) < 0)
        die("listen");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: floor PORT FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prepare(argv[2]);
    int listener = listen_on(atoi(argv[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], accepts = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepts);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all(listener, epoll);
            else if (!(((events[i].events & EPOLLIN) ? take(fd) : 1) && answer(fd)))
                close(fd);
        }
    }
}
