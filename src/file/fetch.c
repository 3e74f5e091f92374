/* fetch.c - to /dev/null by sendfile: the kernel reads ahead as it does for sendfile to a socket (in
 * large folios; readahead(2) fills single pages at three times the price), waits until the pages
 * are there, and copies nothing. Called on pool threads by cache_open.c and io/disk_threads.c. */
#include "file/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

/* Opened once for all, and never closed. -1: it cannot be had. */
static int null_device(void)
{
    static atomic_int known = -1;

    int fd = atomic_load_explicit(&known, memory_order_acquire);
    if (fd >= 0)
        return fd;
    int opened = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (opened < 0 || atomic_compare_exchange_strong(&known, &fd, opened))
        return opened;
    close(opened); /* another thread was faster */
    return fd;
}

/* Where splicing from the file is refused, reading does the same at the price of a copy. */
static ssize_t fetch_by_reading(int fd, off_t offset, size_t len, size_t got)
{
    char bytes[PIECE];

    while (got < len) {
        size_t piece = len - got < sizeof bytes ? len - got : sizeof bytes;
        ssize_t n = pread(fd, bytes, piece, offset + (off_t)got);
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

ssize_t file_fetch(int fd, off_t offset, size_t len)
{
    off_t at = offset, end = offset + (off_t)len;
    int null = null_device();

    while (null >= 0 && at < end) {
        ssize_t n = sendfile(null, fd, &at, (size_t)(end - at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
    }
    return at == end ? (ssize_t)len : fetch_by_reading(fd, offset, len, (size_t)(at - offset));
}
