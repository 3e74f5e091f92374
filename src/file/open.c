/* open.c - path to struct file, with what every response needs from it worked out once: stat,
 * validators, size as text. Called by cache.c, on the loop (RESOLVE_CACHED) or on a pool thread. */
#include "file/open.h"

#include "base/clock.h"
#include "base/number.h"
#include "file/elsewhere.h"
#include "file/identity.h"
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12 */
#endif
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U /* Linux 6.1 */
#endif
#define MOUNT_BIT      0x4000U  /* STATX_MNT_ID_UNIQUE, Linux 6.8 */
#define READ_ALIGN_BIT 0x20000U /* STATX_DIO_READ_ALIGN, Linux 6.14: newer than the headers we build with */

enum {
    OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_LARGEFILE,
    READ_AHEAD_LEAST = 128 * 1024, /* nginx's */
    OPEN_ATTEMPTS = 8,
    LATELY_MSEC = 5 * 1000,
    ALIGN_MOST = 1024 * 1024
};

_Static_assert(sizeof(off_t) == 8, "files past 2 GiB");

static int open_path(const char *path, const struct open_options *options, int flags, unsigned resolve)
{
    if (open_guarded(options))
        return guard_open(path, options, flags, resolve);
    return guard_openat(AT_FDCWD, path, flags, resolve);
}

/* For reading, also where Landlock keeps it from this process. `direct_fd`: as in elsewhere_open(),
 * else untouched. */
static int open_reading(const char *path, const struct open_options *options, int flags, unsigned resolve,
                        int *direct_fd)
{
    int fd = open_path(path, options, flags, resolve);

    if (fd != -EACCES || !elsewhere_can_open() || !elsewhere_refused(path, options))
        return fd;
    return resolve ? -EAGAIN : elsewhere_open(path, options, flags & O_DIRECTORY, direct_fd); /* which waits */
}

static void set_validators(struct file *f)
{
    size_t n = 0;

    f->etag[n++] = '"';
    n += number_format_hex(f->etag + n, (uint64_t)f->mtime.tv_sec);
    f->etag[n++] = '-';
    n += number_format_hex(f->etag + n, (uint64_t)f->size);
    f->etag[n++] = '"';
    f->etag[n] = '\0';
    f->etag_len = (uint8_t)n;
    clock_format_http(f->last_modified, f->mtime.tv_sec);
    f->size_len = (uint8_t)number_format(f->size_text, (uint64_t)f->size);
}

static enum file_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return FILE_REGULAR;
    return S_ISDIR(mode) ? FILE_DIRECTORY : FILE_OTHER;
}

/* Bytes of a struct file with its path, up to where another struct may follow. */
static size_t size_with_path(size_t len)
{
    enum { ALIGN = _Alignof(struct file_identity) };
    return (sizeof(struct file) + len + 1 + ALIGN - 1) / ALIGN * ALIGN;
}

static struct file *file_new(int fd, const struct stat *st, const char *path, bool identified)
{
    size_t len = strlen(path), size = size_with_path(len);
    struct file *f = calloc(1, size + (identified ? sizeof(struct file_identity) : 0));
    if (!f)
        return NULL;
    if (identified)
        f->identity = (struct file_identity *)(void *)((char *)f + size);
    memcpy(f->path, path, len);
    f->refs = 1;
    f->kind = kind_of(st->st_mode);
    f->mode = st->st_mode;
    f->fd = fd;
    f->direct_fd = f->exact_fd = f->spare_direct_fd = -1;
    f->size = st->st_size;
    f->mtime = st->st_mtim;
    f->ctime = st->st_ctim;
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    return f;
}

