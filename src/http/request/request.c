/* request.c - the beginning and the end of a request. See request.h. */
#include "http/request/request.h"

#include "http/worker/worker.h"

#include <string.h>

/* A pooled request's memory begins with its link. */
union request_space {
    struct spare spare;
    char bytes[REQUEST_SPACE];
};

_Static_assert(sizeof(struct request) + 1024 <= REQUEST_SPACE, "room for a usual request's allocations");

static void on_turn(void *arg)
{
    request_resume(arg);
}

struct request *request_create_unseen(struct worker *w, struct carrier *carrier, const struct client *client)
{
    union request_space *space = spare_take(&w->requests, 0, sizeof *space);
    size_t used = (sizeof(struct request) + 15) & ~(size_t)15;

    if (!space)
        return NULL;
    struct request *r = (struct request *)(void *)space;
    memset(r, 0, sizeof *r);
    arena_init_on(&r->arena, space->bytes + used, sizeof *space - used, REQUEST_SPACE);
    list_init(&r->lookup.node);
    deferred_init(&r->turn, on_turn, r);
    r->carrier = carrier;
    r->worker = w;
    r->client = client;
    r->peer = &client->peer;
    r->out.method = IO_NONE;
    r->out.fields_end = &r->out.fields;
    return r;
}

struct request *request_create(struct worker *w, struct carrier *carrier, const struct client *client)
{
    struct request *r = request_create_unseen(w, carrier, client);

    if (r)
        w->counters->requests++;
    return r;
}

void request_destroy(struct request *r)
{
    struct worker *w = r->worker;
    union request_space *space = (union request_space *)(void *)r;

    deferred_clear(&r->turn);
    arena_fini(&r->arena);
    space->spare.cap = sizeof *space;
    spare_give(&w->requests, &space->spare);
}
