/* servers.c - a TLS context for each server that has a certificate. See servers.h. */
#include "http/tls/servers.h"

#include "net/tls_context.h"

static void on_arena_gone(void *arg)
{
    tls_context_release(arg);
}

static const char *open_server(struct server *s, struct arena *arena)
{
    if (!s->tls->certificates)
        return NULL;
    const char *error = tls_context_create(&s->tls_context, s->tls, arena);
    if (error || arena_at_fini(arena, on_arena_gone, s->tls_context) == 0)
        return error;
    tls_context_release(s->tls_context);
    s->tls_context = NULL;
    return "no memory";
}

const char *tls_servers_open(struct http_main *http, struct arena *arena)
{
    list_each (&http->servers, node, tmp) {
        const char *error = open_server(container_of(node, struct server, node), arena);
        if (error)
            return error;
    }
    return NULL;
}
