/* pace.c - see pace.h. */
#include "http/limit/pace.h"

enum { PER_SECOND = 4, PIECE_LEAST = 16 * 1024, THOUSAND = 1000 };

static uint64_t piece_of(uint64_t rate)
{
    uint64_t piece = rate / PER_SECOND;

    if (piece < PIECE_LEAST)
        piece = rate < PIECE_LEAST ? rate : PIECE_LEAST;
    return piece;
}

void pace_init(struct pace *p, uint64_t rate, uint64_t after, int64_t now)
{
    const uint64_t most = UINT64_MAX / THOUSAND / THOUSAND / 4; /* faster than anything; nothing below overflows */

    if (rate > most)
        rate = most;
    if (after > UINT64_MAX / 2)
        after = UINT64_MAX / 2;
    *p = (struct pace){.rate = rate, .ahead = after, .piece = piece_of(rate), .seen_msec = now};
    p->free = p->piece * THOUSAND;
}

static void fill(struct pace *p, int64_t now)
{
    const uint64_t most = (p->rate + p->piece) * THOUSAND;
    int64_t msec = now - p->seen_msec;

    if (msec <= 0)
        return;
    p->seen_msec = now;
    if ((uint64_t)msec >= (most - p->free) / p->rate)
        p->free = most;
    else
        p->free += (uint64_t)msec * p->rate;
}

uint64_t pace_may(struct pace *p, int64_t now)
{
    fill(p, now);
    return p->ahead + p->free / THOUSAND;
}

void pace_took(struct pace *p, uint64_t bytes)
{
    uint64_t ahead = bytes < p->ahead ? bytes : p->ahead;
    uint64_t cost = (bytes - ahead) * THOUSAND;

    p->ahead -= ahead;
    p->free -= cost < p->free ? cost : p->free;
}

int64_t pace_wait(const struct pace *p, uint64_t left)
{
    uint64_t wanted = (left < p->piece ? left : p->piece) * THOUSAND;

    return wanted <= p->free ? 1 : (int64_t)((wanted - p->free) / p->rate) + 1;
}