/* Takes over `fd`, and `direct_fd` (-1: there is none). */
static int describe(struct file **out, int fd, int direct_fd, const char *path, const struct open_options *options)
{
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    bool identified = options && options->identity && rc == 0 && S_ISREG(st.st_mode);
    struct file *f = rc == 0 ? file_new(fd, &st, path, identified) : NULL;
    if (!f) {
        close(fd);
        if (direct_fd >= 0)
            close(direct_fd);
        return rc < 0 ? rc : -ENOMEM;
    }
    f->spare_direct_fd = direct_fd;
    if (f->kind != FILE_REGULAR) {
        close(fd);
        f->fd = -1;
    } else {
        set_validators(f);
        if (identified)
            identity_look(f, options->identity, text_of(path + options->identity_from));
        if (options && options->read_ahead && f->size > READ_AHEAD_LEAST)
            (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    *out = f;
    return 0;
}

/* A socket, or a device without a driver, cannot be opened; what it is can still be said. */
static int open_special(const char *path, const struct open_options *options, unsigned resolve)
{
    return open_path(path, options, O_PATH | O_CLOEXEC, resolve);
}

static int open_once(struct file **out, const char *path, const struct open_options *options, unsigned resolve)
{
    int direct_fd = -1;
    int fd = open_reading(path, options, OPEN_FLAGS, resolve, &direct_fd);
    if (fd == -ENXIO || fd == -ENODEV)
        fd = open_special(path, options, resolve);
    return fd < 0 ? fd : describe(out, fd, direct_fd, path, options);
}

int file_open(struct file **out, const char *path, const struct open_options *options)
{
    struct timespec pause = {0, 1000 * 1000};

    /* EAGAIN: somebody's lease on the file is being broken, or a rename raced with RESOLVE_BENEATH.
     * Soon over. */
    for (int attempt = 1;; attempt++) {
        int rc = open_once(out, path, options, 0);
        if (rc != -EAGAIN || attempt == OPEN_ATTEMPTS)
            return rc == -EAGAIN ? -EBUSY : rc;
        nanosleep(&pause, NULL);
        pause.tv_nsec *= 2;
    }
}

int file_open_directory(const char *path, const struct open_options *options)
{
    return open_reading(path, options, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0, NULL);
}

int file_open_descriptor(const char *path, const struct open_options *options)
{
    return open_reading(path, options, OPEN_FLAGS, 0, NULL);
}

static int stat_path(const char *path, const struct open_options *options, unsigned resolve, struct stat *st)
{
    int fd = open_path(path, options, O_PATH | O_CLOEXEC, resolve);
    if (fd < 0)
        return fd;
    int rc = fstat(fd, st) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

int file_stat(const char *path, const struct open_options *options, struct stat *st)
{
    if (open_guarded(options))
        return stat_path(path, options, 0, st);
    return stat(path, st) < 0 ? -errno : 0;
}

/* Whether openat2 with RESOLVE_CACHED can be had: asked once, on a path that always can be
 * opened. */
bool file_cached_works(void)
{
    static atomic_int answer; /* 0: not asked, 1: yes, -1: no */

    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == 0) {
        int fd = open_path("/", NULL, O_PATH | O_CLOEXEC, RESOLVE_CACHED);
        if (fd >= 0)
            close(fd);
        known = fd >= 0 || fd == -EAGAIN ? 1 : -1;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known > 0;
}

int file_stat_cached(const char *path, const struct open_options *options, struct stat *st)
{
    return file_cached_works() ? stat_path(path, options, RESOLVE_CACHED, st) : file_stat(path, options, st);
}

int file_stat_again(const char *path, const struct open_options *options, int64_t asked_msec, struct stat *st)
{
    bool lately = clock_now.msec - asked_msec < LATELY_MSEC;

    return lately ? file_stat(path, options, st) : file_stat_cached(path, options, st);
}

int file_open_cached(struct file **out, const char *path, const struct open_options *options)
{
    if (!file_cached_works())
        return file_open(out, path, options);
    return open_once(out, path, options, RESOLVE_CACHED);
}

/* The same inode with a descriptor of its own. Without O_NONBLOCK: io_uring takes it to mean "fail
 * rather than wait" on some kernels. */
static int reopen(struct file *f, int flags)
{
    if (flags & O_DIRECT && f->spare_direct_fd >= 0) {
        int spare = f->spare_direct_fd;
        f->spare_direct_fd = -1;
        return spare;
    }
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", f->fd);
    int fd;
    do
        fd = open(link, O_RDONLY | O_CLOEXEC | O_LARGEFILE | flags);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0)
        return fd;
    return errno == ENOENT ? -EOPNOTSUPP : -errno; /* no /proc; the name may lead to another file by now */
}

static bool is_alignment(unsigned n)
{
    return n > 0 && n <= ALIGN_MOST && (n & (n - 1)) == 0;
}

/* 0, or -EOPNOTSUPP when the kernel says that this file has no direct I/O. Leaves *memory and
 * *offset where it does not say. *mount: a number that no other mount will ever have, or 0. */
static int ask_alignment(int fd, unsigned *memory, unsigned *offset, uint64_t *mount)
{
    union {
        struct statx named;
        struct {
            unsigned char before[0x90]; /* the layout is the kernel's ABI: include/uapi/linux/stat.h */
            uint64_t mount;
            uint32_t dio_mem_align, dio_offset_align;
            unsigned char between[0x14];
            uint32_t dio_read_offset_align;
        } raw;
        unsigned char all[256];
    } st;

    memset(&st, 0, sizeof st);
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_DIOALIGN | READ_ALIGN_BIT | MOUNT_BIT, &st.named) < 0)
        return 0;
    *mount = st.named.stx_mask & MOUNT_BIT ? st.raw.mount : 0;
    if (!(st.named.stx_mask & STATX_DIOALIGN))
        return 0;
    if (st.raw.dio_mem_align == 0 || st.raw.dio_offset_align == 0)
        return -EOPNOTSUPP;
    unsigned by_offset = st.raw.dio_offset_align;
    if ((st.named.stx_mask & READ_ALIGN_BIT) && st.raw.dio_read_offset_align)
        by_offset = st.raw.dio_read_offset_align;
    if (!is_alignment(st.raw.dio_mem_align) || !is_alignment(by_offset))
        return 0;
    *memory = st.raw.dio_mem_align;
    *offset = by_offset;
    return 0;
}

