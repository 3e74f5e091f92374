/* bulk.h - large responses share what a turn of the loop leaves, so that downloads do not slow down
 * small answers.
 *
 * A response of BULK_LEAST bytes or more does not send when its socket or its disk is ready: it
 * stands in line, and at the end of the turn, after all small answers, the line is served in its
 * order until the turn's share is used up; who has more to send goes to the end. The share is large
 * when nothing else was sent, and else as many bytes as small answers had. */
#ifndef HTTP_WORKER_BULK_H
#define HTTP_WORKER_BULK_H

#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum { BULK_LEAST = 1 << 20 /* bytes of body */ };

struct bulk {
    struct list line;           /* of requests' turns */
    struct deferred round;      /* serves it */
    struct loop *loop;          /* that runs the rounds */
    uint64_t left;              /* of the share, bytes */
    uint64_t small;             /* bytes that other responses sent since the last round */
    bool serving;               /* a round is on */
    const struct deferred *now; /* whose turn it is, until it took its share */
};

void bulk_init(struct bulk *b, struct loop *loop);

/* Bytes that the request with this turn may send now; 0: it stands in line, and `turn` is called
 * exactly once, from the loop, at the end of a turn, unless deferred_clear() comes first. The call
 * may end the request. */
uint64_t bulk_share(struct bulk *b, struct deferred *turn);

/* It has more to send, after the others in line; `turn` is called as above. */
void bulk_queue(struct bulk *b, struct deferred *turn);

void bulk_used(struct bulk *b, uint64_t n);       /* `n` bytes of the share were sent */
void bulk_small_sent(struct bulk *b, uint64_t n); /* and `n` bytes of another response */

#endif
