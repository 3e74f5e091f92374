/* shared_table.h - cells of one size found by a digest, oldest use known: in memory that processes
 * share, so without pointers. Several cells may have one key. Whoever calls holds the lock of that
 * memory. */
#ifndef BASE_SHARED_TABLE_H
#define BASE_SHARED_TABLE_H

#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARED_CELL_SPACE = 16 }; /* bytes of a cell that are its user's */

struct shared_cell {
    struct siphash key;
    uint32_t next; /* in its bucket, or among those that are free; indexes, 0: none */
    uint32_t newer, older;
    union {
        char bytes[SHARED_CELL_SPACE];
        uint64_t align;
    } space;
};

struct shared_table {
    uint32_t cells, buckets; /* buckets: a power of two */
    uint32_t count;          /* cells in use */
    uint32_t free;           /* that were given back; those from `fresh` on were never used */
    uint32_t fresh;
    uint32_t newest, oldest;
};

/* Makes an empty table of `t` (aligned to 8) and what lies behind it, which holds as many cells as
 * `size` bytes have room for, *t included. False: not even one. */
bool shared_table_init(struct shared_table *t, size_t size);

struct shared_cell *shared_table_find(struct shared_table *t, const struct siphash *key);   /* NULL: none */
struct shared_cell *shared_table_next(struct shared_table *t, const struct shared_cell *c); /* with the same key */

/* A cell with its space zeroed, the newest. NULL: all are in use. */
struct shared_cell *shared_table_add(struct shared_table *t, const struct siphash *key);
void shared_table_remove(struct shared_table *t, struct shared_cell *c);
void shared_table_touch(struct shared_table *t, struct shared_cell *c); /* the newest now */
struct shared_cell *shared_table_oldest(struct shared_table *t);        /* NULL: empty */
struct shared_cell *shared_table_newer(struct shared_table *t, const struct shared_cell *c);

/* Stable names for cells, valid as long as the table is not made anew. */
uint32_t shared_table_index(struct shared_table *t, const struct shared_cell *c);
struct shared_cell *shared_table_at(struct shared_table *t, uint32_t index);

#endif
