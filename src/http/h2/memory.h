/* memory.h - the memory of nghttp2's small objects: streams, frames, fields. */
#ifndef HTTP_H2_MEMORY_H
#define HTTP_H2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>

enum {
    H2_MEMORY_STEP = 64,          /* bytes: blocks are as large as a multiple of this */
    H2_MEMORY_SIZES = 8,          /* of blocks that are kept: larger ones are the heap's */
    H2_MEMORY_KEPT = 1024 * 1024, /* bytes of free blocks, at most */
};

struct h2_block;

/* Free blocks of each size, for the next object. Of a worker. Embedded. */
struct h2_memory {
    struct h2_block *free[H2_MEMORY_SIZES];
    size_t kept; /* bytes of them */
    nghttp2_mem functions;
};

void h2_memory_init(struct h2_memory *m);
void h2_memory_fini(struct h2_memory *m); /* all objects have been freed */

#endif
