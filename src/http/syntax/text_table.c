/* text_table.c - a hash table of texts. Used by route.c (names, exact locations) and map.c. See
 * text_table.h. */
#include "http/syntax/text_table.h"

#include <errno.h>
#include <stdint.h>

enum { FIRST_SLOTS = 8 };

struct text_table_entry {
    struct text_table_entry *next;
    struct text key;
    const void *value;
};

static uint32_t hash_of(struct text t)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < t.len; i++)
        h = (h ^ (unsigned char)t.at[i]) * 16777619U;
    return h;
}

/* Twice the slots; the old ones stay in the arena. */
static bool grow(struct text_table *t, struct arena *arena)
{
    size_t slots = t->slots ? 2 * (t->mask + 1) : FIRST_SLOTS;
    struct text_table_entry **more = arena_zalloc(arena, slots * sizeof *more);

    if (!more)
        return false;
    for (size_t i = 0; t->slots && i <= t->mask; i++)
        for (struct text_table_entry *e = t->slots[i], *next; e; e = next) {
            struct text_table_entry **slot = &more[hash_of(e->key) & (slots - 1)];
            next = e->next;
            e->next = *slot;
            *slot = e;
        }
    t->slots = more;
    t->mask = slots - 1;
    return true;
}

const void *text_table_search(const struct text_table *t, struct text key)
{
    for (const struct text_table_entry *e = t->slots[hash_of(key) & t->mask]; e; e = e->next)
        if (text_equal(e->key, key))
            return e->value;
    return NULL;
}

int text_table_add(struct text_table *t, struct text key, const void *value, struct arena *arena)
{
    if (text_table_find(t, key))
        return -EEXIST;
    struct text_table_entry *e = arena_alloc(arena, sizeof *e);
    if (!e || ((!t->slots || t->count > t->mask) && !grow(t, arena)))
        return -ENOMEM;
    struct text_table_entry **slot = &t->slots[hash_of(key) & t->mask];
    *e = (struct text_table_entry){*slot, key, value};
    *slot = e;
    t->count++;
    return 0;
}

/* Labels are taken off the front. */
const void *text_table_leading(const struct text_table *leading, struct text host)
{
    for (size_t i = 1; leading->slots && i < host.len; i++) {
        if (host.at[i] != '.')
            continue;
        const void *value = text_table_search(leading, text_from(host, i + 1));
        if (value)
            return value;
    }
    return NULL;
}

const void *text_table_trailing(const struct text_table *trailing, struct text host)
{
    for (size_t i = host.len; trailing->slots && i-- > 0;) {
        if (host.at[i] != '.')
            continue;
        const void *value = text_table_search(trailing, (struct text){host.at, i});
        if (value)
            return value;
    }
    return NULL;
}
