/* pages.c - mincore(2), cachestat(2), mlock(2), posix_fadvise(2) and preadv2(2). See pages.h.
 *
 * What is in the page cache may be gone a moment later: for want of memory, or because the kernel
 * takes out what was not used for a second (DAMON does where it is told to). A test may say "none
 * is there", but not "all is still there". */
#include "pages.h"
#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s", path);
    return fd;
}

size_t pages_resident(const char *path)
{
    int fd = open_file(path);
    struct stat st;
    ck_assert_int_eq(fstat(fd, &st), 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), len = (size_t)st.st_size, pages = (len + page - 1) / page, count = 0;
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    unsigned char *seen = malloc(pages);
    ck_assert_int_eq(mincore(map, len, seen), 0);
    for (size_t i = 0; i < pages; i++)
        count += seen[i] & 1;
    free(seen);
    munmap(map, len);
    close(fd);
    return count;
}

/* The kernel leaves a mark where it took a page out for its own reasons; pages_evict() leaves
 * none. */
size_t pages_brought_in(const char *path)
{
    struct {
        uint64_t offset, len;
    } all = {0, 0};
    struct {
        uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } counts;
    int fd = open_file(path);
    long rc = syscall(451 /* cachestat */, fd, &all, &counts, 0);
    close(fd);
    return rc == 0 ? counts.cached + counts.evicted : pages_resident(path);
}

/* Where it cannot be locked (so much, or under AddressSanitizer, whose mlock() does nothing), being
 * mapped has to do. */
void pages_hold(const char *path, size_t len)
{
    int fd = open_file(path);
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    madvise(map, len, MADV_RANDOM); /* nothing beyond it */
    for (size_t at = 0; at < len; at += 4096)
        (void)((volatile char *)map)[at];
    (void)mlock(map, len);
    close(fd);
}

bool pages_evict(const char *path)
{
    int fd = open_file(path);
    fsync(fd);
    /* Pages that wait in a CPU's batch stay for a moment. */
    for (int64_t end = now_msec() + scaled(300); pages_resident(path) > 0 && now_msec() < end; sleep_msec(5))
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return pages_resident(path) == 0;
}

bool pages_can_be_uncached(const char *path)
{
    int fd = open_file(path);
    char byte;
    struct iovec iov = {&byte, 1};
    bool can = preadv2(fd, &iov, 1, 0, RWF_DONTCACHE) == 1;
    close(fd);
    return can;
}
