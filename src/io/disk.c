/* disk.c - chooses a reader, keeps the line before it, and counts what is in flight. */
#include "io/disk.h"

#include "disk_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RETRY_MSEC = 10, CLOSE_POLL_MSEC = 100 };

/* aio off: all reads of a turn at its end, one after the other. */
static int sync_open(struct disk *d, const char **note)
{
    struct list *reads = malloc(sizeof *reads);

    (void)note;
    if (!reads)
        return -ENOMEM;
    list_init(reads);
    d->reader = reads;
    return 0;
}

static int sync_submit(struct disk *d, struct disk_read *r)
{
    list_append(d->reader, &r->node);
    return 0;
}

static void sync_flush(struct disk *d)
{
    struct list now;

    list_init(&now);
    list_splice(&now, d->reader);
    while (!list_empty(&now)) {
        struct disk_read *r = container_of(now.next, struct disk_read, node);
        list_remove(&r->node);
        disk_finish(d, r, disk_read_now(r));
    }
}

static void sync_close(struct disk *d)
{
    while (!list_empty(d->reader))
        sync_flush(d);
    free(d->reader);
}

static const struct disk_ops sync_ops = {"off", sync_open, sync_close, sync_submit, sync_flush, true};

static void on_flush(void *arg)
{
    struct disk *d = arg;
    d->ops->flush(d);
    disk_pump(d); /* a read that failed to start may have joined those that wait, with nothing left to call back */
}

static void on_retry(void *arg)
{
    disk_pump(arg);
}

/* Long buffered reads go to threads whatever the reader: Linux AIO would block in them, and io_uring
 * retries them at each page that is waited for, at several times the CPU of a thread that sleeps
 * through it. Of a short one, all pages come together: io_uring saves both sides of a trip to a
 * thread. -EAGAIN: no room. */
static int submit(struct disk *d, struct disk_read *r)
{
    bool to_threads = ((r->buffered && !(r->prompt && d->ops->prompt)) || r->by_thread) && d->ops != &sync_ops;
    int rc = to_threads ? disk_threads_submit(d, r) : d->ops->submit(d, r);
    if (rc < 0)
        return rc;
    d->in_flight++;
    if (!to_threads && d->ops->flush)
        loop_defer(d->loop, &d->flush);
    return 0;
}

static struct list *line_of(struct disk *d, const struct disk_read *r)
{
    return r->patient ? &d->patient : &d->waiting;
}

static void submit_waiting(struct disk *d, struct list *line)
{
    while (!list_empty(line) && !d->closing) {
        struct disk_read *r = container_of(line->next, struct disk_read, node);
        list_remove(&r->node);
        if (submit(d, r) < 0) {
            list_prepend(line, &r->node);
            break;
        }
    }
}

static bool somebody_waits(const struct disk *d)
{
    return !list_empty(&d->waiting) || !list_empty(&d->patient);
}

void disk_pump(struct disk *d)
{
    submit_waiting(d, &d->waiting);
    submit_waiting(d, &d->patient);
    if (somebody_waits(d) && d->in_flight == 0 && !d->closing)
        timer_set(d->retry, RETRY_MSEC);
}

void disk_submit(struct disk *d, struct disk_read *r)
{
    list_init(&r->node);
    r->disk = d;
    r->by_thread = false;
    r->result = -ECANCELED;
    if (d->closing || !list_empty(line_of(d, r)) || submit(d, r) < 0) {
        list_append(line_of(d, r), &r->node);
        if (d->in_flight == 0 && !d->closing)
            timer_set(d->retry, RETRY_MSEC);
    }
}

/* A read that the kernel would not do asynchronously, that a signal hit, or that io_uring gave up
 * because it could start no worker for it (-ECANCELED), is done by a thread: it must neither be
 * lost nor block. */
static void pass_to_thread(struct disk *d, struct disk_read *r)
{
    d->in_flight--;
    r->by_thread = true;
    r->result = -ECANCELED;
    list_init(&r->node);
    if (submit(d, r) < 0)
        list_prepend(line_of(d, r), &r->node);
}

