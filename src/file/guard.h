/* guard.h - opening a path that may not lead out of a root, or not through symbolic links. Used by
 * open.c. */
#ifndef FILE_GUARD_H
#define FILE_GUARD_H

#include "file/open.h"

/* The descriptor, or -errno: -EACCES where the path leads out of the root, -ELOOP (at its end) or
 * -ENOTDIR (before) where a link was not to be followed. `resolve`:
 * RESOLVE_CACHED or 0; with it -EAGAIN when the answer needs a disk. `options` must be guarded. */
int guard_open(const char *path, const struct open_options *options, int flags, unsigned resolve);

/* openat2(2) or, without a reason for it, open(2). The descriptor, or -errno. */
int guard_openat(int at, const char *path, int flags, unsigned resolve);

#endif
