/* shared_table.c - see shared_table.h. In memory: the table, its buckets, its cells; cell 0 is not
 * there. */
#include "base/shared_table.h"

static uint32_t *buckets(struct shared_table *t)
{
    return (uint32_t *)(void *)(t + 1);
}

static struct shared_cell *cells(struct shared_table *t)
{
    size_t before = sizeof *t + t->buckets * sizeof(uint32_t);
    return (struct shared_cell *)(void *)((char *)t + ((before + 7) & ~(size_t)7));
}

struct shared_cell *shared_table_at(struct shared_table *t, uint32_t index)
{
    return index == 0 || index > t->cells ? NULL : cells(t) + (index - 1);
}

uint32_t shared_table_index(struct shared_table *t, const struct shared_cell *c)
{
    return (uint32_t)(c - cells(t)) + 1;
}

bool shared_table_init(struct shared_table *t, size_t size)
{
    enum { BUCKETS_MOST = 1 << 30 };

    if (size < sizeof *t + 2 * sizeof(uint32_t) + sizeof(struct shared_cell))
        return false;
    *t = (struct shared_table){.buckets = 2, .fresh = 1};
    /* About one for each cell, and never so many that they crowd the cells out. */
    while (t->buckets < BUCKETS_MOST &&
           2 * (size_t)t->buckets * (sizeof(uint32_t) + sizeof(struct shared_cell)) <= size)
        t->buckets *= 2;
    size_t room = (size - (size_t)((char *)cells(t) - (char *)t)) / sizeof(struct shared_cell);
    t->cells = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX - 1;
    memset(buckets(t), 0, t->buckets * sizeof(uint32_t));
    return true;
}

static uint32_t *bucket_of(struct shared_table *t, const struct siphash *key)
{
    return buckets(t) + (key->half[0] & (t->buckets - 1));
}

static struct shared_cell *look(struct shared_table *t, uint32_t at, const struct siphash *key)
{
    struct shared_cell *c;

    while ((c = shared_table_at(t, at)) && (c->key.half[0] != key->half[0] || c->key.half[1] != key->half[1]))
        at = c->next;
    return c;
}

struct shared_cell *shared_table_find(struct shared_table *t, const struct siphash *key)
{
    return look(t, *bucket_of(t, key), key);
}

struct shared_cell *shared_table_next(struct shared_table *t, const struct shared_cell *c)
{
    return look(t, c->next, &c->key);
}

/* ---- by age ---- */

static void unlink_age(struct shared_table *t, struct shared_cell *c)
{
    struct shared_cell *newer = shared_table_at(t, c->newer), *older = shared_table_at(t, c->older);

    *(newer ? &newer->older : &t->newest) = c->older;
    *(older ? &older->newer : &t->oldest) = c->newer;
}

static void link_newest(struct shared_table *t, struct shared_cell *c)
{
    uint32_t index = shared_table_index(t, c);
    struct shared_cell *before = shared_table_at(t, t->newest);

    c->newer = 0;
    c->older = t->newest;
    *(before ? &before->newer : &t->oldest) = index;
    t->newest = index;
}

void shared_table_touch(struct shared_table *t, struct shared_cell *c)
{
    if (c->newer == 0)
        return;
    unlink_age(t, c);
    link_newest(t, c);
}

struct shared_cell *shared_table_oldest(struct shared_table *t)
{
    return shared_table_at(t, t->oldest);
}

struct shared_cell *shared_table_newer(struct shared_table *t, const struct shared_cell *c)
{
    return shared_table_at(t, c->newer);
}

/* ---- coming and going ---- */

static struct shared_cell *take_free(struct shared_table *t)
{
    struct shared_cell *c = shared_table_at(t, t->free);

    if (c)
        t->free = c->next;
    else if (t->fresh <= t->cells)
        c = shared_table_at(t, t->fresh++);
    return c;
}

struct shared_cell *shared_table_add(struct shared_table *t, const struct siphash *key)
{
    uint32_t *bucket = bucket_of(t, key);
    struct shared_cell *c = take_free(t);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->key = *key;
    c->next = *bucket;
    *bucket = shared_table_index(t, c);
    link_newest(t, c);
    t->count++;
    return c;
}

void shared_table_remove(struct shared_table *t, struct shared_cell *c)
{
    uint32_t index = shared_table_index(t, c), *at = bucket_of(t, &c->key);

    while (*at != index)
        at = &shared_table_at(t, *at)->next;
    *at = c->next;
    unlink_age(t, c);
    c->next = t->free;
    t->free = index;
    t->count--;
}
