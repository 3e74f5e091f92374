/* admission.c - which large files the page cache should hold. See admission.h.
 *
 * The duel for a place is TinyLFU's: newcomer against the least wanted of a few that are drawn by
 * lot. Wanted is counted in whole files, that is, in bytes that a byte of memory would serve, so
 * that size needs no further weight. A newcomer must be ahead by two whole requests, or files that
 * are wanted alike would take turns and none would stay: of a loop over more than fits, the part
 * that came first stays.
 *
 * How processes share it: pages are set aside first (`promised`), then a free place is taken by one
 * compare-and-exchange; a place is given up by one as well, and only the process that succeeds in
 * that gives its pages back. So no place is counted twice, the sum never exceeds the budget, and a
 * process that is killed between the two steps has set aside too much, which the recount finds. */
#include "io/admission.h"

#include "admission_private.h"
#include "mix.h"

enum {
    SETS = ADMISSION_SETS,
    WAYS = ADMISSION_WAYS,
    SET_BITS = 13,
    PAGE = 4096,
    DRAWN = 8,    /* for a duel */
    DUELS = 8,    /* for a newcomer: a larger one clears its room in several requests */
    AHEAD = 2000, /* two whole requests */
    SHARE = 3,    /* quarters of the room that large files may have */
    WINDOWS = 32  /* demand counts are halved after this many times the cache's budget has been requested */
};

_Static_assert(SETS == 1 << SET_BITS, "the bits of a set's index");

/* A place as it was found. */
struct spot {
    uint32_t set, way;
    uint64_t word;
};

void admission_room(struct admission *a, uint64_t bytes)
{
    uint64_t budget = bytes / 4 * SHARE;

    atomic_store(&a->table->budget, budget / PAGE);
    demand_window(&a->table->demand, budget <= UINT64_MAX / WINDOWS ? budget * WINDOWS : 0);
}

/* The clocks of two workers differ by less; one that is further off is not to be believed. */
bool admission_claim_room(struct admission *a, int64_t msec)
{
    int64_t last = atomic_load(&a->table->room_msec);

    if (a->copied ||
        (last != 0 && (uint64_t)msec - (uint64_t)last + ADMISSION_ROOM_MSEC < (uint64_t)2 * ADMISSION_ROOM_MSEC))
        return false;
    return atomic_compare_exchange_strong(&a->table->room_msec, &last, msec != 0 ? msec : 1);
}

