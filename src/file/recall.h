/* recall.h - what a thread has found out of a file's content, for the next open of the same file: where
 * no cache keeps it, an attribute or a sidecar is looked for once, not with each request. Used by
 * cache.c and cache_open.c. One per worker; bounded, the latest one of a slot stays. */
#ifndef FILE_RECALL_H
#define FILE_RECALL_H

#include "file/identity.h"

struct recall;

/* Completes f->identity, which is pending, by what was found lately for the same inode with the same
 * size and times. False: nothing was. `r` NULL is legal. */
bool recall_find(const struct recall *r, struct file *f, const struct open_options *options);

/* f->identity is complete. Made at its first use; without memory nothing is kept. */
void recall_keep(struct recall **r, const struct file *f, const struct open_options *options);
void recall_free(struct recall *r);

#endif
