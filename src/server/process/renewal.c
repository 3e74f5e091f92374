/* renewal.c - new workers when what the old ones were granted has been replaced.
 *
 * Until then an opener process opens for each of them (opener.c), so that nothing has to be fast
 * here: what would start workers without end, such as a file that is renamed over each minute,
 * makes the pauses longer, and no more generations drain at a time than a few. */
#include "server/process/renewal.h"

#include <unistd.h>

enum {
    SETTLE_MSEC = 1000, /* who replaces one folder often replaces others with it */
    PAUSE_MSEC = 10 * 1000,
    PAUSE_MOST_MSEC = 640 * 1000,
    GENERATIONS_MOST = 3 /* that drain */
};

void renewal_heard(struct renewal *r, const struct children *cs, int64_t now)
{
    unsigned generation;
    bool newest = false;

    while (read(cs->outdated[0], &generation, sizeof generation) == sizeof generation)
        newest = newest || generation == cs->generation;
    if (!newest || r->due > 0)
        return;
    bool rested = r->last == 0 || now - r->last > 2 * PAUSE_MOST_MSEC;
    if (rested)
        r->pause = PAUSE_MSEC;
    r->due = now + SETTLE_MSEC;
    if (r->last > 0 && r->due < r->last + r->pause)
        r->due = r->last + r->pause;
    if (!rested && r->pause < PAUSE_MOST_MSEC)
        r->pause *= 2;
}

int64_t renewal_wait(struct renewal *r, const struct children *cs, int64_t now)
{
    unsigned serving = children_serving(cs);

    if (r->due == 0 || serving == 0)
        return -1;
    if (r->due > now)
        return r->due - now;
    if (children_leaving(cs) >= GENERATIONS_MOST * serving)
        return -1; /* the end of one of them is heard */
    r->due = 0;
    r->last = now;
    return 0;
}
