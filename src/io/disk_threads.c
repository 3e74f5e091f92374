/* disk_threads.c - reads on the threads of a pool: `aio threads`, and for every reader what it
 * cannot do itself without blocking. */
#include "disk_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* Linux 6.14 */
#endif

enum { WARM_PIECE = 64 * 1024 };

/* Where splicing from the file is refused, reading does the same at the price of a copy. */
static ssize_t warm_by_reading(const struct disk_read *r, size_t got)
{
    char bytes[WARM_PIECE];

    while (got < r->len) {
        size_t piece = r->len - got < sizeof bytes ? r->len - got : sizeof bytes;
        ssize_t n = pread(r->fd, bytes, piece, r->offset + (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* To /dev/null by sendfile: the kernel reads ahead as it does for sendfile to a socket (in large
 * folios; readahead(2) fills single pages at three times the price), waits until the pages are
 * there, and copies nothing. */
static ssize_t warm(const struct disk_read *r)
{
    off_t at = r->offset, end = r->offset + (off_t)r->len;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    while (null >= 0 && at < end) {
        ssize_t n = sendfile(null, r->fd, &at, (size_t)(end - at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
    }
    if (null >= 0)
        close(null);
    return at == end ? (ssize_t)r->len : warm_by_reading(r, (size_t)(at - r->offset));
}

ssize_t disk_read_now(const struct disk_read *r)
{
    if (r->warm)
        return warm(r);
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

const struct disk_ops disk_threads_ops = {"threads", threads_open, threads_close, disk_threads_submit, NULL};
