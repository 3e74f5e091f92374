/* codec_bag.h - memory of a context that cannot begin again (brotli's): its blocks serve the next
 * one with the same options. For codec_brotli.c. */
#ifndef IO_CODEC_BAG_H
#define IO_CODEC_BAG_H

#include <stddef.h>

struct codec_bag {
    struct codec_block *kept;
    size_t bytes; /* of kept */
};

/* Their `arg` is the bag. NULL: no memory. Blocks begin with what was in them. */
void *codec_bag_alloc(void *arg, size_t size);
void codec_bag_free(void *arg, void *bytes); /* NULL is legal */

/* All blocks were given back. */
void codec_bag_empty(struct codec_bag *bag);

#endif
