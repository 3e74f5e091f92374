/* disk_threads.c - reads on the threads of a pool: `aio threads`, and for every reader what it
 * cannot do itself without blocking. */
#include "disk_private.h"

#include "file/fetch.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* Linux 6.14 */
#endif

ssize_t disk_read_now(const struct disk_read *r)
{
    if (r->warm)
        return file_fetch(r->fd, r->offset, r->len);
    for (;;) {
        struct iovec iov = {r->buffer, r->len};
        ssize_t n = r->uncached ? preadv2(r->fd, &iov, 1, r->offset, RWF_DONTCACHE)
                                : pread(r->fd, r->buffer, r->len, r->offset);
        if (n >= 0 || errno != EINTR)
            return n >= 0 ? n : -errno;
    }
}

static void run(struct job *job)
{
    struct disk_read *r = container_of(job, struct disk_read, job);
    r->result = disk_read_now(r);
}

/* r->result stays -ECANCELED where the pool went away first. */
static void done(struct job *job)
{
    struct disk_read *r = container_of(job, struct disk_read, job);
    struct disk *d = r->disk;

    disk_finish(d, r, r->result);
    disk_pump(d);
}

int disk_threads_submit(struct disk *d, struct disk_read *r)
{
    r->job.run = run;
    r->job.done = done;
    r->job.patient = r->patient;
    return pool_submit(d->pool, &r->job);
}

static int threads_open(struct disk *d, const char **note)
{
    (void)d;
    (void)note;
    return 0;
}

static void threads_close(struct disk *d)
{
    (void)d; /* disk_close() reaps the pool */
}

const struct disk_ops disk_threads_ops = {"threads", threads_open, threads_close, disk_threads_submit, NULL, false};
