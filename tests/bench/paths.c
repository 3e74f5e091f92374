/* paths.c - the client of `make paths`: fetches files over keep-alive connections and throws the
 * bytes away without copying them; and drops files from the page cache. Names come on standard
 * input, one per line.
 *
 * usage: paths fetch PORT CONNECTIONS PREFIX   prints the bytes of bodies, the seconds it took, and the median and the 99th
 *                                              percentile of the milliseconds from a request to its last byte
 *        paths evict DIR */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { CONNECTIONS = 256, HEAD = 4096, PIECE = 1 << 20 };

struct connection {
    int fd;
    char head[HEAD];
    size_t head_len;
    bool in_body;
    uint64_t left;
    double asked; /* seconds */
};

static const char *prefix;
static uint64_t fetched;
static double *waits; /* seconds, of each response */
static size_t wait_count, wait_cap;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void note_wait(double seconds)
{
    if (wait_count == wait_cap) {
        wait_cap = wait_cap ? wait_cap * 2 : 4096;
        waits = realloc(waits, wait_cap * sizeof *waits);
        if (!waits)
            die("memory");
    }
    waits[wait_count++] = seconds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile_msec(unsigned percent)
{
    return wait_count > 0 ? waits[(wait_count - 1) * percent / 100] * 1e3 : 0;
}

static bool next_name(char *name, size_t size)
{
    if (!fgets(name, (int)size, stdin))
        return false;
    name[strcspn(name, "\n")] = '\0';
    return true;
}

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

/* False: no names are left. */
static bool ask(struct connection *c)
{
    char name[1024], text[2048];

    if (!next_name(name, sizeof name))
        return false;
    int len = snprintf(text, sizeof text, "GET %s%s HTTP/1.1\r\nHost: bench\r\n\r\n", prefix, name);
    if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    c->asked = now();
    c->head_len = 0;
    c->in_body = false;
    return true;
}

/* A 404 is no measurement. */
static void begin_body(struct connection *c, const char *end)
{
    const char *length = strstr(c->head, "\r\nContent-Length: ");

    if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0 || !length) {
        fprintf(stderr, "paths: %.60s\n", c->head);
        exit(1);
    }
    uint64_t len = strtoull(length + 18, NULL, 10), got = c->head_len - (size_t)(end + 4 - c->head);
    c->in_body = true;
    c->left = len - got;
    fetched += len;
}

static void take_head(struct connection *c)
{
    ssize_t n = recv(c->fd, c->head + c->head_len, HEAD - 1 - c->head_len, 0);

    if (n <= 0)
        die("the head of a response");
    c->head_len += (size_t)n;
    c->head[c->head_len] = '\0';
    const char *end = strstr(c->head, "\r\n\r\n");
    if (end)
        begin_body(c, end);
}

static void take_body(struct connection *c)
{
    ssize_t n = recv(c->fd, NULL, c->left < PIECE ? (size_t)c->left : PIECE, MSG_TRUNC);

    if (n <= 0)
        die("the body of a response");
    c->left -= (uint64_t)n;
}

static int fetch(int port, int count)
{
    static struct connection connections[CONNECTIONS];
    struct pollfd polls[CONNECTIONS];
    int left = 0;

    for (int i = 0; i < count; i++) {
        connections[i].fd = dial(port);
        polls[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
    }
    double started = now();
    for (int i = 0; i < count; i++) {
        if (ask(&connections[i]))
            left++;
        else
            polls[i].fd = -1;
    }
    while (left > 0) {
        if (poll(polls, (nfds_t)count, -1) < 0)
            die("poll");
        for (int i = 0; i < count; i++) {
            struct connection *c = &connections[i];
            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            if (c->in_body)
                take_body(c);
            else
                take_head(c);
            if (!c->in_body || c->left > 0)
                continue;
            note_wait(now() - c->asked);
            if (!ask(c)) {
                polls[i].fd = -1;
                left--;
            }
        }
    }
    double seconds = now() - started;
    qsort(waits, wait_count, sizeof *waits, by_value);
    printf("%ju %.6f %.3f %.3f\n", (uintmax_t)fetched, seconds, percentile_msec(50), percentile_msec(99));
    return 0;
}

static int evict(const char *dir)
{
    char name[1024];
    int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (at < 0)
        die(dir);
    while (next_name(name, sizeof name)) {
        int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            die(name);
        errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        if (errno)
            die(name);
        close(fd);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc == 5 ? atoi(argv[3]) : 0;

    if (argc == 3 && strcmp(argv[1], "evict") == 0)
        return evict(argv[2]);
    if (argc == 5 && strcmp(argv[1], "fetch") == 0 && count >= 1 && count <= CONNECTIONS) {
        prefix = argv[4];
        return fetch(atoi(argv[2]), count);
    }
    fputs("usage: paths fetch PORT CONNECTIONS PREFIX | paths evict DIR\n", stderr);
    return 2;
}
