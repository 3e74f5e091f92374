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

/* Who comes to the address gets its default server's, whatever the name. */
static const char *open_address(struct http_address *a, struct arena *arena)
{
    const struct conf_block *block = a->dflt->block;

    a->acceptor.fallback = a->dflt->tls_context;
    if (!a->tls || a->acceptor.fallback)
        return NULL;
    const char *error = arena_printf(arena,
                                     "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in "
                                     "%s:%u",
                                     block->file, block->line);
    return error ? error : "no memory";
}

static const char *open_addresses(struct http_address *all, unsigned count, struct arena *arena)
{
    const char *error = NULL;

    for (unsigned i = 0; i < count && !error; i++) {
        error = open_address(&all[i], arena);
        if (!error)
            error = open_addresses(all[i].inside, all[i].inside_count, arena);
    }
    return error;
}

const char *tls_servers_open(struct http_main *http, struct arena *arena)
{
    list_each (&http->servers, node, tmp) {
        const char *error = open_server(container_of(node, struct server, node), arena);
        if (error)
            return error;
    }
    return open_addresses(http->addresses, http->address_count, arena);
}