uint64_t admission_key(dev_t dev, ino_t ino)
{
    return (uint64_t)ino ^ (uint64_t)dev * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- names and places ---- */

/* A file's identity here: the index of its set, and 32 bits above. */
static uint64_t id_of(uint64_t key)
{
    uint64_t mixed = mix(key);

    return (mixed >> 32) << SET_BITS | mixed % SETS;
}

static uint64_t id_of_spot(const struct spot *s)
{
    return (s->word >> 32) << SET_BITS | s->set;
}

static uint32_t set_of(uint64_t id)
{
    return (uint32_t)(id % SETS);
}

static uint32_t pages_of(uint64_t word)
{
    return (uint32_t)word;
}

static uint64_t word_of(uint64_t id, uint32_t pages)
{
    return id >> SET_BITS << 32 | pages;
}

static bool is_of(uint64_t word, uint64_t id)
{
    return word != 0 && word >> 32 == id >> SET_BITS;
}

/* Larger ones than a place can say never get one. */
static uint32_t pages_for(uint64_t size)
{
    uint64_t pages = size / PAGE + (size % PAGE > 0);

    return pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
}

static uint32_t demand_for(const struct admission_table *t, const struct spot *s)
{
    return demand_permille(&t->demand, id_of_spot(s), (uint64_t)pages_of(s->word) * PAGE);
}

/* ---- giving and taking ---- */

/* Sets pages aside, if so many are left. */
static bool set_aside(struct admission_table *t, uint32_t pages)
{
    int64_t budget = (int64_t)(atomic_load(&t->budget) & INT64_MAX), before = atomic_load(&t->promised);

    if (pages == UINT32_MAX)
        return false;
    do
        if (before > budget - pages)
            return false;
    while (!atomic_compare_exchange_weak(&t->promised, &before, before + pages));
    return true;
}

static void give_back(struct admission_table *t, uint32_t pages)
{
    atomic_fetch_sub(&t->promised, pages);
}

static bool vacate(struct admission_table *t, struct spot *s)
{
    if (!atomic_compare_exchange_strong(&t->places[s->set][s->way], &s->word, 0))
        return false;
    give_back(t, pages_of(s->word));
    return true;
}

/* The first free way of its set. */
static bool take_free_way(struct admission_table *t, uint32_t set, uint64_t word)
{
    for (uint32_t way = 0; way < WAYS; way++) {
        uint64_t none = 0;
        if (atomic_load(&t->places[set][way]) == 0 && atomic_compare_exchange_strong(&t->places[set][way], &none, word))
            return true;
    }
    return false;
}

/* Whether the file has a place. One for another number of pages is given up: it is another file by
 * now; so are all but the first, as two processes that do not see each other may give one each. */
static bool keep_one(struct admission_table *t, uint64_t id, uint32_t pages)
{
    struct spot s = {.set = set_of(id)};
    bool has = false;

    for (s.way = 0; s.way < WAYS; s.way++) {
        s.word = atomic_load(&t->places[s.set][s.way]);
        if (!is_of(s.word, id))
            continue;
        if (!has && pages_of(s.word) == pages)
            has = true;
        else
            vacate(t, &s);
    }
    return has;
}

/* ---- sets that have places ---- */

static void mark_busy(struct admission_table *t, uint32_t set)
{
    uint64_t bit = UINT64_C(1) << set % 64;

    if (!(atomic_load(&t->busy[set / 64]) & bit))
        atomic_fetch_or(&t->busy[set / 64], bit);
}

/* The first at or after `set`; SETS: none up to the end. */
static uint32_t next_busy(const struct admission_table *t, uint32_t set)
{
    while (set < SETS) {
        uint64_t left = atomic_load(&t->busy[set / 64]) >> set % 64;
        if (left != 0)
            return set + (uint32_t)__builtin_ctzll(left);
        set = (set / 64 + 1) * 64;
    }
    return SETS;
}

/* Pages of the set's places. */
static int64_t count_set(const struct admission_table *t, uint32_t set)
{
    int64_t pages = 0;

    for (uint32_t way = 0; way < WAYS; way++)
        pages += pages_of(atomic_load(&t->places[set][way]));
    return pages;
}

/* A place is given first and its set marked then: whichever comes in between, the set of a place is
 * marked in the end. */
static int64_t recount_set(struct admission_table *t, uint32_t set)
{
    int64_t pages = count_set(t, set);
    uint64_t bit = UINT64_C(1) << set % 64;

    if (pages == 0 && atomic_load(&t->busy[set / 64]) & bit) {
        atomic_fetch_and(&t->busy[set / 64], ~bit);
        pages = count_set(t, set);
    }
    if (pages > 0)
        mark_busy(t, set);
    return pages;
}

/* Places come and go meanwhile: only a difference that was the same the last time is one. */
void admission_recount(struct admission *a)
{
    struct admission_table *t = a->table;
    int64_t before = atomic_load(&t->promised), counted = 0;

    for (uint32_t set = 0; set < SETS; set++)
        counted += recount_set(t, set);
    int64_t difference = (int64_t)((uint64_t)counted - (uint64_t)before);
    if (atomic_exchange(&t->difference, difference) != difference || difference == 0)
        return;
    atomic_store(&t->difference, 0);
    atomic_fetch_add(&t->promised, difference);
}

/* ---- duels ---- */

static uint32_t draw(struct admission_table *t)
{
    return (uint32_t)(mix(atomic_fetch_add(&t->lot, 1)) % SETS);
}

/* Looks at the places of a set for one that is wanted less than *worst; at `most` of them. How many
 * it looked at. */
static uint32_t look_at_set(const struct admission_table *t, uint32_t set, uint32_t most, struct spot *worst,
                            uint32_t *demand)
{
    uint32_t seen = 0;

    for (uint32_t way = 0; way < WAYS && seen < most; way++) {
        struct spot s = {set, way, atomic_load(&t->places[set][way])};
        if (s.word == 0)
            continue;
        uint32_t here = demand_for(t, &s);
        if (worst->word == 0 || here < *demand) {
            *worst = s;
            *demand = here;
        }
        seen++;
    }
    return seen;
}

/* Of some, from a set on that is drawn by lot; of all where they are few. False: there is none. */
static bool least_wanted(struct admission_table *t, struct spot *worst, uint32_t *demand)
{
    uint32_t first = draw(t), seen = 0;

    worst->word = 0;
    for (uint32_t set = next_busy(t, first); set < SETS && seen < DRAWN; set = next_busy(t, set + 1))
        seen += look_at_set(t, set, DRAWN - seen, worst, demand);
    for (uint32_t set = next_busy(t, 0); set < first && seen < DRAWN; set = next_busy(t, set + 1))
        seen += look_at_set(t, set, DRAWN - seen, worst, demand);
    return worst->word != 0;
}

/* Sets `pages` aside, if need be at the cost of those that are wanted less than `demand` by
 * AHEAD. */
static bool make_room(struct admission_table *t, uint32_t pages, uint32_t demand)
{
    struct spot other;
    uint32_t others;

    if (pages > atomic_load(&t->budget))
        return false;
    for (unsigned i = 0; i < DUELS; i++) {
        if (set_aside(t, pages))
            return true;
        if (!least_wanted(t, &other, &others) || (uint64_t)others + AHEAD > demand)
            return false;
        vacate(t, &other);
    }
    return set_aside(t, pages);
}

/* The pages are set aside. Where its set is full, it must win there, too. */
static void settle(struct admission_table *t, uint64_t id, uint32_t pages, uint32_t demand)
{
    struct spot other = {.word = 0};
    uint32_t others = 0, set = set_of(id);
    bool in = take_free_way(t, set, word_of(id, pages));

    if (!in && look_at_set(t, set, WAYS, &other, &others) > 0 && (uint64_t)others + AHEAD <= demand)
        in = vacate(t, &other) && take_free_way(t, set, word_of(id, pages));
    if (!in) {
        give_back(t, pages);
        return;
    }
    mark_busy(t, set);
    keep_one(t, id, pages);
}

/* Memory became scarce: the least wanted lose their places, some with each request. */
static void shed(struct admission_table *t)
{
    struct spot other;
    uint32_t demand;

    for (unsigned i = 0; i < DUELS; i++) {
        int64_t promised = atomic_load(&t->promised);
        if (promised <= 0 || (uint64_t)promised <= atomic_load(&t->budget) || !least_wanted(t, &other, &demand))
            return;
        vacate(t, &other);
    }
}

/* ---- asking ---- */

void admission_ask(struct admission *a, uint64_t key, uint64_t size, uint64_t bytes, int64_t msec)
{
    struct admission_table *t = a->table;
    uint64_t id = id_of(key);
    uint32_t pages = pages_for(size);

    demand_add(&t->demand, id, bytes, size, msec);
    bool has = keep_one(t, id, pages);
    shed(t);
    if (has)
        return;
    uint32_t demand = demand_permille(&t->demand, id, size);
    if (demand >= ADMISSION_WANTED && make_room(t, pages, demand))
        settle(t, id, pages, demand);
}

uint32_t admission_demand(const struct admission *a, uint64_t key, uint64_t size)
{
    return demand_permille(&a->table->demand, id_of(key), size);
}

bool admission_has_place(const struct admission *a, uint64_t key)
{
    uint64_t id = id_of(key);

    for (uint32_t way = 0; way < WAYS; way++) {
        if (is_of(atomic_load(&a->table->places[set_of(id)][way]), id))
            return true;
    }
    return false;
}
