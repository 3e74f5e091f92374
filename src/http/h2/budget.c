/* budget.c - see budget.h. Called by session_receive.c once for what was read. */
#include "http/h2/budget.h"

enum { MILLI = 1000 };

static void fill(int64_t *left, uint64_t more, int64_t most)
{
    uint64_t room = (uint64_t)(most * MILLI - *left);

    *left += (int64_t)(more < room ? more : room);
}

void budget_init(struct budget *b, int64_t now)
{
    *b = (struct budget){(int64_t)BUDGET_RESETS * MILLI, (int64_t)BUDGET_FRAMES * MILLI, now};
}

bool budget_spend(struct budget *b, int64_t now, uint64_t resets, uint64_t idle_frames, uint64_t requests,
                  uint64_t sent_frames)
{
    uint64_t passed = now > b->msec ? (uint64_t)(now - b->msec) : 0;

    b->msec = now;
    fill(&b->resets, passed * BUDGET_RESETS_A_SECOND, BUDGET_RESETS);
    fill(&b->frames,
         passed * BUDGET_FRAMES_A_SECOND +
             (requests * BUDGET_FRAMES_A_REQUEST + sent_frames * BUDGET_FRAMES_SENT) * MILLI,
         BUDGET_FRAMES);
    b->resets -= (int64_t)(resets * MILLI);
    b->frames -= (int64_t)(idle_frames * MILLI);
    return b->resets >= 0 && b->frames >= 0;
}