void disk_finish(struct disk *d, struct disk_read *r, ssize_t result)
{
    bool unread = result == -EAGAIN || result == -EINTR || result == -ECANCELED;

    if (unread && !r->by_thread && !d->closing && d->pool) {
        pass_to_thread(d, r);
        return;
    }
    d->in_flight--;
    r->result = result;
    r->done(r);
}

static int open_as(struct disk *d, const struct disk_ops *ops, const char **note)
{
    d->ops = ops;
    return ops->open(d, note);
}

static int open_best(struct disk *d, const char **note)
{
    const char *ignored = NULL;

    if (open_as(d, &disk_uring_ops, note) == 0)
        return 0;
    if (open_as(d, &disk_libaio_ops, &ignored) == 0)
        return 0;
    return open_as(d, &disk_threads_ops, &ignored);
}

static int open_mode(struct disk *d, enum aio_mode mode, const char **note)
{
    switch (mode) {
    case AIO_OFF:
        return open_as(d, &sync_ops, note);
    case AIO_THREADS:
        return open_as(d, &disk_threads_ops, note);
    case AIO_URING:
        return open_as(d, &disk_uring_ops, note);
    case AIO_LIBAIO:
        return open_as(d, &disk_libaio_ops, note);
    case AIO_ON:
        break;
    }
    return open_best(d, note);
}

int disk_open(struct disk **out, struct loop *loop, enum aio_mode mode, struct pool *pool, unsigned depth,
              const char **note)
{
    *note = NULL;
    if (!pool && mode != AIO_OFF)
        return -EINVAL;
    struct disk *d = calloc(1, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->loop = loop;
    d->pool = pool;
    d->depth = depth ? depth : 1;
    list_init(&d->waiting);
    list_init(&d->patient);
    deferred_init(&d->flush, on_flush, d);
    d->retry = loop_timer(loop, on_retry, d);
    int rc = d->retry ? open_mode(d, mode, note) : -ENOMEM;
    if (rc < 0) {
        timer_destroy(d->retry);
        free(d);
        return rc;
    }
    *out = d;
    return 0;
}

int disk_try(enum aio_mode mode, unsigned depth, const char **note)
{
    struct disk d = {.depth = depth ? depth : 1};

    *note = NULL;
    list_init(&d.waiting);
    list_init(&d.patient);
    int rc = open_as(&d, mode == AIO_LIBAIO ? &disk_libaio_ops : &disk_uring_ops, note);
    if (rc == 0)
        d.ops->close(&d);
    return rc;
}

/* What never started is over at once, with -ECANCELED. */
static void cancel_waiting(struct disk *d)
{
    list_splice(&d->waiting, &d->patient);
    while (!list_empty(&d->waiting)) {
        struct disk_read *r = container_of(d->waiting.next, struct disk_read, node);
        list_remove(&r->node);
        r->done(r);
    }
}

void disk_close(struct disk *d)
{
    if (!d)
        return;
    d->closing = true;
    cancel_waiting(d);
    d->ops->close(d);
    while (d->in_flight > 0) {
        pool_wake(d->pool);
        struct pollfd p = {pool_eventfd(d->pool), POLLIN, 0};
        (void)poll(&p, 1, CLOSE_POLL_MSEC);
        pool_reap(d->pool);
    }
    cancel_waiting(d);
    deferred_clear(&d->flush);
    timer_destroy(d->retry);
    free(d);
}

const char *disk_name(const struct disk *d)
{
    return d->ops->name;
}

bool disk_is_prompt(const struct disk *d)
{
    return d->ops->prompt;
}

unsigned disk_in_flight(const struct disk *d)
{
    return d->in_flight;
}

int disk_probe_open(void)
{
    char bytes[DISK_PROBE_SIZE];
    int fd = memfd_create("sluice-probe", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    memset(bytes, DISK_PROBE_BYTE, sizeof bytes);
    if (write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        return fd;
    close(fd);
    return -EIO;
}
