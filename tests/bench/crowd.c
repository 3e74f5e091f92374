/* crowd.c - clients of several kinds at once, for auto.sh: bodies are thrown away without a copy
 * (MSG_TRUNC).
 *
 * usage: crowd PORT SECONDS WARM-SECONDS KIND:CONNECTIONS:FILES[:PAUSE]...
 *   hot     /hot/N at random
 *   zipf    /zipf/N, the rank's reciprocal as weight
 *   crawl   /crawl/0, /crawl/1 ... each once; alone, it ends the run
 * Each connection asks as soon as it was answered, but at most once in PAUSE milliseconds. For each
 * kind: KIND REQUESTS BYTES SECONDS P50 P99 (milliseconds from the request to the last byte), after
 * warming up.
 *
 *        crowd make FOLDER FILES BYTES      writes FOLDER/0, FOLDER/1 ...
 *        crowd evict FOLDER FILES           takes them out of the page cache */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 4, PIECE = 1 << 20, EVENTS = 64 };

struct kind {
    char name[16];
    unsigned files, connections, pause_msec;
    unsigned next, open; /* of a crawl; connections at work */
    double *sums;        /* of the weights up to each file */
    uint64_t requests, bytes;
    uint32_t *usec; /* of each request */
    size_t usec_count, usec_cap;
    int64_t last; /* when its last byte came */
};

struct connection {
    struct kind *kind;
    int fd;
    int64_t asked, due; /* due: asks then; 0: is being answered */
    uint64_t left;
    bool in_body;
    char head[2048];
    size_t head_len;
};

static struct kind kinds[KINDS];
static unsigned kind_count;
static int64_t begin_usec, measure_usec, end_usec;
static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* ---- files ---- */

