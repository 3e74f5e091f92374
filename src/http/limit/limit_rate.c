/* limit_rate.c - see limit_rate.h. The arithmetic is that of pace.c; a response that has to wait
 * has one timer. */
#include "http/limit/limit_rate.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/limit/limits.h"
#include "http/limit/pace.h"
#include "http/worker/worker.h"

struct paced {
    struct pace pace;
    struct timer *timer;
};

/* The value of a template that holds a size; 0 where it holds none. */
static uint64_t size_value(struct request *r, const struct template *t)
{
    struct text value = t ? template_text(t, r) : TEXT_NONE;
    uint64_t bytes = 0;

    if (value.len > 0 && number_parse_size(value, &bytes) < 0) {
        request_log(r, LEVEL_ERROR, 0, "invalid size \"%.*s\"", TEXT_ARG(value));
        return 0;
    }
    return bytes;
}

static uint64_t asked(struct request *r)
{
    if (r->rate_given)
        return r->rate;
    return r->location->limit_rate ? size_value(r, r->location->limit_rate->rate) : 0;
}

void rate_begin(struct request *r)
{
    if (r->paced)
        return;
    uint64_t rate = asked(r);
    if (rate == 0)
        return;
    const struct limits_conf *conf = r->location->limit_rate;
    struct paced *p = arena_zalloc(&r->arena, sizeof *p);
    if (!p)
        return;
    pace_init(&p->pace, rate, conf ? size_value(r, conf->rate_after) : 0, clock_now.msec);
    r->paced = p;
}

uint64_t rate_of(const struct request *r)
{
    return r->paced ? r->paced->pace.rate : 0;
}

bool rate_lets_through(struct request *r, uint64_t len)
{
    return !r->paced || pace_may(&r->paced->pace, clock_now.msec) >= len;
}

static void on_time(void *arg)
{
    struct request *r = arg;
    request_resume(r);
}

bool rate_may(struct request *r)
{
    struct paced *p = r->paced;

    if (pace_may(&p->pace, clock_now.msec) > 0)
        return true;
    if (!p->timer)
        p->timer = loop_timer(r->worker->loop, on_time, r);
    if (!p->timer)
        return true; /* no memory: rather too fast than never */
    timer_set(p->timer, pace_wait(&p->pace, r->out.file.left));
    return false;
}

uint64_t rate_cap(struct request *r, uint64_t cap)
{
    uint64_t may = pace_may(&r->paced->pace, clock_now.msec);
    return may > 0 && (cap == 0 || may < cap) ? may : cap;
}

void rate_took(struct request *r, uint64_t bytes)
{
    pace_took(&r->paced->pace, bytes);
}

void rate_release(struct request *r)
{
    if (r->paced)
        timer_destroy(r->paced->timer);
    r->paced = NULL;
}

static void get_rate(struct request *r, const void *data, struct text *out)
{
    (void)data;
    uint64_t rate = r->paced ? rate_of(r) : asked(r);
    char *digits = arena_alloc(&r->arena, 20);
    *out = digits ? (struct text){digits, number_format(digits, rate)} : TEXT_NONE;
}

static void set_rate(struct request *r, struct text value)
{
    uint64_t bytes;

    if (number_parse_size(value, &bytes) < 0) {
        request_log(r, LEVEL_ERROR, 0, "invalid $limit_rate \"%.*s\"", TEXT_ARG(value));
        return;
    }
    r->rate = bytes;
    r->rate_given = true;
}

const struct variable_row rate_variables[] = {
    {"limit_rate", .get = get_rate, .flags = VARIABLE_CHANGEABLE, .set = set_rate},
    {.name = NULL},
};
