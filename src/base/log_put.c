/* log_put.c - bytes of log lines into a file, pipe or socket: all of them, or the lines that were
 * lost are counted. */
#include "base/log_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static _Atomic(uint64_t *) total_dropped;

void log_file_count_drops(uint64_t *total)
{
    total_dropped = total;
}

void log_file_drop(struct log_file *lf, uint64_t lines)
{
    uint64_t *total = total_dropped;

    atomic_fetch_add_explicit(&lf->dropped, lines, memory_order_relaxed);
    if (total)
        __atomic_fetch_add(total, lines, __ATOMIC_RELAXED); /* two threads drop lines, and seldom */
}

uint64_t log_file_count_lines(const char *bytes, size_t len)
{
    uint64_t lines = 0;
    for (const char *end = bytes + len; (bytes = memchr(bytes, '\n', (size_t)(end - bytes))); bytes++)
        lines++;
    return lines;
}

/* Takes the SIGPIPE back that a write to a pipe without a reader raised in this thread. */
static ssize_t write_unsignalled(struct log_file *lf, int fd, const char *bytes, size_t len)
{
    if (!lf->may_signal)
        return write(fd, bytes, len);
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    ssize_t n = write(fd, bytes, len);
    int error = errno;
    if (n < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
        struct timespec at_once = {0, 0};
        sigtimedwait(&pipe, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

/* Whether a full pipe took bytes again before `deadline` (-1: none). */
static bool wait_writable(int fd, int64_t deadline)
{
    struct pollfd pfd = {fd, POLLOUT, 0};
    int64_t left = deadline < 0 ? -1 : deadline - log_now_msec();
    if (deadline >= 0 && left <= 0)
        return false;
    return poll(&pfd, 1, left > 1000 ? 1000 : (int)left) >= 0 || errno == EINTR;
}

size_t log_file_put_bytes(struct log_file *lf, int fd, const char *bytes, size_t len, int64_t patience_msec)
{
    int64_t deadline = patience_msec < 0 ? -1 : log_now_msec() + patience_msec;
    size_t done = 0;
    while (done < len) {
        ssize_t n = write_unsignalled(lf, fd, bytes + done, len - done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && wait_writable(fd, deadline))
            continue;
        lf->last_errno = n < 0 ? errno : EIO;
        break;
    }
    return done;
}

static void put_compressed(struct log_file *lf, int fd, const char *bytes, size_t len, int64_t patience_msec)
{
    char *member = NULL;
    size_t size = 0;
    int rc = log_gzip(bytes, len, lf->gzip_level, &member, &size);
    if (rc < 0)
        lf->last_errno = -rc;
    if (rc < 0 || log_file_put_bytes(lf, fd, member, size, patience_msec) < size)
        log_file_drop(lf, log_file_count_lines(bytes, len));
    if (rc == 0)
        free(member);
}

void log_file_put(struct log_file *lf, int fd, const char *bytes, size_t len, int64_t patience_msec)
{
    if (lf->gzip_level > 0) {
        put_compressed(lf, fd, bytes, len, patience_msec);
        return;
    }
    if (lf->torn && write_unsignalled(lf, fd, "\n", 1) == 1)
        lf->torn = false;
    size_t done = log_file_put_bytes(lf, fd, bytes, len, patience_msec);
    if (done == len)
        return;
    lf->torn = lf->torn || (done > 0 && bytes[done - 1] != '\n');
    log_file_drop(lf, log_file_count_lines(bytes + done, len - done));
}
