/* tune_file.c - the temporary file of `sluice tune`, and what is known of the filesystem it lies
 * on.
 *
 * The file never has a name that stays: where the filesystem cannot make a nameless one, it is
 * unlinked at once with all signals held back. So it goes with the process, however that ends. */
#include "server/tune/tune_private.h"

#include "file/open.h"
#include "io/room.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    LEAST = 4 * TUNE_BLOCK,
    PART_OF_FREE = 10,
    PIECE = 1024 * 1024,
    WRITTEN_BACK = 8 * PIECE, /* so much may be dirty: what is written takes the time it takes */
    PATH_MOST = 4096
};

static int fail(struct tune *t, int error, const char *doing)
{
    snprintf(t->error, sizeof t->error, "cannot %s in \"%s\": %s", doing, t->results->dir, strerror(error));
    return -1;
}

static int make_and_unlink(const char *dir)
{
    char path[PATH_MOST];
    sigset_t all, before;
    int n = snprintf(path, sizeof path, "%s/.sluice-tune-XXXXXX", dir);

    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fd = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (fd >= 0)
        unlink(path);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return fd;
}

static int make_nameless(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    return make_and_unlink(dir);
}

/* Bytes that the file may take, a multiple of TUNE_BLOCK; 0 with t->error. */
static uint64_t room(struct tune *t, uint64_t most)
{
    struct statvfs fs;

    if (statvfs(t->results->dir, &fs) < 0) {
        fail(t, errno, "ask for the free space");
        return 0;
    }
    if (fs.f_flag & ST_RDONLY) {
        fail(t, EROFS, "make a temporary file");
        return 0;
    }
    if (fs.f_blocks == 0) /* it does not tell, as ramfs does not */
        return LEAST;
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t may = free_bytes / PART_OF_FREE;
    if (may > most)
        may = most;
    if (may >= LEAST)
        return may - may % TUNE_BLOCK;
    snprintf(t->error, sizeof t->error,
             "\"%s\" has %llu MiB of free space; measuring takes a tenth of it, and at least %d MiB", t->results->dir,
             (unsigned long long)(free_bytes >> 20), LEAST >> 20);
    return 0;
}

/* Bytes that no filesystem can make smaller; different in each piece, for those that keep equal
 * blocks once. */
static void scramble(uint64_t *words, size_t count, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        words[i] = x;
    }
}

static ssize_t write_all(int fd, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, bytes + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += (size_t)n;
    }
    return (ssize_t)len;
}

/* As much of `size` as the time and the room allow; the bytes written, or -1. */
static int64_t fill(struct tune *t, int fd, uint64_t size, double until)
{
    uint64_t *piece = malloc(PIECE), at = 0;

    if (!piece) {
        errno = ENOMEM;
        return -1;
    }
    for (; at < size && (at < LEAST || tune_now() < until); at += PIECE) {
        scramble(piece, PIECE / sizeof *piece, at / PIECE + 1);
        if (write_all(fd, (const char *)piece, PIECE) < 0)
            break;
        if ((at + PIECE) % WRITTEN_BACK == 0) {
            (void)fdatasync(fd);
            tune_progress_at(&t->progress, "writing the temporary file");
        }
    }
    int error = errno;
    free(piece);
    errno = error;
    if (at < LEAST)
        return -1;
    at -= at % TUNE_BLOCK;
    return ftruncate(fd, (off_t)at) < 0 || fdatasync(fd) < 0 ? -1 : (int64_t)at;
}

int tune_file_make(struct tune *t, uint64_t most, double until)
{
    char link[32];
    uint64_t size = room(t, most);

    if (size == 0)
        return -1;
    int fd = make_nameless(t->results->dir);
    if (fd < 0)
        return fail(t, errno, "make a temporary file");
    int64_t written = fill(t, fd, size, until);
    if (written < 0) {
        int error = errno;
        close(fd);
        return fail(t, error, "write the temporary file");
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int rc = file_open(&t->file, link, NULL);
    close(fd);
    if (rc < 0)
        return fail(t, -rc, "reopen the temporary file (is /proc mounted?)");
    t->results->file_bytes = (uint64_t)written;
    return 0;
}

void tune_file_forget_pages(const struct file *f)
{
    (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* A line of mountinfo (proc(5)): id, parent, device, root, mount point, options, fields ended by
 * "-", filesystem type. */
static bool take_type(const char *line, uint64_t id, char *out, size_t size)
{
    char *after;
    const char *dash = strstr(line, " - ");

    if (strtoull(line, &after, 10) != id || after == line || !dash)
        return false;
    dash += 3;
    snprintf(out, size, "%.*s", (int)strcspn(dash, " \n"), dash);
    return true;
}

void tune_filesystem_name(const char *dir, char *out, size_t size)
{
    char *line = NULL;
    size_t cap = 0;
    struct statx st;

    out[0] = '\0';
    if (statx(AT_FDCWD, dir, 0, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
        return;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return;
    while (getline(&line, &cap, mounts) > 0) {
        if (take_type(line, st.stx_mnt_id, out, size))
            break;
    }
    free(line);
    fclose(mounts);
}

uint64_t tune_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t limit = room_limit("");
    uint64_t all = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;

    return all < limit ? all : limit;
}
