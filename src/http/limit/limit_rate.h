/* limit_rate.h - a response that goes out no faster than limit_rate says, whatever its source.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#limit_rate */
#ifndef HTTP_LIMIT_LIMIT_RATE_H
#define HTTP_LIMIT_LIMIT_RATE_H

#include "http/request/request.h"
#include "http/variable/variable.h"

/* Whether anything could say so: all that a request without it pays. */
static inline bool rate_is_asked(const struct request *r)
{
    return r->location->limit_rate || r->rate_given;
}

/* Finds out the rate, once per response; later calls do nothing. */
void rate_begin(struct request *r);

/* Bytes per second; 0: no limit. After rate_begin(). */
uint64_t rate_of(const struct request *r);

/* Whether a body of `len` bytes may go out at once. */
bool rate_lets_through(struct request *r, uint64_t len);

/* r->paced only. Whether some bytes may go out now; if not, the request is resumed exactly once,
 * from the loop, when they may, unless rate_release() comes first. */
bool rate_may(struct request *r);

/* `cap` (0: no limit), or the bytes that may go out now if they are fewer. */
uint64_t rate_cap(struct request *r, uint64_t cap);
void rate_took(struct request *r, uint64_t bytes);
void rate_release(struct request *r); /* the request goes away */

/* $limit_rate. What is set counts for the request, in all of its locations. Values that are no size
 * are logged and ignored. */
extern const struct variable_row rate_variables[];

#endif
