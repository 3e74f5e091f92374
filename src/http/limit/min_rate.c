/* min_rate.c - see min_rate.h. */
#include "http/limit/min_rate.h"

#include "base/clock.h"
#include "base/number.h"

enum { WINDOW_MSEC = 30000 };

const char *min_rate_set(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct min_rate *m = slot;
    uint64_t bytes;

    m->msec = WINDOW_MSEC;
    if (number_parse_size(cf->args[1], &bytes) < 0 || bytes > INT32_MAX ||
        (cf->count == 3 && (number_parse_msec(cf->args[2], &m->msec) < 0 || m->msec < 1000)))
        return conf_error(
            cf, "invalid value in \"%s\" directive, it must be bytes per second, and a time of at least 1s", row->name);
    m->bytes = (int64_t)bytes;
    return NULL;
}

void min_rate_wait(struct request *r, uint64_t taken)
{
    struct slowness *s = &r->slowness;

    if (s->waited_msec == 0 && s->taken == 0)
        s->taken = taken;
    s->blocked_msec = s->counted_msec = clock_now.msec;
}

bool min_rate_is_missed(struct request *r, uint64_t taken)
{
    const struct min_rate *m = r->location->min_rate;
    struct slowness *s = &r->slowness;

    s->waited_msec += clock_now.msec - s->counted_msec;
    s->counted_msec = clock_now.msec;
    if (s->waited_msec < m->msec)
        return false;
    uint64_t bytes = taken - s->taken;
    if (bytes < (uint64_t)(m->bytes * s->waited_msec / 1000)) {
        request_log(r, LEVEL_INFO, 0, "client took %llu bytes in %lld ms, which is less than send_min_rate",
                    (unsigned long long)bytes, (long long)s->waited_msec);
        return true;
    }
    s->waited_msec = 0;
    s->taken = taken;
    return false;
}
