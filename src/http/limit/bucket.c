/* bucket.c - see bucket.h. */
#include "http/limit/bucket.h"

enum { THOUSAND = 1000, CLOCK_WENT_BACK = -60000, FORGET_MSEC = 60000 };

/* Workers read the clock once a turn, so that `now` may lie a little before what another one
 * noted. */
static int64_t passed(const struct bucket *b, int64_t now)
{
    int64_t msec = now - b->last_msec;
    return msec < CLOCK_WENT_BACK ? 1 : msec < 0 ? 0 : msec;
}

static int64_t leaked(int64_t rate, int64_t msec)
{
    int64_t out;
    return __builtin_mul_overflow(rate, msec, &out) ? INT64_MAX / 2 : out / THOUSAND;
}

int64_t bucket_with(const struct bucket *b, int64_t rate, int64_t now)
{
    int64_t excess = b->excess - leaked(rate, passed(b, now)) + THOUSAND;
    return excess < 0 ? 0 : excess;
}

void bucket_count(struct bucket *b, int64_t excess, int64_t now)
{
    b->excess = excess;
    if (passed(b, now) > 0)
        b->last_msec = now;
}

int64_t bucket_wait(int64_t excess, int64_t delay, int64_t rate)
{
    int64_t out;

    if (excess <= delay)
        return 0;
    return __builtin_mul_overflow(excess - delay, (int64_t)THOUSAND, &out) ? INT64_MAX / 2 : out / rate;
}

bool bucket_is_forgettable(const struct bucket *b, int64_t rate, int64_t now)
{
    int64_t msec = now < b->last_msec ? b->last_msec - now : now - b->last_msec;
    return msec >= FORGET_MSEC && b->excess <= leaked(rate, msec);
}
