/* vhost.c - `server_name`, and the table of addresses with the servers behind each. */
#include "base/number.h"
#include "http/core/core.h"
#include "http/core/route.h"
#include "http/variable/variable.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- server_name ---- */

static struct server *server_of(const struct conf *cf)
{
    return cf->block->owner;
}

static struct text lower_copy(struct text t, struct arena *arena)
{
    char *copy = arena_copy(arena, t.at, t.len);
    for (size_t i = 0; copy && i < t.len; i++)
        copy[i] = text_lower(copy[i]);
    return (struct text){copy, copy ? t.len : 0};
}

static const char *set_regex_name(struct conf *cf, struct server_name *n)
{
    struct http_main *http = server_of(cf)->http;
    const char *error;

    n->kind = NAME_REGEX;
    n->text = text_from(n->text, 1);
    if (n->text.len == 0)
        return conf_error(cf, "empty regex in server name \"~\"");
    if (pattern_compile(&n->pattern, n->text, true, cf->arena, &error) < 0)
        return conf_error(cf, "%s", error);
    return variables_add_names(cf, http->variables, n->pattern, &n->names_base);
}

static const char *set_plain_name(struct conf *cf, struct server_name *n, struct text word)
{
    size_t star = text_find(n->text, '*');

    if (text_starts(n->text, TEXT("*.")) && n->text.len > 2) {
        n->kind = NAME_LEADING;
        n->text = text_from(n->text, 2);
    } else if (text_starts(n->text, TEXT(".")) && n->text.len > 1) {
        n->kind = NAME_LEADING;
        n->with_bare = true;
        n->text = text_from(n->text, 1);
    } else if (text_ends(n->text, TEXT(".*")) && n->text.len > 2) {
        n->kind = NAME_TRAILING;
        n->text.len -= 2;
    } else if (star < n->text.len) {
        return conf_error(cf, "invalid server name or wildcard \"%.*s\"", TEXT_ARG(word));
    }
    if (text_find(n->text, '*') < n->text.len)
        return conf_error(cf, "invalid server name or wildcard \"%.*s\"", TEXT_ARG(word));
    return NULL;
}

static const char *add_name(struct conf *cf, struct text word)
{
    struct server *server = server_of(cf);
    struct server_name *n = arena_zalloc(cf->arena, sizeof *n);
    char host[256] = "";

    if (!n)
        return conf_error(cf, "no memory");
    if (text_find(word, '/') < word.len && word.at[0] != '~')
        conf_warn(cf, "server name \"%.*s\" has suspicious symbols", TEXT_ARG(word));
    if (text_equal(word, TEXT("$hostname"))) {
        if (gethostname(host, sizeof host - 1) < 0)
            return conf_error(cf, "gethostname() failed");
        word = arena_text(cf->arena, text_of(host));
    }
    bool regex = text_starts(word, TEXT("~"));
    n->text = regex ? word : lower_copy(word, cf->arena);
    const char *error = regex ? set_regex_name(cf, n) : set_plain_name(cf, n, word);
    if (error)
        return error;
    if (list_empty(&server->names)) { /* the first one names the server */
        struct text name = text_starts(word, TEXT(".")) ? text_from(word, 1) : word;
        server->name = regex ? word : lower_copy(name, cf->arena);
    }
    list_append(&server->names, &n->node);
    return NULL;
}

const char *vhost_set_name(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    for (unsigned i = 1; i < cf->count; i++) {
        const char *error = add_name(cf, cf->args[i]);
        if (error)
            return error;
    }
    return NULL;
}

/* ---- addresses, when all servers are known ---- */

static const char *at_listen(struct conf *cf, const struct server_listen *l)
{
    cf->file = l->file;
    cf->line = l->line;
    return NULL;
}

static struct http_address *find_address(struct http_main *http, const struct address *address)
{
    for (unsigned i = 0; i < http->address_count; i++)
        if (address_equal(&http->addresses[i].address, address))
            return &http->addresses[i];
    return NULL;
}

static const char *join_address(struct conf *cf, struct http_main *http, struct server *server,
                                const struct server_listen *l, bool *has_default, bool *has_options)
{
    struct http_address *a = find_address(http, &l->address);

    if (!a) {
        a = &http->addresses[http->address_count++];
        *a = (struct http_address){.address = l->address, .options = l->options, .dflt = server};
    }
    size_t i = (size_t)(a - http->addresses);
    a->proxy_protocol = a->proxy_protocol || l->proxy_protocol;
    a->tls = a->tls || l->tls;
    a->http2 = a->http2 || l->http2;
    char text[ADDRESS_TEXT_SIZE];
    if (l->has_options) {
        if (has_options[i]) {
            address_format(&a->address, true, text);
            return conf_error(cf, "duplicate listen options for %s", text);
        }
        a->options = l->options;
        has_options[i] = true;
    }
    if (l->is_default) {
        if (has_default[i]) {
            address_format(&a->address, true, text);
            return conf_error(cf, "a duplicate default server for %s", text);
        }
        a->dflt = server;
        has_default[i] = true;
    }
    return NULL;
}

