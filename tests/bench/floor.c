/* floor.c - what a request costs when nothing is done for it: an epoll loop that answers every read
 * with a canned response. One recv and one send; from 64 KiB on, send(MSG_MORE) of the head and
 * sendfile of the body.
 *
 * usage: floor PORT FILE [copy|more|split] [close]
 *   copy, more, split: all in one send; the head with MSG_MORE, then sendfile; the same without MSG_MORE
 *   close: one request per connection */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
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
    int flags;   /* of the send of what is in memory */
    bool closes; /* after each answer */
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

static void prepare(const char *path, const char *way)
{
    struct stat st;
    char head[256];
    canned.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (canned.fd < 0 || fstat(canned.fd, &st) < 0)
        die(path);
    canned.size = st.st_size;
    canned.head_len = (size_t)snprintf(head, sizeof head,
                                       "HTTP/1.1 200 OK\r\nServer: floor\r\nContent-Type: application/octet-stream\r\n"
                                       "Content-Length: %jd\r\nConnection: %s\r\n\r\n",
                                       (intmax_t)st.st_size, canned.closes ? "close" : "keep-alive");
    bool copies = way ? strcmp(way, "copy") == 0 : st.st_size < SENDFILE_FROM;
    size_t body = copies ? (size_t)st.st_size : 0;
    canned.flags = MSG_NOSIGNAL | (!copies && !(way && strcmp(way, "split") == 0) ? MSG_MORE : 0);
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
        return send(fd, canned.bytes + at, canned.len - (size_t)at, canned.flags);
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
            if (canned.closes)
                return 0;
        }
    }
    return 1;
}

static int take(int fd)
{
    char in[16384];
    ssize_t n = recv(fd, in, sizeof in, 0);
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

/* The words after the file; false: one of them is none. */
static bool read_words(int count, char **words, const char **way)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "close") == 0)
            canned.closes = true;
        else if (strcmp(words[i], "copy") == 0 || strcmp(words[i], "more") == 0 || strcmp(words[i], "split") == 0)
            *way = words[i];
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *way = NULL;
    if (argc < 3 || !read_words(argc - 3, argv + 3, &way)) {
        fputs("usage: floor PORT FILE [copy|more|split] [close]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prepare(argv[2], way);
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
