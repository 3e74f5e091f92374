/* tune_send.c - `sluice tune`: what a response costs whose bytes are in memory already, by size and
 * by the way they take.
 *
 * One loopback connection: this thread sends as a worker would, a thread of its own takes the bytes
 * without copying them, and says when it has a whole response. Counted is the CPU time of the
 * sending thread. */
#include "server/tune/tune_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 250, ROUNDS = 3, FEWEST = 8, DISCARDED = 1 << 20 };

struct wire {
    int near, far;
    atomic_size_t expected; /* bytes of a response; set while the other side waits for the next one */
    pthread_t taker;
    int file;
    char head[HEAD];
    char *body;
};

static int listen_on_loopback(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_both(struct wire *w)
{
    struct sockaddr_in address;
    int on = 1, listener = listen_on_loopback(&address);

    w->near = -1;
    w->far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener >= 0 && w->far >= 0 && connect(w->far, (struct sockaddr *)&address, sizeof address) == 0)
        w->near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (listener >= 0)
        close(listener);
    if (w->near >= 0 && setsockopt(w->near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return 0;
    if (w->far >= 0)
        close(w->far);
    if (w->near >= 0)
        close(w->near);
    return -1;
}

/* MSG_TRUNC: TCP throws the bytes away instead of copying them (tcp(7)). */
static void *take(void *arg)
{
    struct wire *w = arg;
    size_t got = 0;

    for (;;) {
        ssize_t n = recv(w->far, NULL, DISCARDED, MSG_TRUNC);
        if (n <= 0)
            return NULL;
        got += (size_t)n;
        if (got < atomic_load(&w->expected))
            continue;
        got = 0;
        if (send(w->far, "", 1, MSG_NOSIGNAL) != 1)
            return NULL;
    }
}

static bool send_parts(int fd, struct iovec *parts, unsigned count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    while (message.msg_iovlen > 0) {
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        for (size_t left = n > 0 ? (size_t)n : 0; message.msg_iovlen > 0;) {
            struct iovec *part = message.msg_iov;
            size_t of_this = left < part->iov_len ? left : part->iov_len;
            part->iov_base = (char *)part->iov_base + of_this;
            part->iov_len -= of_this;
            left -= of_this;
            if (part->iov_len > 0)
                break;
            message.msg_iov++;
            message.msg_iovlen--;
        }
    }
    return true;
}

static bool send_by_sendfile(struct wire *w, size_t size)
{
    off_t at = 0;

    if (send(w->near, w->head, HEAD, MSG_MORE | MSG_NOSIGNAL) != HEAD)
        return false;
    while (at < (off_t)size) {
        ssize_t n = sendfile(w->near, w->file, &at, size - (size_t)at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
    }
    return true;
}

static bool send_response(struct wire *w, enum tune_way way, size_t size)
{
    struct iovec parts[2] = {{w->head, HEAD}, {w->body, size}};

    if (way == TUNE_SENDFILE)
        return send_by_sendfile(w, size);
    if (way == TUNE_COPY && pread(w->file, w->body, size, 0) != (ssize_t)size)
        return false;
    return send_parts(w->near, parts, 2);
}

static bool respond(struct wire *w, enum tune_way way, size_t size)
{
    char done;

    return send_response(w, way, size) && recv(w->near, &done, 1, 0) == 1;
}

static double thread_cpu(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool run(struct wire *w, enum tune_way way, size_t size, double seconds, struct tune_send *best)
{
    unsigned count = 0;

    atomic_store(&w->expected, HEAD + size);
    if (!respond(w, way, size)) /* the first one pays for caches */
        return false;
    double from = tune_now(), cpu = thread_cpu(), took;
    do {
        if (!respond(w, way, size))
            return false;
        count++;
        took = tune_now() - from;
    } while (took < seconds || count < FEWEST);
    struct tune_send one = {(thread_cpu() - cpu) * 1e6 / count, (double)count * (double)size / took};
    if (best->usec == 0 || one.usec < best->usec)
        best->usec = one.usec;
    if (one.rate > best->rate)
        best->rate = one.rate;
    return true;
}

static void measure(struct wire *w, struct tune *t, double until)
{
    enum { CELLS = TUNE_BODIES * TUNE_WAYS };
    double each = (until - tune_now()) / (ROUNDS * CELLS);

    tune_progress_at(&t->progress, "sending from memory");
    for (unsigned i = 0; i < ROUNDS * CELLS && tune_now() < until; i++) {
        unsigned body = i % CELLS / TUNE_WAYS, way = i % TUNE_WAYS;

        if (!run(w, (enum tune_way)way, tune_bodies[body], each, &t->results->sends[body][way]))
            return;
        if (way == 0)
            tune_progress_at(&t->progress, "sending from memory");
    }
}

void tune_send_measure(struct tune *t, double until)
{
    struct wire w = {.file = t->file->fd};

    w.body = malloc(TUNE_BLOCK);
    /* Into the page cache; and the buffer's pages into being. */
    if (!w.body || pread(w.file, w.body, TUNE_BLOCK, 0) != TUNE_BLOCK || connect_both(&w) < 0) {
        free(w.body);
        return;
    }
    if (pthread_create(&w.taker, NULL, take, &w) == 0) {
        measure(&w, t, until);
        shutdown(w.near, SHUT_RDWR);
        pthread_join(w.taker, NULL);
    }
    close(w.near);
    close(w.far);
    free(w.body);
}
