/* file.h - an opened, counted file: descriptors, stat, validators. What the cache hands out and
 * sources read from. open(2), fstat(2). */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct file_identity; /* identity.h */

enum file_kind { FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER /* FIFO, device, socket: never read from */ };

struct file {
    unsigned refs;
    enum file_kind kind;
    mode_t mode;         /* st_mode */
    int fd;              /* O_RDONLY|O_NONBLOCK|O_CLOEXEC; -1 unless FILE_REGULAR, or with content alone */
    int direct_fd;       /* O_DIRECT on the same inode, by file_direct(); may be `fd` itself; -1 */
    int spare_direct_fd; /* what file_direct() takes, where this process could not open it; -1 */
    int exact_fd;        /* without read-ahead, opened by file_exact(); -1 */
    off_t size;
    struct timespec mtime, ctime;
    dev_t dev;
    ino_t ino;
    unsigned align_memory, align_offset; /* for O_DIRECT, bytes, powers of two; 0 until file_direct() */
    bool answers_short;                  /* O_DIRECT reads may end early in the middle of the file: FUSE */
    bool hot;                            /* set by users: seen resident lately, at `hot_msec` of clock_now */
    int64_t hot_msec;
    char *content;      /* whole content when the cache keeps it in memory (size bytes), else NULL */
    bool content_young; /* read so soon after a change that another one may bear the same times */
    uint8_t etag_len;
    char etag[40]; /* "5f0-1a2b" with the quotes: mtime and size in hex, as nginx */
    char last_modified[CLOCK_HTTP_LEN + 1];
    char size_text[20]; /* decimal digits, no NUL */
    uint8_t size_len;
    struct file_identity *identity; /* part of the same memory; NULL: not asked for */
    char path[];                    /* as opened, NUL-terminated */
};

static inline struct file *file_acquire(struct file *f)
{
    f->refs++;
    return f;
}

void file_release(struct file *f); /* closes and frees at the last; NULL is legal */

/* Whether other content may come to bear the same times, seen at `now` of clock_now: the last change
 * is younger than the coarsest times that file systems keep; or the times are those of an image
 * (squashfs, EROFS, ISO 9660), which are made up when it is built, and whose next version is mounted
 * with the same numbers of device and inode. */
bool file_times_are_doubtful(struct timespec mtime, struct timespec ctime, int64_t now_sec);

#endif
