/* pace.h - the arithmetic of limit_rate: how many bytes of a response may go out now, and how long
 * to wait for more. Pure. https://nginx.org/en/docs/http/ngx_http_core_module.html#limit_rate
 *
 * Bytes become free at the rate, in pieces: a quarter of a second's worth, but no less than 16 KiB,
 * or a second's worth if that is less, so that neither many slow responses nor one fast response
 * wake the worker often. What a late wake-up missed is made up for, within a second. */
#ifndef HTTP_LIMIT_PACE_H
#define HTTP_LIMIT_PACE_H

#include <stdint.h>

struct pace {
    uint64_t rate;     /* bytes per second, > 0 */
    uint64_t ahead;    /* bytes that go out whatever the rate: limit_rate_after */
    uint64_t piece;    /* bytes that are worth waking up for */
    uint64_t free;     /* thousandths of bytes that may go out */
    int64_t seen_msec; /* when that was */
};

void pace_init(struct pace *p, uint64_t rate, uint64_t after, int64_t now);
uint64_t pace_may(struct pace *p, int64_t now); /* bytes; 0: wait */
void pace_took(struct pace *p, uint64_t bytes);

/* Msec, > 0, until a piece is free, or `left` bytes if that is less. */
int64_t pace_wait(const struct pace *p, uint64_t left);

#endif
