/* geo_table.h - ranges of addresses to values: added in any order, nested ones inside wider ones,
 * then flattened into one sorted array that is searched by halves. Pure; used by geo.c.
 * https://nginx.org/en/docs/http/ngx_http_geo_module.html */
#ifndef HTTP_VARIABLE_GEO_TABLE_H
#define HTTP_VARIABLE_GEO_TABLE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* An address as a number: IPv4 in `low` alone. */
struct geo_key {
    uint64_t high, low;
};

struct geo_range {
    struct geo_key from, to; /* both inside */
    struct text value;       /* absent: deleted */
    unsigned order;
    bool cut; /* it was wider: geo_table_cut() */
};

struct geo_point {
    struct geo_key from; /* up to the next point */
    struct text value;
};

struct geo_table {
    struct geo_range *ranges; /* while it is read; on the heap */
    size_t count, room;
    struct geo_point *points;
    size_t point_count;
};

static inline int geo_compare(struct geo_key a, struct geo_key b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}

/* The value's bytes must stay. 0 or -ENOMEM. */
int geo_table_add(struct geo_table *t, struct geo_key from, struct geo_key to, struct text value);

/* Takes exactly this range away; false: there is none. */
bool geo_table_delete(struct geo_table *t, struct geo_key from, struct geo_key to);

/* Takes these addresses out of all ranges that were added so far, which may leave parts of them. 0;
 * -ENOENT: none had any; -ENOMEM. */
int geo_table_cut(struct geo_table *t, struct geo_key from, struct geo_key to);

/* What geo_table_flatten() met: the text stays until the next call. */
typedef void geo_duplicate_fn(void *arg, const struct geo_range *kept, const struct geo_range *dropped);

/* Makes it ready to be searched and frees what was added. Of equal ranges the last one counts. 0;
 * -ENOMEM; -EINVAL: two ranges overlap, and neither is inside the other: *wrong is the later
 * one. */
int geo_table_flatten(struct geo_table *t, struct text dflt, struct arena *arena, geo_duplicate_fn *duplicate,
                      void *arg, struct geo_range *wrong);

struct text geo_table_find(const struct geo_table *t, struct geo_key key);

/* Frees what was added and is not flattened. */
void geo_table_fini(struct geo_table *t);

#endif
