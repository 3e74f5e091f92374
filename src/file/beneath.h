/* beneath.h - RESOLVE_BENEATH by hand, where openat2(2) cannot be had. Used by guard.c. */
#ifndef FILE_BENEATH_H
#define FILE_BENEATH_H

#include <stdbool.h>

/* Opens `path`, relative, from the directory `root` (which stays open) without leaving it.
 * `refuse`: links are not followed at all. Blocks. The descriptor, or -errno: -EXDEV where the
 * path, or a link in it, leads out or is absolute; with `refuse` -ELOOP for a link at the end,
 * -ENOTDIR for one before; -EAGAIN where it changed meanwhile. */
int beneath_open(int root, const char *path, int flags, bool refuse);

#endif
