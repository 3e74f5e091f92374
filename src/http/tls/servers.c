/* servers.c - a TLS context for each server that has a certificate. See servers.h. */
#include "http/tls/servers.h"

#include "base/log.h"
#include "http/core/route.h"
#include "http/site/http2.h"
#include "net/tls/tls_context.h"

static void on_arena_gone(void *arg)
{
    tls_context_release(arg);
}

/* Of a wildcard: some name that it stands for. A name that is none for hosts, as "_", is there to be
 * never asked for. */
static const char *example_of(const struct server_name *n, struct arena *arena)
{
    bool is_host = n->text.len > 0 && text_find(n->text, '_') == n->text.len;

    if (!is_host || n->kind == NAME_TRAILING || n->kind == NAME_REGEX)
        return NULL;
    return arena_printf(arena, "%s%.*s", n->kind == NAME_LEADING ? "any." : "", TEXT_ARG(n->text));
}

static void check_names(const struct server *s, struct arena *arena)
{
    if (!s->tls->certificates || s->tls->reject_handshake || tls_conf_varies(s->tls))
        return;
    list_each (&s->names, node, tmp) {
        const struct server_name *n = container_of(node, struct server_name, node);
        const char *example = example_of(n, arena);
        if (!example || tls_context_covers(s->tls_context, example))
            continue;
        log_warn(0, "certificate \"%s\" is not for the server name \"%s%.*s\" in %s:%u", s->tls->certificates->word,
                 n->kind == NAME_LEADING ? "*." : "", TEXT_ARG(n->text), s->block->file, s->block->line);
    }
}

static const char *open_server(struct server *s, struct arena *arena)
{
    if (!s->tls->certificates && !s->tls->reject_handshake)
        return NULL;
    const char *error = tls_context_create(&s->tls_context, s->tls, arena);
    if (error)
        return error;
    tls_context_own(s->tls_context, s);
    if (arena_at_fini(arena, on_arena_gone, s->tls_context) == 0) {
        check_names(s, arena);
        return NULL;
    }
    tls_context_release(s->tls_context);
    s->tls_context = NULL;
    return "no memory";
}

/* By the name that a client has in its first message. */
static struct tls_context *on_choose(void *user, struct text name, bool *h2)
{
    const struct http_address *a = user;
    const struct server *s = route_server_named(a, name);

    *h2 = http2_available() && (a->http2 || s->base.http->http2);
    return s->tls_context;
}

static const char *refuse_server(const struct server *s, struct arena *arena)
{
    const char *error = arena_printf(arena,
                                     "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in "
                                     "%s:%u",
                                     s->block->file, s->block->line);
    return error ? error : "no memory";
}

static bool listens_at(const struct server *s, const struct http_address *a)
{
    list_each (&s->listens, node, tmp) {
        if (address_equal(&container_of(node, struct server_listen, node)->address, &a->address))
            return true;
    }
    return false;
}

/* A server without a certificate uses that of the address' default server, if that one has any. */
static const char *check_address(const struct http_main *http, const struct http_address *a, struct arena *arena)
{
    if (!a->tls || a->dflt->tls->certificates)
        return NULL;
    if (!a->dflt->tls_context)
        return refuse_server(a->dflt, arena);
    list_each (&http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);
        if (!s->tls_context && listens_at(s, a))
            return refuse_server(s, arena);
    }
    return NULL;
}

static const char *open_addresses(const struct http_main *http, struct http_address *all, unsigned count,
                                  struct arena *arena)
{
    const char *error = NULL;

    for (unsigned i = 0; i < count && !error; i++) {
        struct http_address *a = &all[i];
        a->acceptor = (struct tls_acceptor){.fallback = a->dflt->tls_context, .choose = on_choose, .user = a};
        error = check_address(http, a, arena);
        if (!error)
            error = open_addresses(http, all[i].inside, all[i].inside_count, arena);
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
    return open_addresses(http, http->addresses, http->address_count, arena);
}
