/* open.h - path to struct file: without blocking when the kernel has the path cached, else on a
 * pool thread. openat2(2), statx(2). */
#ifndef FILE_OPEN_H
#define FILE_OPEN_H

#include "base/threads.h"
#include "file/file.h"

#include <sys/stat.h>

struct identity_conf; /* identity.h */

enum symlinks { SYMLINKS_FOLLOW, SYMLINKS_REFUSE, SYMLINKS_IF_OWNER /* link and target belong to the same user */ };

struct open_options {
    bool beneath;           /* the path may not lead out of its first `root_len` bytes, nor through magic links */
    enum symlinks symlinks; /* what to do about links behind the first `trusted` bytes of the path */
    size_t root_len, trusted;
    size_t content_most; /* a file of up to this size may come without descriptor, with its content: cache.h */
    size_t fetch_most;   /* an open that has to wait begins to fetch the content of a file of up to this size */
    bool fetch_waits;    /* and waits until it is in the page cache */
    const struct identity_conf *identity; /* where to look for a digest of its content; NULL: nowhere */
    size_t identity_from;                 /* where its name below the root begins in the path: what manifests have */
    bool read_ahead; /* posix_fadvise(POSIX_FADV_SEQUENTIAL) on files over 128 KiB (nginx's read_ahead) */
};

static inline bool open_guarded(const struct open_options *o)
{
    return o && (o->beneath || o->symlinks != SYMLINKS_FOLLOW);
}

/* Whether the kernel keeps paths beneath a root (openat2, Linux 5.6); without it, they are walked
 * name by name. */
bool file_guard_works(void);

/* Opens and stats; a directory or other kind gets a struct file without descriptor. Blocks. 0 or
 * -errno. FIFOs and devices do not hang it (O_NONBLOCK, and no read). One reference for the caller.
 * A path that leads out of its root is -EACCES, a link that is not followed -ELOOP, or -ENOTDIR in
 * the place of a folder; a file that stays locked by a lease -EBUSY; never -EAGAIN. */
int file_open(struct file **out, const char *path, const struct open_options *options);

/* A directory for reading its entries; blocks. The descriptor, or -errno as above. */
int file_open_directory(const char *path, const struct open_options *options);

/* Whatever is there, for reading, without what a struct file knows of it; blocks. The descriptor,
 * or -errno as above. */
int file_open_descriptor(const char *path, const struct open_options *options);

/* What `path` is, as file_open() would find it, without opening it for reading; blocks. 0 or
 * -errno. */
int file_stat(const char *path, const struct open_options *options, struct stat *st);

/* The same if it can be had without waiting for a disk; -EAGAIN: it cannot. Without RESOLVE_CACHED
 * it is file_stat(). */
int file_stat_cached(const char *path, const struct open_options *options, struct stat *st);

/* Of a path that was asked about before, at `asked_msec` of clock_now: file_stat() where that was so
 * lately that the kernel has the name in memory still, else file_stat_cached(). */
int file_stat_again(const char *path, const struct open_options *options, int64_t asked_msec, struct stat *st);

/* The same as file_open() if it can be had without waiting for a disk (openat2 with RESOLVE_CACHED,
 * Linux 5.12); -EAGAIN: it cannot. On kernels without it, it is file_open(). */
int file_open_cached(struct file **out, const char *path, const struct open_options *options);
bool file_cached_works(void); /* RESOLVE_CACHED can be had */

/* Makes f->direct_fd: f->fd itself is given O_DIRECT where nobody will read by it in another way
 * (`sole`), else the file is opened once more (through /proc/self/fd, so that it is the same inode). Finds the
 * alignments: statx STATX_DIOALIGN (and STATX_DIO_READ_ALIGN), else `fallback_align`.
 * May block briefly; cached after the first call. 0; -EINVAL where the filesystem refuses O_DIRECT;
 * -EOPNOTSUPP where the kernel says that this one file has none (encrypted, compressed); other
 * -errno: no descriptor left and the like. */
int file_direct(struct file *f, unsigned fallback_align, bool sole);

/* f->fd reads through the page cache again, whatever file_direct() did to it; so may f->direct_fd
 * then. */
void file_plain(struct file *f);

/* Opens f->exact_fd: through the page cache, but reading there what is asked for and no more. With
 * RWF_DONTCACHE, what was read ahead and never asked for would stay. Cached after the first call. 0
 * or -errno. */
int file_exact(struct file *f);

/* What changes when somebody writes into a file. */
struct file_stamp {
    off_t size;
    struct timespec mtime;
};

/* Its descriptor says the same of size and both times as when it was opened. Without descriptor:
 * what is in memory is all of it. */
bool file_unchanged(const struct file *f);

int file_stamp(const struct file *f, struct file_stamp *out); /* as it is now; 0 or -errno */

/* Since `then`, somebody wrote into it and it is no longer than it was: bytes that were read before
 * and after need not belong together. A file that has grown counts as appended to (a log that is
 * being written): its first bytes are taken to be what they were. False where it cannot be
 * asked. */
bool file_rewritten(const struct file *f, const struct file_stamp *then);

#endif