static int make_files(const char *folder, unsigned files, size_t bytes)
{
    char path[4096], *block = malloc(PIECE);
    if (!block)
        die("malloc");
    for (unsigned i = 0; i < files; i++) {
        snprintf(path, sizeof path, "%s/%u", folder, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
            die(path);
        memset(block, (int)(i % 251) + 1, PIECE);
        for (size_t left = bytes; left > 0;) {
            ssize_t n = write(fd, block, left < PIECE ? left : PIECE);
            if (n <= 0)
                die(path);
            left -= (size_t)n;
        }
        sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        close(fd);
    }
    free(block);
    return 0;
}

static int evict_files(const char *folder, unsigned files)
{
    char path[4096];
    for (unsigned i = 0; i < files; i++) {
        snprintf(path, sizeof path, "%s/%u", folder, i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            die(path);
        fdatasync(fd);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    return 0;
}

/* ---- requests ---- */

static unsigned zipf(const struct kind *k)
{
    double u = draw() * k->sums[k->files - 1];
    unsigned low = 0, high = k->files - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (k->sums[middle] < u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool pick(struct kind *k, unsigned *file)
{
    if (k->name[0] == 'z')
        *file = zipf(k);
    else if (k->name[0] == 'h')
        *file = (unsigned)(draw() * k->files);
    else
        *file = k->next++;
    return *file < k->files;
}

/* False: a crawl is over. */
static bool ask(struct connection *c)
{
    char text[128];
    unsigned file;
    if (!pick(c->kind, &file))
        return false;
    int len = snprintf(text, sizeof text, "GET /%s/%u HTTP/1.1\r\nHost: bench\r\n\r\n", c->kind->name, file);
    if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    c->asked = now();
    c->due = 0;
    c->in_body = false;
    c->head_len = 0;
    return true;
}

static void note(struct connection *c, int64_t at)
{
    struct kind *k = c->kind;
    if (at < measure_usec)
        return;
    k->requests++;
    k->last = at;
    if (k->usec_count == k->usec_cap) {
        k->usec_cap = k->usec_cap ? 2 * k->usec_cap : 4096;
        k->usec = realloc(k->usec, k->usec_cap * sizeof *k->usec);
        if (!k->usec)
            die("realloc");
    }
    k->usec[k->usec_count++] = (uint32_t)(at - c->asked);
}

/* The head is here: what follows it, and what of that is here too. */
static void read_head(struct connection *c)
{
    ssize_t n = recv(c->fd, c->head + c->head_len, sizeof c->head - 1 - c->head_len, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("closed");
    if (n < 0)
        return;
    c->head_len += (size_t)n;
    c->head[c->head_len] = '\0';
    char *end = strstr(c->head, "\r\n\r\n"), *length = strcasestr(c->head, "\r\nContent-Length:");
    if (!end)
        return;
    if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0 || !length) {
        fprintf(stderr, "crowd: %.60s\n", c->head);
        exit(1);
    }
    size_t here = c->head_len - (size_t)(end + 4 - c->head);
    c->left = strtoull(length + 17, NULL, 10) - here;
    c->in_body = true;
    if (now() >= measure_usec)
        c->kind->bytes += here;
}

static void read_body(struct connection *c)
{
    ssize_t n = recv(c->fd, NULL, c->left < PIECE ? c->left : PIECE, MSG_TRUNC | MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("closed");
    if (n < 0)
        return;
    c->left -= (size_t)n;
    if (now() >= measure_usec)
        c->kind->bytes += (uint64_t)n;
}

static void leave(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->kind->open--;
}

static void on_input(struct connection *c)
{
    if (!c->in_body)
        read_head(c);
    else
        read_body(c);
    if (!c->in_body || c->left > 0)
        return;
    int64_t at = now();
    note(c, at);
    c->due = c->asked + (int64_t)c->kind->pause_msec * 1000;
    if (c->due <= at && !ask(c))
        leave(c);
}

/* ---- the run ---- */

static void open_connection(struct connection *c, int epoll, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
    c->kind->open++;
    if (!ask(c))
        leave(c);
}

static void parse_kind(struct kind *k, const char *text)
{
    if (sscanf(text, "%15[a-z]:%u:%u:%u", k->name, &k->connections, &k->files, &k->pause_msec) < 3 || k->files == 0) {
        fprintf(stderr, "crowd: %s\n", text);
        exit(2);
    }
    if (k->name[0] != 'z')
        return;
    k->sums = calloc(k->files, sizeof *k->sums);
    if (!k->sums)
        die("calloc");
    for (unsigned i = 0; i < k->files; i++)
        k->sums[i] = (i ? k->sums[i - 1] : 0) + 1.0 / (i + 1);
}

static bool is_over(int64_t at)
{
    unsigned open = 0;
    for (unsigned i = 0; i < kind_count; i++)
        open += kinds[i].open;
    return at >= end_usec || open == 0;
}

static void run(struct connection *connections, unsigned count, int epoll)
{
    struct epoll_event events[EVENTS];
    for (int64_t at = now(); !is_over(at); at = now()) {
        for (unsigned i = 0; i < count; i++) {
            if (connections[i].fd >= 0 && connections[i].due && connections[i].due <= at && !ask(&connections[i]))
                leave(&connections[i]);
        }
        int n = epoll_wait(epoll, events, EVENTS, 1);
        for (int i = 0; i < n; i++)
            on_input(events[i].data.ptr);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct kind *k, double q)
{
    return k->usec_count ? k->usec[(size_t)(q * (double)(k->usec_count - 1))] / 1000.0 : 0;
}

static void print_kind(struct kind *k)
{
    int64_t until = k->open ? now() : k->last;
    if (k->usec_count)
        qsort(k->usec, k->usec_count, sizeof *k->usec, by_value);
    printf("%s %ju %ju %.3f %.3f %.3f\n", k->name, (uintmax_t)k->requests, (uintmax_t)k->bytes,
           until > measure_usec ? (double)(until - measure_usec) / 1e6 : 0, quantile(k, 0.5), quantile(k, 0.99));
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make_files(argv[2], (unsigned)atoi(argv[3]), strtoul(argv[4], NULL, 10));
    if (argc == 4 && strcmp(argv[1], "evict") == 0)
        return evict_files(argv[2], (unsigned)atoi(argv[3]));
    if (argc < 5 || argc > 4 + KINDS) {
        fputs("usage: crowd PORT SECONDS WARM-SECONDS KIND:CONNECTIONS:FILES[:PAUSE]...\n", stderr);
        return 2;
    }
    unsigned count = 0;
    for (int i = 4; i < argc; i++) {
        parse_kind(&kinds[kind_count], argv[i]);
        count += kinds[kind_count++].connections;
    }
    struct connection *connections = calloc(count ? count : 1, sizeof *connections), *c = connections;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || epoll < 0)
        die("epoll_create1");
    begin_usec = now();
    measure_usec = begin_usec + (int64_t)(atof(argv[3]) * 1e6);
    end_usec = measure_usec + (int64_t)(atof(argv[2]) * 1e6);
    for (unsigned i = 0; i < kind_count; i++) {
        for (unsigned n = 0; n < kinds[i].connections; n++, c++) {
            c->kind = &kinds[i];
            open_connection(c, epoll, atoi(argv[1]));
        }
    }
    run(connections, count, epoll);
    for (unsigned i = 0; i < kind_count; i++)
        print_kind(&kinds[i]);
    free(connections);
    return 0;
}