static unsigned count_listens(const struct http_main *http)
{
    unsigned n = 0;
    list_each (&http->servers, node, tmp) {
        struct server *s = container_of(node, struct server, node);
        list_each (&s->listens, l, next)
            n++;
    }
    return n;
}

static const char *add_names_at(struct conf *cf, struct http_main *http, struct server *server,
                                const struct server_listen *l)
{
    struct http_address *a = find_address(http, &l->address);

    list_each (&server->names, node, tmp) {
        const struct server_name *n = container_of(node, struct server_name, node);
        if (!a->names)
            a->names = name_table_create(cf->arena);
        int rc = a->names ? name_table_add(a->names, n, server, cf->arena) : -ENOMEM;
        if (rc == -EEXIST) {
            char text[ADDRESS_TEXT_SIZE];
            address_format(&a->address, true, text);
            conf_warn(cf, "conflicting server name \"%.*s\" on %s, ignored", TEXT_ARG(n->text), text);
        } else if (rc < 0) {
            return conf_error(cf, "no memory");
        }
    }
    return NULL;
}

/* Names only matter where several servers share an address. */
static bool is_alone(const struct http_main *http, const struct server *server, const struct address *address)
{
    list_each (&http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);
        if (s == server)
            continue;
        list_each (&s->listens, l, next) {
            if (address_equal(&container_of(l, struct server_listen, node)->address, address))
                return false;
        }
    }
    return true;
}

static bool has_regex(const struct server *server)
{
    list_each (&server->names, node, tmp) {
        if (container_of(node, struct server_name, node)->kind == NAME_REGEX)
            return true;
    }
    return false;
}

typedef const char *each_listen_fn(struct conf *cf, struct http_main *http, struct server *server,
                                   struct server_listen *l, void *arg);

static const char *each_listen(struct conf *cf, struct http_main *http, each_listen_fn *fn, void *arg)
{
    list_each (&http->servers, node, tmp) {
        struct server *s = container_of(node, struct server, node);
        list_each (&s->listens, l, next) {
            struct server_listen *sl = container_of(l, struct server_listen, node);
            at_listen(cf, sl);
            const char *error = fn(cf, http, s, sl, arg);
            if (error)
                return error;
        }
    }
    return NULL;
}

struct seen {
    bool *has_default, *has_options;
};

static const char *on_listen_address(struct conf *cf, struct http_main *http, struct server *server,
                                     struct server_listen *l, void *arg)
{
    struct seen *seen = arg;
    return join_address(cf, http, server, l, seen->has_default, seen->has_options);
}

static const char *on_listen_names(struct conf *cf, struct http_main *http, struct server *server,
                                   struct server_listen *l, void *arg)
{
    (void)arg;
    if (is_alone(http, server, &l->address) && !has_regex(server))
        return NULL;
    return add_names_at(cf, http, server, l);
}

static bool is_wildcard(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static bool covers(const struct address *wildcard, const struct address *a)
{
    return is_wildcard(wildcard) && !is_wildcard(a) && wildcard->any.sa_family == a->any.sa_family &&
           address_port(wildcard) == address_port(a);
}

/* Moves the addresses that a wildcard covers out of the list of sockets, behind the wildcard. */
static const char *gather_covered(struct conf *cf, struct http_main *http)
{
    unsigned total = http->address_count, kept = 0;
    struct http_address *all = http->addresses;
    struct http_address *sockets = arena_zalloc(cf->arena, (total + 1) * sizeof *sockets);
    struct http_address *covered = arena_zalloc(cf->arena, (total + 1) * sizeof *covered);

    if (!sockets || !covered)
        return conf_error(cf, "no memory");
    for (unsigned i = 0; i < total; i++) {
        bool is_covered = false;
        for (unsigned j = 0; j < total; j++)
            is_covered |= covers(&all[j].address, &all[i].address);
        if (!is_covered)
            sockets[kept++] = all[i];
    }
    for (unsigned i = 0; i < kept; i++) {
        sockets[i].inside = covered;
        for (unsigned j = 0; j < total; j++)
            if (covers(&sockets[i].address, &all[j].address))
                sockets[i].inside[sockets[i].inside_count++] = all[j];
        covered += sockets[i].inside_count;
    }
    http->addresses = sockets;
    http->address_count = kept;
    return NULL;
}

const char *vhost_finish(struct conf *cf, struct http_main *http)
{
    list_each (&http->servers, node, tmp) {
        struct server *s = container_of(node, struct server, node);
        const char *error = list_empty(&s->listens) ? vhost_default_listen(cf, s) : NULL;
        if (error)
            return error;
    }
    unsigned most = count_listens(http);
    struct seen seen = {arena_zalloc(cf->arena, most + 1), arena_zalloc(cf->arena, most + 1)};
    http->addresses = arena_zalloc(cf->arena, (most + 1) * sizeof *http->addresses);
    if (!http->addresses || !seen.has_default || !seen.has_options)
        return conf_error(cf, "no memory");
    const char *error = each_listen(cf, http, on_listen_address, &seen);
    if (!error)
        error = each_listen(cf, http, on_listen_names, NULL);
    return error ? error : gather_covered(cf, http);
}
