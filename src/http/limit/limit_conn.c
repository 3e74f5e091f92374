/* limit_conn.c - requests of one key that are being served at the same time. Called by limits.c.
 *
 * Each worker counts in cells of its own, so that what a worker that was killed had counted can be
 * told apart, and is forgotten; the count of a key is that of all its cells together. */
#include "http/limit/limits_private.h"

#include "base/clock.h"

/* The worker's part of a key's count. */
struct part {
    struct zone_tenant worker;
    uint32_t count; /* > 0 */
};

_Static_assert(sizeof(struct part) <= SHARED_CELL_SPACE, "a part fits into a cell");

/* One that the request has added. */
struct limit_held {
    struct limit_held *next;
    const struct limit_zone *zone;
    uint32_t cell, generation;
};

static struct part *part_in(struct shared_cell *c)
{
    return (struct part *)(void *)c->space.bytes;
}

/* The count of `key` over all workers that live; *own: this worker's cell, or NULL. */
static uint64_t count_of(const struct limit_zone *z, struct shared_table *t, const struct siphash *key,
                         struct shared_cell **own)
{
    struct zone_tenant self = zone_tenant(z->memory);
    uint64_t count = 0;

    *own = NULL;
    for (struct shared_cell *c = shared_table_find(t, key), *next; c; c = next) {
        const struct part *p = part_in(c);
        next = shared_table_next(t, c);
        if (!zone_tenant_lives(z->memory, p->worker)) {
            shared_table_remove(t, c);
            continue;
        }
        count += p->count;
        if (p->worker.index == self.index && p->worker.epoch == self.epoch)
            *own = c;
    }
    return count;
}

/* All that workers have left behind who are gone; at most once a second, since it looks at
 * everything in the zone. */
static void sweep(struct limit_zone *z, struct shared_table *t)
{
    if (z->swept_msec && clock_now.msec - z->swept_msec < 1000)
        return;
    z->swept_msec = clock_now.msec;
    for (struct shared_cell *c = shared_table_oldest(t), *newer; c; c = newer) {
        newer = shared_table_newer(t, c);
        if (!zone_tenant_lives(z->memory, part_in(c)->worker))
            shared_table_remove(t, c);
    }
}

static struct shared_cell *add_part(struct limit_zone *z, struct shared_table *t, const struct siphash *key)
{
    struct shared_cell *c = shared_table_add(t, key);

    if (!c) {
        sweep(z, t);
        c = shared_table_add(t, key);
    }
    if (c)
        part_in(c)->worker = zone_tenant(z->memory);
    return c;
}

enum answer { PASSES, TOO_MANY, ZONE_IS_FULL };

static enum answer add(const struct conn_limit *l, const struct siphash *key, struct limit_held *held)
{
    struct shared_table *t = limit_zone_enter(l->zone);
    enum answer answer = PASSES;
    struct shared_cell *own;

    if (count_of(l->zone, t, key, &own) >= l->most)
        answer = TOO_MANY;
    else if (!own && !(own = add_part(l->zone, t, key)))
        answer = ZONE_IS_FULL;
    if (answer == PASSES) {
        part_in(own)->count++;
        held->zone = l->zone;
        held->cell = shared_table_index(t, own);
        held->generation = zone_generation(l->zone->memory);
    }
    limit_zone_leave(l->zone);
    return answer;
}

static enum limit_status reject(struct request *r, const struct conn_limit *l, enum answer answer)
{
    const struct limits_conf *conf = r->location->limits;

    if (answer == TOO_MANY)
        request_log(r, (enum log_level)conf->conn_level, 0, "limiting connections%s by zone \"%.*s\"",
                    conf->conn_dry_run ? ", dry run," : "", TEXT_ARG(l->zone->name));
    else
        request_log(r, LEVEL_CRIT, 0, "no memory in limit_conn_zone \"%.*s\"", TEXT_ARG(l->zone->name));
    limit_conn_release(r);
    return conf->conn_dry_run ? LIMIT_REJECTED_DRY_RUN : LIMIT_REJECTED;
}

enum limit_status limit_conn_ask(struct request *r)
{
    enum limit_status status = LIMIT_NONE;
    struct siphash key;

    for (const struct conn_limit *l = r->location->limits->conn; l; l = l->next) {
        if (!limit_zone_key(l->zone, r, &key))
            continue;
        struct limit_held *held = arena_alloc(&r->arena, sizeof *held);
        enum answer answer = held ? add(l, &key, held) : ZONE_IS_FULL;
        if (answer != PASSES)
            return reject(r, l, answer);
        held->next = r->limits.held;
        r->limits.held = held;
        status = LIMIT_PASSED;
    }
    return status;
}

void limit_conn_release(struct request *r)
{
    for (struct limit_held *h = r->limits.held; h; h = h->next) {
        struct shared_table *t = limit_zone_enter(h->zone);
        /* Made anew meanwhile, the zone knows nothing of it. */
        if (h->generation == zone_generation(h->zone->memory)) {
            struct shared_cell *c = shared_table_at(t, h->cell);
            if (--part_in(c)->count == 0)
                shared_table_remove(t, c);
        }
        limit_zone_leave(h->zone);
    }
    r->limits.held = NULL;
}
