/* open.h - path to struct file: without blocking when the kernel has the path cached, else on a pool thread. */
#ifndef FILE_OPEN_H
#define FILE_OPEN_H

#include "base/threads.h"
#include "file/file.h"

struct open_options {
    bool beneath; /* resolve beneath `root_fd` (openat2 RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS) */
    int root_fd;
    const char *root; /* the path that root_fd is; a prefix of `path` */
    bool read_ahead;  /* posix_fadvise(POSIX_FADV_SEQUENTIAL) on files over 128 KiB (nginx's read_ahead) */
};

/* Opens and stats; a directory or other kind gets a struct file without descriptor. Blocks. 0 or -errno. FIFOs and
 * devices do not hang it (O_NONBLOCK, and no read). One reference for the caller. A path that leads out of `root` is
 * -EACCES; a file that stays locked by a lease -EBUSY; never -EAGAIN. */
int file_open(struct file **out, const char *path, const struct open_options *options);

/* The same if it can be had without waiting for a disk (openat2 with RESOLVE_CACHED, Linux 5.12); -EAGAIN: it cannot.
 * On kernels without it, it is file_open(). */
int file_open_cached(struct file **out, const char *path, const struct open_options *options);

/* Opens f->direct_fd (through /proc/self/fd, so that it is the same inode; never by toggling flags) and finds the
 * alignments: statx STATX_DIOALIGN (and STATX_DIO_READ_ALIGN), else `fallback_align`. May block briefly; cached after
 * the first call. 0; -EINVAL where the filesystem refuses O_DIRECT; -EOPNOTSUPP where the kernel says that this one
 * file has none (encrypted, compressed); other -errno: no descriptor left and the like. */
int file_direct(struct file *f, unsigned fallback_align);

/* Opens f->exact_fd: through the page cache, but reading there what is asked for and no more. With RWF_DONTCACHE, what
 * was read ahead and never asked for would stay. Cached after the first call. 0 or -errno. */
int file_exact(struct file *f);

/* True when (size, mtime, inode) on the open descriptor still are what they were at open: nobody wrote into the file.
 * */
bool file_unchanged(const struct file *f);

#endif
