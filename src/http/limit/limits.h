/* limits.h - how much one key may ask for: limit_req, limit_conn; and how fast it gets it:
 * limit_rate.
 * https://nginx.org/en/docs/http/ngx_http_limit_req_module.html, ngx_http_limit_conn_module.html */
#ifndef HTTP_LIMIT_LIMITS_H
#define HTTP_LIMIT_LIMITS_H

#include "conf/directive.h"
#include "http/limit/min_rate.h"
#include "http/variable/variable.h"

#include <stdint.h>

struct limit_held;
struct limit_zone;
struct location;
struct request;
struct timer;

struct req_limit {
    struct req_limit *next; /* in the order of the file */
    struct limit_zone *zone;
    int64_t burst, delay; /* thousandths of requests */
};

struct conn_limit {
    struct conn_limit *next;
    struct limit_zone *zone;
    uint64_t most;
};

/* Values of limits_module, http, server and location. */
struct limits_conf {
    struct limit_zone *zones; /* of http { } */
    struct req_limit *req;
    struct conn_limit *conn;
    int64_t req_status, conn_status; /* of what is rejected */
    int req_level, conn_level;       /* enum log_level of rejecting; delaying is one less */
    bool req_dry_run, conn_dry_run;
    struct template *rate, *rate_after; /* NULL: 0 */
    struct min_rate min_rate;
};

extern struct conf_module limits_module;

/* STEP_LIMIT: on to the next step, or an error. The location has limits. False: the request waits,
 * and is resumed exactly once, from the loop, unless limits_release() comes first. */
bool limits_step(struct request *r);

/* The request goes away. */
void limits_release(struct request *r);

extern const struct variable_row limits_variables[];

#endif
