/* clock.h - the time of this turn of the loop, and time as HTTP and the logs write it.
 *
 * The loop calls clock_update() once per turn; everything on the loop's thread reads the cached
 * values. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
    CLOCK_HTTP_LEN = 29,    /* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 5.6.7) */
    CLOCK_LOG_LEN = 26,     /* 28/Sep/1970:12:00:00 +0600, $time_local */
    CLOCK_ISO8601_LEN = 25, /* 1970-09-28T12:00:00+06:00, $time_iso8601 */
    CLOCK_ERROR_LEN = 19    /* 1970/09/28 12:00:00, the error log */
};

struct clock {
    int64_t msec; /* CLOCK_MONOTONIC, milliseconds: for deadlines and durations */
    int64_t sec;  /* CLOCK_REALTIME, seconds since the epoch */
    int sec_msec; /* and the milliseconds within that second */
    char http[CLOCK_HTTP_LEN + 1];
    char log[CLOCK_LOG_LEN + 1];
    char iso8601[CLOCK_ISO8601_LEN + 1];
    char error[CLOCK_ERROR_LEN + 1];
};

/* The cached time of this process; never NULL. Valid after the first clock_update(). */
extern struct clock clock_now;

void clock_update(void); /* reads both clocks; formats the texts when the second changed */

/* Whether this thread is the one whose clock_update() keeps clock_now, i.e. may read it. */
bool clock_is_mine(void);

/* Times as file systems keep them. */
static inline bool clock_same(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The nearest moment that an HTTP date can name: its years have four digits, from 0000 to 9999. */
time_t clock_within_http(time_t t);

/* `base` + `sec`, within the same bounds. */
time_t clock_add(time_t base, int64_t sec);

/* IMF-fixdate of clock_within_http(t); writes CLOCK_HTTP_LEN bytes and a NUL. */
void clock_format_http(char out[CLOCK_HTTP_LEN + 1], time_t t);

/* Local time as the error log writes it; any thread. */
void clock_format_error(char out[CLOCK_ERROR_LEN + 1], time_t t);

/* Accepts IMF-fixdate, RFC 850 and asctime forms (RFC 9110, 5.6.7). 0 or -EINVAL. */
int clock_parse_http(struct text date, time_t *t);

#endif