/* What is at a mount does not change: it is asked once. FUSE's daemon need not know statfs. */
static bool answers_short(int fd, uint64_t mount)
{
    enum { MOUNTS = 8 };
    static _Thread_local struct {
        uint64_t mount;
        bool answers_short;
    } known[MOUNTS];
    unsigned at = (unsigned)(mount % MOUNTS);

    if (mount && known[at].mount == mount)
        return known[at].answers_short;
    struct statfs fs;
    bool answer = fstatfs(fd, &fs) < 0 || fs.f_type == FUSE_SUPER_MAGIC;
    known[at].mount = mount;
    known[at].answers_short = answer;
    return answer;
}

/* Flags of a descriptor that others read by are left alone; FUSE's daemon has to agree at open. */
static int direct_descriptor(struct file *f, bool sole)
{
    if (!sole || f->refs > 1 || f->spare_direct_fd >= 0 || f->answers_short)
        return reopen(f, O_DIRECT);
    return fcntl(f->fd, F_SETFL, O_DIRECT | O_LARGEFILE) == 0 ? f->fd : -errno;
}

void file_plain(struct file *f)
{
    if (f->direct_fd >= 0 && f->direct_fd == f->fd)
        (void)fcntl(f->fd, F_SETFL, O_NONBLOCK | O_LARGEFILE);
}

int file_direct(struct file *f, unsigned fallback_align, bool sole)
{
    if (f->direct_fd >= 0)
        return 0;
    if (f->kind != FILE_REGULAR)
        return -EINVAL;

    unsigned memory = fallback_align, offset = fallback_align;
    uint64_t mount = 0;
    int rc = ask_alignment(f->fd, &memory, &offset, &mount);
    if (rc < 0)
        return rc;
    f->answers_short = answers_short(f->fd, mount);
    int fd = direct_descriptor(f, sole);
    if (fd < 0)
        return fd;
    f->align_memory = memory;
    f->align_offset = offset;
    f->direct_fd = fd;
    return 0;
}

int file_exact(struct file *f)
{
    if (f->exact_fd >= 0)
        return 0;
    if (f->kind != FILE_REGULAR)
        return -EINVAL;

    int fd = reopen(f, 0);
    if (fd < 0)
        return fd;
    int rc = posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    if (rc != 0) {
        close(fd);
        return -rc;
    }
    f->exact_fd = fd;
    return 0;
}

int file_stamp(const struct file *f, struct file_stamp *out)
{
    struct stat st;

    if (fstat(f->fd, &st) < 0)
        return -errno;
    *out = (struct file_stamp){st.st_size, st.st_mtim};
    return 0;
}

bool file_unchanged(const struct file *f)
{
    struct stat st;

    if (f->fd < 0)
        return f->content != NULL;
    return fstat(f->fd, &st) == 0 && st.st_size == f->size && clock_same(st.st_mtim, f->mtime) &&
           clock_same(st.st_ctim, f->ctime);
}

bool file_rewritten(const struct file *f, const struct file_stamp *then)
{
    struct file_stamp now = {0};

    if (file_stamp(f, &now) < 0 || now.size > then->size)
        return false;
    return now.size < then->size || !clock_same(now.mtime, then->mtime);
}
