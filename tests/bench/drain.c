/* drain.c - fetches paths at once, one connection each, and throws the bytes away without copying
 * them (MSG_TRUNC), so that the client costs as little as it can. Prints the bytes received and the
 * seconds it took.
 *
 * usage: drain [-t SECONDS] PORT PATH...
 *   -t: asks again for what has ended, until the time is over */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS = 64, PIECE = 1 << 20 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int ask(int port, const char *path)
{
    char text[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n", path);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    return fd;
}

/* The first bytes are looked at: a 404 is no measurement. */
static size_t begin(int fd, const char *path)
{
    char head[4096] = "";
    ssize_t n = recv(fd, head, sizeof head - 1, 0);
    if (n <= 0)
        die(path);
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
        fprintf(stderr, "drain: %s: %.40s\n", path, head);
        exit(1);
    }
    return (size_t)n;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One more piece of a stream, or the next stream in its place; false: it is over. */
static bool take(struct pollfd *p, int port, const char *path, bool again, uint64_t *bytes)
{
    ssize_t n = recv(p->fd, NULL, PIECE, MSG_TRUNC);
    if (n < 0)
        die(path);
    *bytes += (uint64_t)n;
    if (n > 0)
        return true;
    close(p->fd);
    p->fd = -1;
    if (!again)
        return false;
    p->fd = ask(port, path);
    *bytes += begin(p->fd, path);
    return true;
}

static uint64_t drain(int port, int count, char **paths, double seconds, double started)
{
    struct pollfd polls[STREAMS];
    uint64_t bytes = 0;
    int left = count;

    for (int i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = ask(port, paths[i]), .events = POLLIN};
    for (int i = 0; i < count; i++)
        bytes += begin(polls[i].fd, paths[i]);
    while (left > 0 && (seconds <= 0 || now() - started < seconds)) {
        if (poll(polls, (nfds_t)count, 1000) < 0)
            die("poll");
        for (int i = 0; i < count; i++) {
            if (polls[i].fd >= 0 && polls[i].revents && !take(&polls[i], port, paths[i], seconds > 0, &bytes))
                left--;
        }
    }
    return bytes;
}

int main(int argc, char **argv)
{
    double seconds = 0;
    if (argc > 3 && strcmp(argv[1], "-t") == 0) {
        seconds = atof(argv[2]);
        argc -= 2;
        argv += 2;
    }
    int count = argc - 2;
    if (count < 1 || count > STREAMS) {
        fputs("usage: drain [-t SECONDS] PORT PATH...\n", stderr);
        return 2;
    }
    double started = now();
    uint64_t bytes = drain(atoi(argv[1]), count, argv + 2, seconds, started);
    printf("%ju %.6f\n", (uintmax_t)bytes, now() - started);
    return 0;
}
