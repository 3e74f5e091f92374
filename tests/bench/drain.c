/* drain.c - fetches paths at once, one connection each, and throws the bytes away without copying them (MSG_TRUNC), so
 * that the client costs as little as it can. Prints the bytes received and the seconds it took.
 *
 * usage: drain PORT PATH... */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
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
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n", path);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    return fd;
}

/* The first bytes are looked at: a 404 is no measurement. */
static size_t begin(int fd, const char *path)
{
    char head[4096] = "";
    ssize_t n = recv(fd, head, sizeof(head) - 1, 0);
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

int main(int argc, char **argv)
{
    struct pollfd polls[STREAMS];
    int count = argc - 2, left = count;
    uint64_t bytes = 0;
    if (count < 1 || count > STREAMS) {
        fputs("usage: drain PORT PATH...\n", stderr);
        return 2;
    }
    double started = now();
    for (int i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = ask(atoi(argv[1]), argv[i + 2]), .events = POLLIN};
    for (int i = 0; i < count; i++)
        bytes += begin(polls[i].fd, argv[i + 2]);
    while (left > 0) {
        if (poll(polls, (nfds_t)count, -1) < 0)
            die("poll");
        for (int i = 0; i < count; i++) {
            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            ssize_t n = recv(polls[i].fd, NULL, PIECE, MSG_TRUNC);
            if (n < 0)
                die(argv[i + 2]);
            bytes += (uint64_t)n;
            if (n == 0) {
                close(polls[i].fd);
                polls[i].fd = -1;
                left--;
            }
        }
    }
    printf("%ju %.6f\n", (uintmax_t)bytes, now() - started);
    return 0;
}
