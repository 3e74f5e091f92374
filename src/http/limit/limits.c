/* limits.c - the phase in which requests are limited; zones as limit_req.c and limit_conn.c see
 * them.
 *
 * A key is known by its SipHash alone, of 128 bits and with a secret of the zone's own: cells are
 * small and of one size, and nobody can choose keys that meet. */
#include "http/limit/limits.h"

#include "http/limit/limits_private.h"
#include "http/respond/respond.h"
#include "http/worker/worker.h"

struct shared_table *limit_zone_enter(const struct limit_zone *z)
{
    struct shared_table *t = zone_content(z->memory);

    if (zone_lock(z->memory))
        shared_table_init(t, zone_size(z->memory));
    return t;
}

void limit_zone_leave(const struct limit_zone *z)
{
    zone_unlock(z->memory);
}

bool limit_zone_key(const struct limit_zone *z, struct request *r, struct siphash *key)
{
    size_t most = z->kind == LIMIT_REQ ? 65535 : 255;
    struct text value = template_text(z->key, r);

    if (value.len > most) {
        request_log(r, LEVEL_ERROR, 0, "the value of the \"%.*s\" key is more than %zu bytes: \"%.*s\"",
                    TEXT_ARG(z->key->text), most, TEXT_ARG(value));
        return false;
    }
    if (value.len == 0)
        return false;
    *key = siphash(zone_secret(z->memory), value);
    return true;
}

static void stop_waiting(struct request *r)
{
    timer_destroy(r->limits.timer);
    r->limits.timer = NULL;
}

static void on_time(void *arg)
{
    struct request *r = arg;

    stop_waiting(r);
    request_resume(r);
}

/* False: without memory for a timer it goes on at once. */
static bool wait_for(struct request *r, int64_t msec)
{
    r->limits.timer = loop_timer(r->worker->loop, on_time, r);
    if (r->limits.timer)
        timer_set(r->limits.timer, msec);
    return r->limits.timer != NULL;
}

static bool is_rejected(struct request *r, enum limit_status status, int64_t with)
{
    if (status == LIMIT_REJECTED)
        respond_status(r, (int)with);
    return status == LIMIT_REJECTED;
}

bool limits_step(struct request *r)
{
    const struct limits_conf *conf = r->location->limits;
    int64_t wait = 0;

    if (r->limits.timer)
        return false;
    if (conf->req && r->limits.req == LIMIT_NONE) {
        r->limits.req = (unsigned char)limit_req_ask(r, &wait);
        if (is_rejected(r, r->limits.req, conf->req_status))
            return true;
        if (wait > 0 && wait_for(r, wait))
            return false;
    }
    if (conf->conn && r->limits.conn == LIMIT_NONE) {
        r->limits.conn = (unsigned char)limit_conn_ask(r);
        if (is_rejected(r, r->limits.conn, conf->conn_status))
            return true;
    }
    r->step = r->location->access ? STEP_ACCESS : STEP_TRY_FILES;
    return true;
}

static struct text status_text(unsigned char status)
{
    static const char *const words[] = {
        [LIMIT_NONE] = NULL,
        [LIMIT_PASSED] = "PASSED",
        [LIMIT_DELAYED] = "DELAYED",
        [LIMIT_REJECTED] = "REJECTED",
        [LIMIT_DELAYED_DRY_RUN] = "DELAYED_DRY_RUN",
        [LIMIT_REJECTED_DRY_RUN] = "REJECTED_DRY_RUN",
    };
    return text_of(words[status]);
}

static void get_req_status(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = status_text(r->limits.req);
}

static void get_conn_status(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = status_text(r->limits.conn);
}

const struct variable_row limits_variables[] = {
    {"limit_conn_status", .get = get_conn_status},
    {"limit_req_status", .get = get_req_status},
    {.name = NULL},
};

void limits_release(struct request *r)
{
    stop_waiting(r);
    limit_conn_release(r);
}
