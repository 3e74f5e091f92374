/* health.c - the directives health and ready: short answers for balancers and supervisors.
 *
 * Whoever is asked serves: before the first worker does, a connection waits in its queue. What the
 * worker cannot know itself the master says on the scoreboard. See health.h. */
#include "http/log/health.h"

#include "http/core/core.h"
#include "http/request/request.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"
#include "http/worker/worker.h"

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

static bool answer_ready(struct request *r)
{
    const struct scoreboard *b = r->worker->scoreboard;

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

static const char *set_ready(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    location_answers(cf, answer_ready, NULL);
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
    {"ready", CONF_LOCATION, CONF_TAKE0, set_ready,
     .help = "Answers 200 while new requests should come to this server, and 503 with the reason from the moment that "
             "a graceful stop begins (drain_delay), and while a reload's workers did not start.",
     .differs = "Not in nginx."},
    {.name = NULL},
};

struct conf_module health_module = {.name = "Health", .rows = rows};
