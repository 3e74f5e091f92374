/* text_table.h - texts to values: a hash table that is filled when the configuration is read. Keys
 * are the configuration's, so nobody chooses them to collide. */
#ifndef HTTP_SYNTAX_TEXT_TABLE_H
#define HTTP_SYNTAX_TEXT_TABLE_H

#include "base/arena.h"

struct text_table_entry;

struct text_table {
    struct text_table_entry **slots; /* NULL: empty */
    size_t mask;                     /* slots - 1 */
    size_t count;
};

/* A zeroed table is an empty one. */

/* 0, -EEXIST or -ENOMEM. */
int text_table_add(struct text_table *t, struct text key, const void *value, struct arena *arena);
const void *text_table_search(const struct text_table *t, struct text key);

static inline const void *text_table_find(const struct text_table *t, struct text key)
{
    return t->slots ? text_table_search(t, key) : NULL;
}

/* Host names: "*.example.org" is under its key "example.org" in `leading`, "www.example.*" under
 * "www.example" in `trailing`. The longest fits. */
const void *text_table_leading(const struct text_table *leading, struct text host);
const void *text_table_trailing(const struct text_table *trailing, struct text host);

#endif
