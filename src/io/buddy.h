/* buddy.h - 2 MiB of memory cut into power-of-two pieces of whole pages. Used by bufpool.c. */
#ifndef IO_BUDDY_H
#define IO_BUDDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUDDY_PAGE = 4096,
    BUDDY_ORDERS = 9, /* the largest piece is everything: a page times 2 to this */
    BUDDY_PAGES = 1 << BUDDY_ORDERS,
    BUDDY_SIZE = BUDDY_PAGES * BUDDY_PAGE
};

struct buddy {
    char *base;                       /* aligned to BUDDY_SIZE */
    uint8_t largest[2 * BUDDY_PAGES]; /* a heap-shaped tree: 1 + order of the largest free piece below, 0: none */
};

int buddy_open(struct buddy *b); /* maps the memory, as one huge page where the kernel agrees; 0 or -errno */
void buddy_close(struct buddy *b);
void *buddy_take(struct buddy *b, unsigned order); /* NULL: no such piece */
void buddy_give(struct buddy *b, void *piece, unsigned order);
bool buddy_is_whole(const struct buddy *b); /* nothing is taken */

#endif
