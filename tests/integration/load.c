/* load.c - see load.h. */
#include "load.h"
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bool load_goes_on(int stop)
{
    struct pollfd p = {.fd = stop, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

void load_failed(struct counts *counts, const char *format, ...)
{
    va_list ap;
    counts->failed++;
    va_start(ap, format);
    vsnprintf(counts->what, sizeof counts->what, format, ap);
    va_end(ap);
}

bool load_dial(struct channel *ch, int port)
{
    struct timeval patience = {.tv_sec = scaled(10000) / 1000};
    *ch = (struct channel){.transport = site_transport(), .fd = -1};
    if (site_transport()->connect(ch, port, 0) < 0)
        return false;
    setsockopt(ch->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(ch->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return true;
}

enum outcome { STAYS, CLOSES, NOT_TAKEN, FAILS };

struct reading {
    char in[65536];
    size_t len; /* in `in` */
    off_t got;  /* of the body */
    bool in_body, close;
};

/* The head, when all of it is there. False: it is wrong. */
static bool take_head(struct reading *r, const struct load_requests *q, struct counts *counts)
{
    r->in[r->len] = '\0';
    char *end = strstr(r->in, "\r\n\r\n");
    if (!end)
        return true;
    char *length = strstr(r->in, "\r\nContent-Length: ");
    int status = *q->fields ? 206 : 200;
    if (atoi(r->in + strcspn(r->in, " ")) != status || !length || strtoll(length + 18, NULL, 10) != q->len) {
        load_failed(counts, "%s: %.100s", q->target, r->in);
        return false;
    }
    r->in_body = true;
    r->close = strstr(r->in, "\r\nConnection: close") != NULL;
    size_t head = (size_t)(end + 4 - r->in);
    r->len -= head;
    memmove(r->in, r->in + head, r->len);
    return true;
}

static bool take_body(struct reading *r, const struct load_requests *q, struct counts *counts)
{
    if (r->got + (off_t)r->len > q->len || !pattern_matches(r->in, r->len, q->first + r->got)) {
        load_failed(counts, "%s: wrong bytes from %jd on", q->target, (intmax_t)r->got);
        return false;
    }
    r->got += (off_t)r->len;
    r->len = 0;
    return true;
}

/* `idle_msec`: since its last answer; -1: it has not had any. */
static enum outcome exchange(struct channel *ch, const struct load_requests *q, int64_t idle_msec,
                             struct counts *counts)
{
    static struct reading r;
    char text[512];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n%s%s\r\n", q->target, q->fields,
                       q->keep ? "" : "Connection: close\r\n");
    r.len = 0;
    r.got = 0;
    r.in_body = false;
    bool sent = ch->transport->send(ch, text, (size_t)len, true) == len;
    while (!r.in_body || r.got < q->len) {
        ssize_t n = sent ? ch->transport->receive(ch, r.in + r.len, sizeof r.in - 1 - r.len, true) : -1;
        if (n <= 0) {
            int error = n < 0 ? errno : 0;
            bool untouched = !r.in_body && r.len == 0 && (n == 0 || error == ECONNRESET || error == EPIPE);
            if (untouched && idle_msec > LOAD_GRACE_MSEC)
                return NOT_TAKEN;
            load_failed(counts, "%s: after %zu+%jd bytes, idle for %jd ms: %s", q->target, r.len, (intmax_t)r.got,
                        (intmax_t)idle_msec, n < 0 ? strerror(error) : "closed");
            return FAILS;
        }
        r.len += (size_t)n;
        if (!r.in_body && !take_head(&r, q, counts))
            return FAILS;
        if (r.in_body && !take_body(&r, q, counts))
            return FAILS;
    }
    return r.close ? CLOSES : STAYS;
}

void load_requests(int stop, struct counts *counts, const void *arg)
{
    const struct load_requests *q = arg;
    struct channel ch = {.fd = -1};
    int64_t answered = 0;
    while (load_goes_on(stop)) {
        bool fresh = ch.fd < 0;
        if (fresh && !load_dial(&ch, q->port)) {
            load_failed(counts, "connect: %s", strerror(errno));
            continue;
        }
        enum outcome o = exchange(&ch, q, fresh ? -1 : now_msec() - answered, counts);
        answered = now_msec();
        counts->done += o == STAYS || o == CLOSES;
        counts->retried += o == NOT_TAKEN;
        if (o != STAYS || !q->keep)
            ch.transport->close(&ch);
        if (q->pause_msec && o != NOT_TAKEN)
            sleep_msec(q->pause_msec);
    }
    if (ch.fd >= 0)
        ch.transport->close(&ch);
}

void loader_start(struct loader *l, load_fn *fn, const void *arg)
{
    int stop[2], result[2];
    pattern_byte(0); /* the table is made before the fork */
    ck_assert_int_eq(pipe(stop), 0);
    ck_assert_int_eq(pipe(result), 0);
    fflush(stdout);
    pid_t parent = getpid();
    l->pid = fork();
    ck_assert_int_ge(l->pid, 0);
    if (l->pid == 0) {
        struct counts counts = {0};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        close(stop[1]);
        fn(stop[0], &counts, arg);
        _exit(write(result[1], &counts, sizeof counts) == sizeof counts ? 0 : 1);
    }
    close(stop[0]);
    close(result[1]);
    l->stop = stop[1];
    l->result = result[0];
}

struct counts loader_stop(struct loader *l)
{
    struct counts counts = {0};
    ck_assert_int_eq(write(l->stop, "", 1), 1); /* closing would not do: later loaders have this end too */
    close(l->stop);
    ck_assert_int_eq(read(l->result, &counts, sizeof counts), sizeof counts);
    close(l->result);
    waitpid(l->pid, NULL, 0);
    return counts;
}

struct counts loaders_stop_well(struct loader *loaders, unsigned count)
{
    struct counts total = {0};
    for (unsigned i = 0; i < count; i++) {
        struct counts c = loader_stop(&loaders[i]);
        ck_assert_msg(c.failed == 0 && c.done > 0, "client %u: %ju done, %ju retried, %ju failed (%s)", i,
                      (uintmax_t)c.done, (uintmax_t)c.retried, (uintmax_t)c.failed, c.what);
        total.done += c.done;
        total.retried += c.retried;
    }
    return total;
}
