/* admission.c - which large files the page cache should hold. See admission.h.
 *
 * The duel for a place is TinyLFU's: newcomer against the least wanted of a few that are drawn by lot. Wanted is counted
 * in whole files, that is, in bytes that a byte of memory would serve, so that size needs no further weight. A newcomer
 * must be ahead by two whole requests, or files that are wanted alike would take turns and none would stay: of a loop over
 * more than fits, the part that came first stays. */
#include "io/admission.h"

#include <stdlib.h>

#include "io/demand.h"

enum {
    PLACES = 32768,
    BUCKETS = 32768, /* a power of two */
    NOBODY = PLACES,
    DRAWN = 8,    /* for a duel */
    DUELS = 8,    /* for a newcomer: a larger one clears its room in several requests */
    AHEAD = 2000, /* two whole requests */
    SHARE = 3,    /* quarters of the room that large files may have */
    WINDOWS = 32  /* demand is halved when so many times the places' bytes were asked for */
};

struct place {
    uint64_t key, size;
    uint32_t next; /* in its bucket; NOBODY: the last */
};

/* Places [0, count) are taken. */
struct admission {
    struct demand *demand;
    uint64_t budget, taken; /* bytes */
    uint64_t lot;
    uint32_t count;
    uint32_t buckets[BUCKETS];
    struct place places[PLACES];
};

struct admission *admission_create(void)
{
    struct admission *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->demand = demand_create();
    if (!a->demand) {
        free(a);
        return NULL;
    }
    a->lot = UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < BUCKETS; i++)
        a->buckets[i] = NOBODY;
    return a;
}

void admission_destroy(struct admission *a)
{
    if (!a)
        return;
    demand_destroy(a->demand);
    free(a);
}

void admission_room(struct admission *a, uint64_t bytes)
{
    a->budget = bytes / 4 * SHARE;
    demand_window(a->demand, a->budget <= UINT64_MAX / WINDOWS ? a->budget * WINDOWS : 0);
}

uint64_t admission_key(dev_t dev, ino_t ino)
{
    return (uint64_t)ino ^ (uint64_t)dev * UINT64_C(0x9e3779b97f4a7c15);
}

/* --- The table of places -------------------------------------------------------------------------------------------- */

static uint32_t bucket_of(uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0xd6e8feb86659fd93)) >> 32) & (BUCKETS - 1);
}

/* What points to the place of `key`, or the NOBODY at the end of its bucket. */
static uint32_t *link_to(struct admission *a, uint64_t key)
{
    uint32_t *link = &a->buckets[bucket_of(key)];

    while (*link != NOBODY && a->places[*link].key != key)
        link = &a->places[*link].next;
    return link;
}

/* The last one moves into the gap. */
static void vacate(struct admission *a, uint32_t gap)
{
    uint32_t last = a->count - 1;

    *link_to(a, a->places[gap].key) = a->places[gap].next;
    a->taken -= a->places[gap].size;
    if (gap != last) {
        *link_to(a, a->places[last].key) = gap;
        a->places[gap] = a->places[last];
    }
    a->count--;
}

static void settle(struct admission *a, uint64_t key, uint64_t size)
{
    uint32_t *bucket = &a->buckets[bucket_of(key)];

    a->places[a->count] = (struct place){.key = key, .size = size, .next = *bucket};
    *bucket = a->count++;
    a->taken += size;
}

/* --- Who gets one --------------------------------------------------------------------------------------------------- */

static uint32_t demand_at(const struct admission *a, uint32_t place)
{
    return demand_permille(a->demand, a->places[place].key, a->places[place].size);
}

static uint32_t draw(struct admission *a)
{
    a->lot ^= a->lot << 13; /* xorshift64 */
    a->lot ^= a->lot >> 7;
    a->lot ^= a->lot << 17;
    return (uint32_t)(a->lot % a->count);
}

/* Of some; of all where they are few. There is at least one. */
static uint32_t least_wanted(struct admission *a)
{
    uint32_t worst = 0, drawn = a->count < DRAWN ? a->count : DRAWN;

    for (uint32_t i = 0; i < drawn; i++) {
        uint32_t other = a->count <= DRAWN ? i : draw(a);
        if (i == 0 || demand_at(a, other) < demand_at(a, worst))
            worst = other;
    }
    return worst;
}

static bool has_room(const struct admission *a, uint64_t size)
{
    return a->count < PLACES && size <= a->budget && a->taken <= a->budget - size;
}

/* Makes room for `size` bytes at the cost of those that are wanted less than `demand` by AHEAD. */
static bool make_room(struct admission *a, uint64_t size, uint32_t demand)
{
    if (size > a->budget)
        return false;
    for (unsigned i = 0; i < DUELS && !has_room(a, size); i++) {
        uint32_t other = least_wanted(a);
        if ((uint64_t)demand_at(a, other) + AHEAD > demand)
            return false;
        vacate(a, other);
    }
    return has_room(a, size);
}

/* Memory became scarce: the least wanted lose their places, some with each request. */
static void shed(struct admission *a)
{
    for (unsigned i = 0; i < DUELS && a->taken > a->budget; i++)
        vacate(a, least_wanted(a));
}

void admission_ask(struct admission *a, uint64_t key, uint64_t size, uint64_t bytes, int64_t msec)
{
    demand_add(a->demand, key, bytes, size, msec);
    uint32_t place = *link_to(a, key);
    if (place != NOBODY && a->places[place].size != size) {
        vacate(a, place); /* another file by now */
        place = NOBODY;
    }
    shed(a);
    if (place != NOBODY)
        return;
    uint32_t demand = demand_permille(a->demand, key, size);
    if (demand >= ADMISSION_WANTED && make_room(a, size, demand))
        settle(a, key, size);
}

uint32_t admission_demand(const struct admission *a, uint64_t key, uint64_t size)
{
    return demand_permille(a->demand, key, size);
}

bool admission_has_place(const struct admission *a, uint64_t key)
{
    uint32_t place = a->buckets[bucket_of(key)];

    while (place != NOBODY && a->places[place].key != key)
        place = a->places[place].next;
    return place != NOBODY;
}
