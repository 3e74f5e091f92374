/* health.c - the directives health and ready: short answers for balancers and supervisors.
 *
 * Whoever is asked serves: before the first worker does, a connection waits in its queue. What the
 * worker cannot know itself the master says on the scoreboard. See health.h. */
#include "http/log/health.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/core/core.h"
#include "http/request/request.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"
#include "http/worker/worker.h"

/* read_errors=: from how many failed reads on, within how long. */
struct failing {
    unsigned count;
    int64_t msec;
};

static bool answer(struct request *r, int status, struct text body)
{
    respond_text(r, status, TEXT("text/plain"), body);
    if (r->out.status == status)
        response_add(r, TEXT("Cache-Control"), TEXT("no-store"));
    return true;
}

static bool answer_health(struct request *r)
{
    return answer(r, 200, TEXT("ok\n"));
}

static bool answer_failing(struct request *r, unsigned count, const struct failing *f)
{
    char *body = arena_printf(&r->arena, "failing: %u%s reads of files failed within %lld s\n", count,
                              count == SCOREBOARD_FAILURES ? " or more" : "", (long long)(f->msec / 1000));

    return answer(r, 503, body ? text_of(body) : TEXT("failing\n"));
}

static bool answer_ready(struct request *r)
{
    const struct scoreboard *b = r->worker->scoreboard;
    const struct failing *f = r->location->content_conf;
    unsigned count = b && f ? scoreboard_failed_reads(b, clock_now.msec - f->msec) : 0;

    if (count > 0 && count >= f->count && scoreboard_readiness(b) == READY)
        return answer_failing(r, count, f);
    switch (b ? scoreboard_readiness(b) : READY) {
    case READY_DRAINING:
        return answer(r, 503, TEXT("draining: the server is about to stop\n"));
    case READY_STALE:
        return answer(r, 503, TEXT("stale: the workers of the last reload did not start, earlier ones serve\n"));
    default:
        return answer(r, 200, TEXT("ready\n"));
    }
}

static const char *set_health(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    location_answers(cf, answer_health, NULL);
    return NULL;
}

/* NUMBER/TIME */
static bool parse_failing(struct text t, struct failing *f)
{
    size_t slash = text_find(t, '/');
    uint64_t count;

    if (slash == t.len || number_parse((struct text){t.at, slash}, &count) < 0 || count < 1 ||
        count > SCOREBOARD_FAILURES || number_parse_msec(text_from(t, slash + 1), &f->msec) < 0 || f->msec < 1000)
        return false;
    f->count = (unsigned)count;
    return true;
}

static const char *set_ready(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct failing *f = NULL;

    (void)row, (void)slot;
    if (cf->count == 2) {
        static const struct text name = TEXT("read_errors=");

        f = arena_zalloc(cf->arena, sizeof *f);
        if (!f)
            return conf_error(cf, "out of memory");
        if (!text_starts(cf->args[1], name) || !parse_failing(text_from(cf->args[1], name.len), f))
            return conf_error(
                cf, "invalid parameter \"%s\", it must be \"read_errors=NUMBER/TIME\", of 1 to %d and at least 1s",
                cf->args[1].at, SCOREBOARD_FAILURES);
    }
    location_answers(cf, answer_ready, f);
    return NULL;
}

bool health_is_asked_at(const struct location *l)
{
    return l->content == answer_health;
}

static const struct conf_row rows[] = {
    {"health", CONF_LOCATION, CONF_TAKE0, set_health,
     .help = "Answers 200 as long as requests are served at all; `sluice healthcheck` asks here.",
     .differs = "Not in nginx."},
    {"ready", CONF_LOCATION, CONF_TAKE0 | CONF_TAKE1, set_ready,
     .help = "Answers 200 while new requests should come to this server, and 503 with the reason from the moment that "
             "a graceful stop begins (drain_delay), and while a reload's workers did not start; with `read_errors`, "
             "also while that many files could not be opened or read within that time, for a fault of the disk.",
     .syntax = "[read_errors=number/time]", .differs = "Not in nginx."},
    {.name = NULL},
};

struct conf_module health_module = {.name = "Health", .rows = rows};
