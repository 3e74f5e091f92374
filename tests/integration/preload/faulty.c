/* faulty.c - LD_PRELOAD: calls of the C library that fail on order. See ../faulty.h.
 *
 * The allocator's calls go to glibc's own names, since dlsym() allocates itself. */
#include "../faulty.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *at);

static struct faulty *control;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv(FAULTY_ENV);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        control = map;
}

static bool obeys(void)
{
    return control && atomic_load(&control->pid) != 0 && atomic_load(&control->pid) == getpid();
}

/* 0, or what this call is to answer. */
static int verdict(enum faulty_call call)
{
    if (!obeys() || atomic_load(&control->call) != (int)call)
        return 0;
    long n = atomic_fetch_add(&control->seen, 1) - atomic_load(&control->skip);
    if (n < 0 || n >= atomic_load(&control->most))
        return 0;
    atomic_fetch_add(&control->dealt, 1);
    return atomic_load(&control->error);
}

/* True: the caller is to return -1. Shortens *len where that is the order. */
static bool fails(enum faulty_call call, size_t *len)
{
    int error = verdict(call);
    if (error == FAULTY_SHORT) {
        if (len)
            *len = (*len + 1) / 2;
        return false;
    }
    if (error)
        errno = error;
    return error != 0;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* ---- memory ---- */

static void *counted(void *at)
{
    if (at && obeys())
        atomic_fetch_add(&control->blocks, 1);
    return at;
}

void *malloc(size_t size)
{
    return fails(FAULTY_ALLOC, NULL) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(FAULTY_ALLOC, NULL) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *at, size_t size)
{
    if (fails(FAULTY_ALLOC, NULL))
        return NULL;
    void *moved = __libc_realloc(at, size);
    return at ? moved : counted(moved);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    if (fails(FAULTY_ALLOC, NULL))
        return ENOMEM;
    *out = counted(__libc_memalign(align, size));
    return *out ? 0 : ENOMEM;
}

void free(void *at)
{
    if (at && obeys())
        atomic_fetch_sub(&control->blocks, 1);
    __libc_free(at);
}

/* ---- files ---- */

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fails(FAULTY_MMAP, NULL))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (fails(FAULTY_OPEN, NULL))
        return -1;
    return REAL(open)(path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (fails(FAULTY_OPEN, NULL))
        return -1;
    return REAL(openat)(at, path, flags, mode);
}

int __openat_2(int at, const char *path, int flags);
int __openat_2(int at, const char *path, int flags)
{
    return openat(at, path, flags, 0);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open(path, flags, 0);
}

/* Six arguments, however many there are: as the C library's own. */
long syscall(long number, ...)
{
    long a[6];
    va_list ap;
    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (number == SYS_openat2 && fails(FAULTY_OPEN, NULL))
        return -1;
    static long (*real)(long, ...);
    if (!real)
        real = REAL(syscall);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int fstat(int fd, struct stat *st)
{
    return fails(FAULTY_STAT, NULL) ? -1 : REAL(fstat)(fd, st);
}

int statx(int at, const char *path, int flags, unsigned mask, struct statx *st)
{
    return fails(FAULTY_STAT, NULL) ? -1 : REAL(statx)(at, path, flags, mask, st);
}

DIR *opendir(const char *path)
{
    return fails(FAULTY_OPENDIR, NULL) ? NULL : REAL(opendir)(path);
}

DIR *fdopendir(int fd)
{
    return fails(FAULTY_OPENDIR, NULL) ? NULL : REAL(fdopendir)(fd);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    return fails(FAULTY_PREAD, &len) ? -1 : REAL(pread)(fd, to, len, at);
}

ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t at, int flags)
{
    struct iovec first = count > 0 ? iov[0] : (struct iovec){0};
    if (count != 1)
        return REAL(preadv2)(fd, iov, count, at, flags);
    return fails(FAULTY_PREAD, &first.iov_len) ? -1 : REAL(preadv2)(fd, &first, 1, at, flags);
}

/* ---- sockets ---- */

ssize_t sendfile(int to, int from, off_t *at, size_t len)
{
    return fails(FAULTY_SENDFILE, &len) ? -1 : REAL(sendfile)(to, from, at, len);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return fails(FAULTY_SEND, &len) ? -1 : REAL(send)(fd, bytes, len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct msghdr shorter = *msg;
    struct iovec first = msg->msg_iovlen ? msg->msg_iov[0] : (struct iovec){0};
    size_t len = first.iov_len;
    if (fails(FAULTY_SEND, &len))
        return -1;
    if (len == first.iov_len)
        return REAL(sendmsg)(fd, msg, flags);
    first.iov_len = len;
    shorter.msg_iov = &first;
    shorter.msg_iovlen = 1;
    return REAL(sendmsg)(fd, &shorter, flags);
}

static void do_errand(struct errand *e)
{
    long a[6];

    if (!atomic_exchange(&e->wanted, false))
        return;
    for (int i = 0; i < 6; i++)
        a[i] = e->args[i] == ERRAND_PATH ? (long)e->path : e->args[i];
    long rc = syscall(e->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    e->result = rc < 0 ? -errno : rc;
    atomic_store(&e->done, true);
}

ssize_t recv(int fd, void *to, size_t len, int flags)
{
    if (obeys())
        do_errand(&control->errand);
    int error = verdict(FAULTY_RECV);
    if (error == FAULTY_ENDLESS) {
        memset(to, 'x', len);
        return (ssize_t)len;
    }
    if (error > 0)
        errno = error;
    return error > 0 ? -1 : REAL(recv)(fd, to, len, flags);
}

int accept4(int fd, struct sockaddr *peer, socklen_t *len, int flags)
{
    return fails(FAULTY_ACCEPT, NULL) ? -1 : REAL(accept4)(fd, peer, len, flags);
}

int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    return fails(FAULTY_WATCH, NULL) ? -1 : REAL(epoll_ctl)(epoll, what, fd, event);
}
