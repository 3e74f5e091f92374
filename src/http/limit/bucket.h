/* bucket.h - the leaky bucket of limit_req: how far the requests of one key are ahead of their
 * rate. Pure. The arithmetic is nginx's, in thousandths of a request.
 * https://nginx.org/en/docs/http/ngx_http_limit_req_module.html */
#ifndef HTTP_LIMIT_BUCKET_H
#define HTTP_LIMIT_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t last_msec; /* when a request was last counted */
    int64_t excess;    /* thousandths of requests, then */
};

/* The excess with one more request at `now` (msec). `rate`: thousandths of requests per second, >
 * 0. */
int64_t bucket_with(const struct bucket *b, int64_t rate, int64_t now);

/* Counts that request. */
void bucket_count(struct bucket *b, int64_t excess, int64_t now);

/* Msec that a request has to wait whose excess is more than `delay`, so that the rate holds. */
int64_t bucket_wait(int64_t excess, int64_t delay, int64_t rate);

/* Nothing is in it, and that for a minute: it may be forgotten. */
bool bucket_is_forgettable(const struct bucket *b, int64_t rate, int64_t now);

#endif
