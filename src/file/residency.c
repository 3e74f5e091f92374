/* residency.c - is this part of the file in the page cache? cachestat(2), then preadv2(RWF_NOWAIT).
 *
 * cachestat counts the pages of a range in one call, but also counts those that are still being
 * read, and newer kernels answer only the owner of the file. RWF_NOWAIT knows about exactly the
 * byte that it reads, for anybody, on filesystems that have it: overlayfs, FUSE, squashfs and tmpfs
 * do not. So: the count first, and where it says "all", one byte of the last page to see that
 * reading is over; without the count, one byte every STRIDE. mincore(2) is no third: to those who
 * may not write to the file it says that all of it is there. */
#include "file/residency.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451 /* Linux 6.5; the same number everywhere */
#endif

enum {
    PAGE = 4096,
    STRIDE = 128 * 1024, /* the kernel reads ahead in pieces as large; every 16 KiB cost more than the reading */
    /* Counting takes a while for each page: of more than this, SAMPLES as large together. */
    WHOLE_MOST = 8 * 1024 * 1024,
    SAMPLES = 16
};

struct cachestat_range {
    uint64_t off, len;
};

struct cachestat_counts {
    uint64_t nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted;
};

enum answer { RESIDENT, COLD, UNKNOWN };

static atomic_bool count_refused;

/* Negative: -errno. What the kernel refuses now, it will refuse again. */
static long counted_pages(int fd, off_t offset, size_t len)
{
    struct cachestat_range range = {(uint64_t)offset, len};
    struct cachestat_counts counts;

    if (syscall(SYS_cachestat, fd, &range, &counts, 0) < 0) {
        if (errno == ENOSYS || errno == EPERM || errno == EACCES)
            atomic_store_explicit(&count_refused, true, memory_order_relaxed);
        return -errno;
    }
    return (long)counts.nr_cache;
}

/* Pages of the system's size that [offset, offset + len) touches. */
static long pages_of(off_t offset, size_t len)
{
    static long page;

    if (!page)
        page = sysconf(_SC_PAGESIZE);
    return (long)((offset + (off_t)len - 1) / page - offset / page + 1);
}

static enum answer probe(int fd, off_t offset)
{
    char byte;
    struct iovec iov = {&byte, 1};

    if (preadv2(fd, &iov, 1, offset, RWF_NOWAIT) >= 0)
        return RESIDENT; /* or past the end of a file that shrank: whoever reads it will see */
    return errno == EAGAIN ? COLD : UNKNOWN;
}

static size_t to_page_end(off_t offset)
{
    return PAGE - (size_t)(offset % PAGE);
}

static ssize_t probed(int fd, off_t offset, size_t len)
{
    for (size_t at = 0; at < len; at += STRIDE) {
        enum answer a = probe(fd, offset + (off_t)at);
        if (a == UNKNOWN)
            return -1;
        if (a == COLD)
            return at ? (ssize_t)(at - STRIDE + to_page_end(offset + (off_t)(at - STRIDE))) : 0;
    }
    return (ssize_t)(probe(fd, offset + (off_t)len - 1) == COLD ? (len - 1) / STRIDE * STRIDE : len);
}

/* The longest fully counted beginning, to a page, by halving: a prefix of pages is complete or it
 * is not. */
static size_t counted_prefix(int fd, off_t offset, size_t len)
{
    size_t good = 0, bad = len;

    while (bad - good > PAGE) {
        size_t middle = good + (bad - good) / 2;
        middle -= (size_t)(offset + (off_t)middle) % PAGE;
        if (middle <= good)
            break;
        if (counted_pages(fd, offset, middle) >= pages_of(offset, middle))
            good = middle;
        else
            bad = middle;
    }
    return good;
}

ssize_t residency(const struct file *f, off_t offset, size_t len)
{
    if (len == 0)
        return 0;
    if (atomic_load_explicit(&count_refused, memory_order_relaxed))
        return probed(f->fd, offset, len);

    long pages = counted_pages(f->fd, offset, len);
    if (pages < 0)
        return probed(f->fd, offset, len);
    if (pages == 0)
        return 0;
    size_t good = pages >= pages_of(offset, len) ? len : counted_prefix(f->fd, offset, len);
    if (good > 0 && probe(f->fd, offset + (off_t)good - 1) == COLD)
        return 0;
    return (ssize_t)good;
}

int residency_permille(const struct file *f, off_t offset, uint64_t len)
{
    uint64_t step = len > WHOLE_MOST ? len / SAMPLES : len;
    size_t piece = (size_t)(len > WHOLE_MOST ? WHOLE_MOST / SAMPLES : len);
    long resident = 0, all = 0;

    if (len == 0 || atomic_load_explicit(&count_refused, memory_order_relaxed))
        return -1;
    for (uint64_t at = 0; at + piece <= len; at += step) {
        long pages = counted_pages(f->fd, offset + (off_t)at, piece);
        if (pages < 0)
            return -1;
        resident += pages;
        all += pages_of(offset + (off_t)at, piece);
    }
    return (int)(resident * 1000 / all);
}
