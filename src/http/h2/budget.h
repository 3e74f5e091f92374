/* budget.h - what a client may do that costs the server work and moves nothing. Pure. RFC 9113, section
 * 10.5; CVE-2023-44487, CVE-2025-8671.
 *
 * Each kind is a bucket that fills up with time, and with what is moved: a client that uses the
 * connection never meets its bottom. */
#ifndef HTTP_H2_BUDGET_H
#define HTTP_H2_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BUDGET_RESETS = 500,         /* streams that ended early, by either side */
    BUDGET_RESETS_A_SECOND = 50, /* a player that seeks resets ten a second */
    BUDGET_FRAMES = 10000,       /* that asked for nothing and brought nothing */
    BUDGET_FRAMES_A_SECOND = 500,
    BUDGET_FRAMES_A_REQUEST = 16, /* and so many for each request, */
    BUDGET_FRAMES_SENT = 4        /* and for each DATA frame that it got: WINDOW_UPDATE answers these */
};

struct budget {
    int64_t resets, frames; /* left, in thousandths */
    int64_t msec;           /* up to when they were filled up */
};

void budget_init(struct budget *b, int64_t now);

/* Since the last call: each number is of what happened. False: too much. */
bool budget_spend(struct budget *b, int64_t now, uint64_t resets, uint64_t idle_frames, uint64_t requests,
                  uint64_t sent_frames);

#endif
