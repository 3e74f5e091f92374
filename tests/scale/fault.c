/* fault.c - LD_PRELOAD: a disk that fails on order. While the first byte of the file in SCALE_FAULT is
 * not 0, nothing is in the page cache, and reads of files give EIO. What was found there before is
 * sent from there: sendfile() works. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static const volatile char *order = "";

__attribute__((constructor)) static void map_order(void)
{
    const char *path = getenv("SCALE_FAULT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = fd >= 0 ? mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0)
        close(fd);
    if (map != MAP_FAILED)
        order = map;
}

static int fails(void)
{
    if (*order)
        errno = EIO;
    return *order;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    return fails() ? -1 : REAL(pread)(fd, to, len, at);
}

ssize_t preadv2(int fd, const struct iovec *to, int count, off_t at, int flags)
{
    if (!fails())
        return REAL(preadv2)(fd, to, count, at, flags);
    if (flags & RWF_NOWAIT)
        errno = EAGAIN;
    return -1;
}
