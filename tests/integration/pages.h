/* pages.h - what of a file is in the page cache, and how to get it out of there. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* Linux 6.14 */
#endif

size_t pages_resident(const char *path);       /* as fincore(1) counts them */
size_t pages_brought_in(const char *path);     /* those, and what the kernel has taken out again since */
void pages_hold(const char *path, size_t len); /* reads the beginning, and locks it until this process ends */
bool pages_evict(const char *path);            /* written back and dropped; false: not here (tmpfs, FUSE ...) */
bool pages_can_be_uncached(const char *path);  /* RWF_DONTCACHE: the kernel and this filesystem have it */

#endif
