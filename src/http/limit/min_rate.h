/* min_rate.h - send_min_rate: a client that takes a response too slowly is closed.
 *
 * What counts is the time in which the server had bytes for the client and its socket took none.
 * Waits for the disk, for limit_rate and for other clients' turns do not. Once these waits add up
 * to the window, the client must have taken (acknowledged, not only had in the socket's buffer) as
 * many bytes as the rate asks for in that time. */
#ifndef HTTP_LIMIT_MIN_RATE_H
#define HTTP_LIMIT_MIN_RATE_H

#include "http/request/request.h"

#include <stdbool.h>
#include <stdint.h>

struct min_rate {
    int64_t bytes; /* per second; 0: off */
    int64_t msec;  /* the window */
};

conf_set_fn min_rate_set; /* struct min_rate */

/* A wait for the client begins, which has acknowledged `taken` bytes of all that its carrier ever
 * sent it. The location has send_min_rate, as for the other. */
void min_rate_wait(struct request *r, uint64_t taken);

/* In the middle of a wait, or at its end: has the client taken too little? Says so in the log. */
bool min_rate_is_missed(struct request *r, uint64_t taken);

#endif
