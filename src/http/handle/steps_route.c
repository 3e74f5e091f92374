/* steps_route.c - the first steps of a request: instructions of the server, its location,
 * instructions of the location. Called by steps.c. See steps_private.h. */
#include "http/handle/steps_private.h"

#include "http/access/access.h"
#include "http/access/realip.h"
#include "http/core/route.h"
#include "http/respond/respond.h"
#include "http/rewrite/rewrite.h"

/* What comes when the URI and the location stay as they are. */
static void after_rewrite(struct request *r)
{
    const struct location *l = r->location;

    r->step = l->limits ? STEP_LIMIT : l->access ? STEP_ACCESS : STEP_TRY_FILES;
    r->step_at = 0;
}

/* The server's own instructions came first of all. As in nginx, a method that limit_except has
 * rules for skips those of the location: `return` must not answer what they refuse. */
static bool has_instructions(const struct request *r, const struct location *l)
{
    return l->rewrite && l != &r->server->base && access_chosen(r, l->access) == l->access;
}

static void enter(struct request *r, const struct location *l)
{
    r->location = l;
    r->rewrite = l->rewrite;
    if (l->realip)
        realip_apply(r);
    if (has_instructions(r, l))
        r->step = STEP_REWRITE;
    else
        after_rewrite(r);
}

/* Whether the body that is to come is larger than the location takes. */
static bool refuse_body(struct request *r)
{
    int64_t most = r->location->http->client_max_body_size;

    if (most <= 0 || !r->msg.has_length || r->msg.length <= (uint64_t)most)
        return false;
    request_log(r, LEVEL_ERROR, 0, "client intended to send too large body: %llu bytes",
                (unsigned long long)r->msg.length);
    r->awaits_body = false;
    respond_error(r, 413);
    return true;
}

bool steps_location(struct request *r)
{
    const struct location *l = route_location(r);
    if (!l) {
        respond_page(r, 500);
        return true;
    }
    enter(r, l);
    if (l->http->internal && !r->internal)
        respond_error(r, 404);
    else if (r->awaits_body)
        refuse_body(r);
    return true;
}

bool steps_named(struct request *r)
{
    enter(r, r->location);
    return true;
}

bool steps_route(struct request *r)
{
    const struct rewrite_program *p = r->server->base.rewrite;

    r->location = &r->server->base;
    r->step = STEP_LOCATION;
    if (r->location->realip)
        realip_apply(r);
    if (!p)
        return steps_location(r);
    enum rewrite_outcome outcome = rewrite_run(r, p);
    r->uri_changed = false;
    if (outcome == REWRITE_WAITS)
        r->step = STEP_ROUTE;
    return outcome != REWRITE_WAITS;
}

bool steps_rewrite(struct request *r)
{
    switch (rewrite_run(r, r->rewrite)) {
    case REWRITE_WAITS:
        return false;
    case REWRITE_ANSWERS:
        return true;
    case REWRITE_ENDS:
        break;
    }
    if (!r->uri_changed) {
        after_rewrite(r);
        return true;
    }
    r->uri_changed = false;
    if (respond_too_many(r, "processing"))
        return true;
    r->location = &r->server->base;
    r->step = STEP_LOCATION;
    return true;
}
