/* limits.h - how much one key may ask for: limit_req, limit_conn; and how fast it gets it: limit_rate.
 * https://nginx.org/en/docs/http/ngx_http_limit_req_module.html, ngx_http_limit_conn_module.html */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include "conf/directive.h"
#include "http/variable.h"

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

/* What became of a request: $limit_req_status, $limit_conn_status. */
enum limit_status {
    LIMIT_NONE, /* nothing was limited */
    LIMIT_PASSED,
    LIMIT_DELAYED,
    LIMIT_REJECTED,
    LIMIT_DELAYED_DRY_RUN,
    LIMIT_REJECTED_DRY_RUN
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
};

extern struct conf_module limits_module;

/* Of a request. */
struct limit_state {
    struct limit_held *held; /* what it counts as in zones of limit_conn */
    struct timer *timer;     /* it waits for its time; NULL: it does not */
    unsigned char req, conn; /* enum limit_status: each is asked once per request */
};

/* STEP_LIMIT: on to the next step, or an error; false: it waits. The location has limits. */
bool limits_step(struct request *r);

/* The request goes away. */
void limits_release(struct request *r);

variable_get_fn limits_get_req_status, limits_get_conn_status;

#endif
