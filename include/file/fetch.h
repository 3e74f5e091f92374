/* fetch.h - brings a part of a file into the page cache, and waits until it is there. */
#ifndef FILE_FETCH_H
#define FILE_FETCH_H

#include <stddef.h>
#include <sys/types.h>

/* Bytes from `offset` on that are there, fewer than `len` where the file ends, or -errno. Blocks; any
 * thread. */
ssize_t file_fetch(int fd, off_t offset, size_t len);

#endif
