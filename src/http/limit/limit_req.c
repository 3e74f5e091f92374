/* limit_req.c - requests per time and key, by leaky buckets in shared memory. Called by limits.c.
 *
 * As nginx: all limits are asked before any but the last counts the request, so that one that
 * rejects leaves the others as they were; the longest wait counts. */
#include "http/limit/bucket.h"
#include "http/limit/limits_private.h"

#include "base/clock.h"

_Static_assert(sizeof(struct bucket) <= SHARED_CELL_SPACE, "a bucket fits into a cell");

static struct bucket *bucket_in(struct shared_cell *c)
{
    return (struct bucket *)(void *)c->space.bytes;
}

/* One or two that nobody needs any more; the oldest one, needed or not, where `force`. */
static void forget_oldest(struct shared_table *t, int64_t rate, bool force)
{
    for (int i = 0; i < 2 + force; i++) {
        struct shared_cell *c = shared_table_oldest(t);
        if (!c || (!(force && i == 0) && !bucket_is_forgettable(bucket_in(c), rate, clock_now.msec)))
            return;
        shared_table_remove(t, c);
    }
}

/* The bucket of `key`, the newest now; an empty one where there was none. */
static struct bucket *bucket_of(struct shared_table *t, const struct siphash *key, int64_t rate)
{
    struct shared_cell *c = shared_table_find(t, key);

    if (c) {
        shared_table_touch(t, c);
        return bucket_in(c);
    }
    forget_oldest(t, rate, false);
    c = shared_table_add(t, key);
    if (!c) {
        forget_oldest(t, rate, true);
        c = shared_table_add(t, key); /* there is one: the oldest is gone */
    }
    /* As if it were empty by just one request, so that the first one comes to an excess of 0. */
    *bucket_in(c) = (struct bucket){.last_msec = clock_now.msec, .excess = -1000};
    return bucket_in(c);
}

/* What the limit says to one more request, and its excess; counts it if it may pass, and
 * `count`. */
static bool look(const struct req_limit *l, const struct siphash *key, bool count, int64_t *excess)
{
    struct shared_table *t = limit_zone_enter(l->zone);
    struct bucket *b = bucket_of(t, key, l->zone->rate);

    *excess = bucket_with(b, l->zone->rate, clock_now.msec);
    bool may = *excess <= l->burst;
    if (may && count)
        bucket_count(b, *excess, clock_now.msec);
    limit_zone_leave(l->zone);
    return may;
}

static enum limit_status reject(struct request *r, const struct req_limit *l, int64_t excess)
{
    const struct limits_conf *conf = r->location->limits;

    request_log(r, (enum log_level)conf->req_level, 0, "limiting requests%s, excess: %lld.%03d by zone \"%.*s\"",
                conf->req_dry_run ? ", dry run" : "", (long long)(excess / 1000), (int)(excess % 1000),
                TEXT_ARG(l->zone->name));
    return conf->req_dry_run ? LIMIT_REJECTED_DRY_RUN : LIMIT_REJECTED;
}

static enum limit_status delay(struct request *r, const struct req_limit *l, int64_t excess, int64_t *wait)
{
    const struct limits_conf *conf = r->location->limits;
    int level = conf->req_level == LEVEL_INFO ? LEVEL_INFO : conf->req_level + 1;

    request_log(r, (enum log_level)level, 0, "delaying request%s, excess: %lld.%03d, by zone \"%.*s\"",
                conf->req_dry_run ? ", dry run" : "", (long long)(excess / 1000), (int)(excess % 1000),
                TEXT_ARG(l->zone->name));
    if (conf->req_dry_run)
        *wait = 0;
    return conf->req_dry_run ? LIMIT_DELAYED_DRY_RUN : LIMIT_DELAYED;
}

enum limit_status limit_req_ask(struct request *r, int64_t *wait)
{
    const struct req_limit *first = r->location->limits->req, *slowest = NULL;
    struct siphash key;
    int64_t excess = 0, last, most = 0;
    bool limited = false;

    *wait = 0;
    for (const struct req_limit *l = first; l; l = l->next) {
        if (!limit_zone_key(l->zone, r, &key))
            continue;
        limited = true;
        if (!look(l, &key, !l->next, &excess))
            return reject(r, l, excess);
    }
    if (!limited)
        return LIMIT_NONE;
    last = excess;
    for (const struct req_limit *l = first; l; l = l->next) {
        if (!limit_zone_key(l->zone, r, &key))
            continue;
        if (l->next)
            look(l, &key, true, &excess);
        else /* it has counted the request already */
            excess = last;
        int64_t msec = bucket_wait(excess, l->delay, l->zone->rate);
        if (msec > *wait) {
            *wait = msec;
            most = excess;
            slowest = l;
        }
    }
    return slowest ? delay(r, slowest, most, wait) : LIMIT_PASSED;
}
