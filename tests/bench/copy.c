/* copy.c - what the way through user space costs a direct read: a blocking loop that answers each
 * connection with one file, read past the page cache and sent in one of three ways. For `make bench
 * BENCH=copy`.
 *
 * usage: copy PORT FILE read|splice|zerocopy
 *   read: pread(2) and send(2); splice: from the file into a pipe, from the pipe into the socket; zerocopy: pread(2) and
 *   send(2) with MSG_ZEROCOPY. After each answer it says on standard output whether the kernel copied all the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, BLOCK = 4096 };

static struct {
    int file, pipe[2];
    off_t size; /* to whole blocks */
    char *buffer;
    unsigned sent, done, copied; /* sends of zerocopy, by what the kernel says of them */
} served;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static bool send_all(int fd, const char *bytes, size_t len, int flags)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, bytes + at, len - at, flags | MSG_NOSIGNAL);
        if (n < 0)
            return false;
        at += (size_t)n;
        served.sent++;
    }
    return true;
}

static size_t read_piece(off_t at)
{
    size_t want = served.size - at < PIECE ? (size_t)(served.size - at) : PIECE;
    if (pread(served.file, served.buffer, want, at) != (ssize_t)want)
        die("read");
    return want;
}

static bool by_read(int fd)
{
    for (off_t at = 0; at < served.size;) {
        size_t len = read_piece(at);
        if (!send_all(fd, served.buffer, len, 0))
            return false;
        at += (off_t)len;
    }
    return true;
}

static bool by_splice(int fd)
{
    for (off_t at = 0; at < served.size;) {
        ssize_t in = splice(served.file, &at, served.pipe[1], NULL, PIECE, SPLICE_F_MOVE);
        if (in <= 0)
            die("splice from the file");
        while (in > 0) {
            ssize_t out = splice(served.pipe[0], NULL, fd, NULL, (size_t)in, SPLICE_F_MOVE | SPLICE_F_MORE);
            if (out <= 0)
                return false;
            in -= out;
        }
    }
    return true;
}

/* The buffer may be used again when the kernel has told of each send. False: the connection
 * broke. */
static bool reap(int fd)
{
    while (served.done < served.sent) {
        char control[256];
        struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof control};
        struct pollfd p = {.fd = fd};
        poll(&p, 1, 1000);
        if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            if (errno == EAGAIN && !(p.revents & POLLHUP))
                continue;
            return false;
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
            struct sock_extended_err e;
            memcpy(&e, CMSG_DATA(c), sizeof e);
            unsigned count = e.ee_data - e.ee_info + 1;
            served.done += count;
            if (e.ee_code & SO_EE_CODE_ZEROCOPY_COPIED)
                served.copied += count;
        }
    }
    return true;
}

static bool by_zerocopy(int fd)
{
    if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &(int){1}, sizeof(int)) < 0)
        die("SO_ZEROCOPY");
    for (off_t at = 0; at < served.size;) {
        size_t len = read_piece(at);
        if (!send_all(fd, served.buffer, len, MSG_ZEROCOPY) || !reap(fd))
            return false;
        at += (off_t)len;
    }
    return true;
}

static void answer(int fd, bool (*body)(int fd))
{
    char head[256];
    if (recv(fd, head, sizeof head, 0) <= 0)
        return;
    int len = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %jd\r\nConnection: close\r\n\r\n",
                       (intmax_t)served.size);
    bool whole = send_all(fd, head, (size_t)len, MSG_MORE);
    served.sent = served.done = served.copied = 0;
    if (whole && body(fd) && served.done > 0)
        printf("%u of %u sends were copied all the same\n", served.copied, served.done);
    fflush(stdout);
}

static void open_all(const char *path)
{
    struct stat st;
    served.file = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (served.file < 0 || fstat(served.file, &st) < 0)
        die(path);
    served.size = st.st_size / BLOCK * BLOCK;
    served.buffer = aligned_alloc(BLOCK, PIECE);
    if (!served.buffer || pipe2(served.pipe, O_CLOEXEC) < 0 || fcntl(served.pipe[1], F_SETPIPE_SZ, PIECE) < 0)
        die("memory, a pipe");
}

int main(int argc, char **argv)
{
    bool (*body)(int fd) = argc != 4                          ? NULL
                           : strcmp(argv[3], "read") == 0     ? by_read
                           : strcmp(argv[3], "splice") == 0   ? by_splice
                           : strcmp(argv[3], "zerocopy") == 0 ? by_zerocopy
                                                              : NULL;
    if (!body) {
        fprintf(stderr, "usage: copy PORT FILE read|splice|zerocopy\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    open_all(argv[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 16) < 0)
        die("listen");
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            die("accept");
        answer(fd, body);
        close(fd);
    }
}
