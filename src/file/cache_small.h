/* cache_small.h - small_file_cache: small hot files in memory where no open_file_cache is. Used by
 * cache.c.
 *
 * Nothing from here is older than the file system's answer at that moment: each lookup asks it for
 * the path's inode, size and times. No descriptor is held. */
#ifndef FILE_CACHE_SMALL_H
#define FILE_CACHE_SMALL_H

#include "cache_private.h"

/* As file_open_cached(), for a request with its key, whose options say content_most: from memory,
 * if the file is there and still the same. Its file may be without descriptor then. */
int small_find(struct file_cache *fc, const struct cache_request *q, struct file **out);
void small_free(struct small_files *s); /* NULL is legal */

#endif
