/* disk_libaio.c - reads by Linux AIO, which is asynchronous for O_DIRECT only: buffered reads go to
 * the threads. The only door to libaio. */
#include "disk_private.h"

#include <errno.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MOST = 1024, REAP_BATCH = 32 };

struct aio {
    io_context_t context;
    int event;
    struct watch *watch;
    unsigned most, in_kernel; /* prepared or submitted, and not reaped */
    unsigned prepared;
    struct iocb **batch;  /* those prepared in this turn: pointers into `blocks`, in order */
    struct iocb blocks[]; /* the kernel copies them at submission */
};

static const char *why_not(int error)
{
    switch (error) {
    case EPERM:
        return "Linux AIO is denied (Operation not permitted)";
    case ENOSYS:
        return "Linux AIO is not in this kernel (Function not implemented)";
    case EAGAIN:
        return "Linux AIO has no room left (fs.aio-max-nr)";
    default:
        return "Linux AIO does not work here";
    }
}

static void finish(struct disk *d, struct disk_read *r, long result)
{
    struct aio *a = d->reader;

    a->in_kernel--;
    disk_finish(d, r, result);
}

static void reap(struct disk *d, int least)
{
    struct aio *a = d->reader;
    struct io_event events[REAP_BATCH];
    struct timespec at_once = {0, 0};
    int count;

    do {
        count = io_getevents(a->context, least, REAP_BATCH, events, least ? NULL : &at_once);
        for (int i = 0; i < count; i++)
            finish(d, events[i].data, (long)events[i].res);
        least = 0;
    } while (count == REAP_BATCH);
}

/* Takes the first `n` off the batch. */
static void advance(struct aio *a, unsigned n)
{
    a->prepared -= n;
    memmove(a->batch, a->batch + n, a->prepared * sizeof(struct iocb *));
    for (unsigned i = 0; i < a->prepared; i++) {
        a->blocks[i] = *a->batch[i];
        a->batch[i] = &a->blocks[i];
    }
}

static void libaio_flush(struct disk *d)
{
    struct aio *a = d->reader;

    while (a->prepared > 0) {
        int rc = io_submit(a->context, a->prepared, a->batch);
        if (rc > 0) {
            advance(a, (unsigned)rc);
            continue;
        }
        if (rc == -EINTR)
            continue;
        if ((rc == -EAGAIN || rc == 0) && a->in_kernel > a->prepared)
            return; /* what is under way makes room, in on_event */
        /* The first of the batch cannot be submitted, now or ever: a thread reads it, or it
         * fails. */
        struct disk_read *r = a->batch[0]->data;
        advance(a, 1);
        finish(d, r, rc == 0 ? -EAGAIN : rc);
    }
}

static void on_event(void *arg, unsigned what)
{
    struct disk *d = arg;
    struct aio *a = d->reader;
    uint64_t count;

    (void)what;
    (void)!read(a->event, &count, sizeof count);
    reap(d, 0);
    libaio_flush(d);
    disk_pump(d);
}

static int libaio_submit(struct disk *d, struct disk_read *r)
{
    struct aio *a = d->reader;

    if (a->in_kernel >= a->most)
        return -EAGAIN;
    struct iocb *block = &a->blocks[a->prepared];
    io_prep_pread(block, r->fd, r->buffer, r->len, r->offset);
    io_set_eventfd(block, a->event);
    block->data = r;
    a->batch[a->prepared++] = block;
    a->in_kernel++;
    return 0;
}

static int probe(struct aio *a)
{
    char byte = 0;
    struct iocb block, *list = &block;
    struct io_event event;
    struct timespec patience = {2, 0};
    uint64_t count;
    int fd = disk_probe_open();
    if (fd < 0)
        return fd;

    io_prep_pread(&block, fd, &byte, 1, 1);
    io_set_eventfd(&block, a->event);
    int rc = io_submit(a->context, 1, &list);
    if (rc == 1)
        rc = io_getevents(a->context, 1, 1, &event, &patience);
    if (rc == 1)
        rc = event.res == 1 && byte == DISK_PROBE_BYTE && read(a->event, &count, sizeof count) == sizeof count ? 0
                                                                                                               : -EIO;
    else if (rc >= 0)
        rc = -EIO;
    close(fd);
    return rc;
}

static void aio_free(struct aio *a)
{
    watch_destroy(a->watch);
    if (a->context)
        io_destroy(a->context);
    if (a->event >= 0)
        close(a->event);
    free(a->batch);
    free(a);
}

static int set_up(struct disk *d, struct aio *a)
{
    a->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->event < 0)
        return -errno;
    int rc = io_setup((int)a->most, &a->context);
    if (rc == 0)
        rc = probe(a);
    if (rc < 0 || !d->loop)
        return rc;
    a->watch = watch_create(d->loop, a->event, LOOP_READ, false, on_event, d);
    return a->watch ? 0 : -ENOMEM;
}

static int libaio_open(struct disk *d, const char **note)
{
    unsigned most = d->depth < DEPTH_MOST ? d->depth : DEPTH_MOST;
    struct aio *a = calloc(1, sizeof *a + most * sizeof(struct iocb));
    if (!a)
        return -ENOMEM;
    a->event = -1;
    a->most = most;
    a->batch = calloc(most, sizeof(struct iocb *));
    int rc = a->batch ? set_up(d, a) : -ENOMEM;
    if (rc < 0) {
        *note = why_not(-rc);
        aio_free(a);
        return rc;
    }
    d->reader = a;
    return 0;
}

static void libaio_close(struct disk *d)
{
    struct aio *a = d->reader;

    libaio_flush(d);
    while (a->in_kernel > 0)
        reap(d, 1);
    aio_free(a);
}

const struct disk_ops disk_libaio_ops = {"libaio", libaio_open, libaio_close, libaio_submit, libaio_flush, false};
