/* limits_private.h - what limits.c, limits_conf.c, limit_req.c and limit_conn.c know of each
 * other. */
#ifndef HTTP_LIMIT_LIMITS_PRIVATE_H
#define HTTP_LIMIT_LIMITS_PRIVATE_H

#include "base/shared_table.h"
#include "base/zone.h"
#include "http/limit/limits.h"
#include "http/request/request.h"

enum limit_kind { LIMIT_REQ, LIMIT_CONN };

/* Shared memory that limit_req_zone or limit_conn_zone declares, and others name. */
struct limit_zone {
    struct limit_zone *next;
    struct text name;
    enum limit_kind kind;
    struct template *key; /* NULL: not declared (yet) */
    int64_t size;         /* bytes */
    int64_t rate;         /* LIMIT_REQ: thousandths of requests per second */
    struct zone *memory;
    int64_t swept_msec; /* LIMIT_CONN: when this process last looked for what dead workers left in it; 0: never */
    const char *file;   /* where it was first named, for errors found later */
    unsigned line;
};

/* Locks the zone; its table, made anew where that is needed. */
struct shared_table *limit_zone_enter(const struct limit_zone *z);
void limit_zone_leave(const struct limit_zone *z);

/* What the request is to this zone; false: it has no key, or one that is too long, and is not
 * limited. */
bool limit_zone_key(const struct limit_zone *z, struct request *r, struct siphash *key);

/* May the request go on? *wait: msec until it may. Notes and logs it. */
enum limit_status limit_req_ask(struct request *r, int64_t *wait);
enum limit_status limit_conn_ask(struct request *r);
void limit_conn_release(struct request *r);

#endif
