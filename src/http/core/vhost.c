/* vhost.c - `listen` and `server_name`, and the table of addresses with the servers behind each. */
#include "base/number.h"
#include "http/core/core.h"
#include "http/core/route.h"
#include "http/variable/variable.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEFAULT_PORT = 80, MOST_ADDRESSES = 16, DEFAULT_BACKLOG = 511 };

static const struct listen_options default_options = {
    .backlog = DEFAULT_BACKLOG,
    .ipv6only = -1,
    .reuseport = true,
    .keepalive = -1,
};

/* ---- listen ---- */

static bool take_value(struct text word, struct text name, struct text *value)
{
    if (!text_starts(word, name))
        return false;
    *value = text_from(word, name.len);
    return true;
}

/* so_keepalive=on | off | [idle]:[interval]:[count] */
static const char *set_keepalive(struct conf *cf, struct text value, struct listen_options *o)
{
    int *slots[3] = {&o->keepidle, &o->keepintvl, &o->keepcnt};

    if (text_equal(value, TEXT("on")) || text_equal(value, TEXT("off"))) {
        o->keepalive = value.len == 2;
        return NULL;
    }
    o->keepalive = 1;
    for (int i = 0; i < 3; i++) {
        struct text part = {value.at, text_find(value, ':')};
        uint64_t number = 0;
        int64_t sec = 0;
        int rc = 0;
        if (part.len > 0)
            rc = i < 2 ? number_parse_sec(part, &sec) : number_parse(part, &number);
        if (rc < 0 || sec > INT32_MAX || number > INT32_MAX)
            return conf_error(cf, "invalid so_keepalive value: \"%.*s\"", TEXT_ARG(value));
        *slots[i] = i < 2 ? (int)sec : (int)number;
        if (part.len == value.len) {
            value = TEXT("");
            continue;
        }
        value = text_from(value, part.len + 1);
    }
    return NULL;
}

static const char *set_size(struct conf *cf, struct text value, const char *name, int *slot)
{
    uint64_t size;
    if (number_parse_size(value, &size) < 0 || size == 0 || size > INT32_MAX)
        return conf_error(cf, "invalid %s value \"%.*s\"", name, TEXT_ARG(value));
    *slot = (int)size;
    return NULL;
}

/* What nginx's `listen` has and this one has not: why, or NULL. */
static const char *refuse_option(struct text word)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"ssl", "sluice speaks plain HTTP; put TLS in front of it (a proxy or load balancer)"},
        {"http2", "sluice speaks HTTP/1.1; let what is in front of it speak HTTP/2"},
        {"spdy", "sluice speaks HTTP/1.1; let what is in front of it speak HTTP/2"},
        {"quic", "sluice speaks HTTP/1.1 over TCP; let what is in front of it speak HTTP/3"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_equal(word, text_of(known[i].name)))
            return known[i].why;
    }
    if (text_starts(word, TEXT("setfib=")) || text_starts(word, TEXT("accept_filter=")))
        return "Linux has no such thing; remove it";
    return NULL;
}

static const char *set_option(struct conf *cf, struct server_listen *l, struct text word)
{
    struct listen_options *o = &l->options;
    struct text value;

    if (text_equal(word, TEXT("default_server")) || text_equal(word, TEXT("default"))) {
        l->is_default = true;
        return NULL;
    }
    if (text_equal(word, TEXT("proxy_protocol"))) {
        l->proxy_protocol = true;
        return NULL;
    }
    l->has_options = true;
    if (text_equal(word, TEXT("bind")))
        return NULL;
    if (text_equal(word,
                   TEXT("multipath"))) { /* a client that offers several paths takes one that is refused the others */
        conf_warn(cf, "\"multipath\" has no effect: sluice listens for plain TCP, which such clients speak, too");
        return NULL;
    }
    if (text_equal(word, TEXT("reuseport"))) {
        o->reuseport = true;
        return NULL;
    }
    if (text_equal(word, TEXT("deferred"))) {
        o->deferred = true;
        return NULL;
    }
    if (take_value(word, TEXT("reuseport="), &value) &&
        (text_equal(value, TEXT("on")) || text_equal(value, TEXT("off")))) {
        o->reuseport = value.len == 2;
        return NULL;
    }
    if (take_value(word, TEXT("backlog="), &value)) {
        uint64_t n;
        if (number_parse(value, &n) < 0 || n == 0 || n > INT32_MAX)
            return conf_error(cf, "invalid backlog \"%.*s\"", TEXT_ARG(value));
        o->backlog = (int)n;
        return NULL;
    }
    if (take_value(word, TEXT("fastopen="), &value)) {
        uint64_t n;
        if (number_parse(value, &n) < 0 || n > INT32_MAX)
            return conf_error(cf, "invalid fastopen \"%.*s\"", TEXT_ARG(value));
        o->fastopen = (int)n;
        return NULL;
    }
    if (take_value(word, TEXT("rcvbuf="), &value))
        return set_size(cf, value, "rcvbuf", &o->rcvbuf);
    if (take_value(word, TEXT("sndbuf="), &value))
        return set_size(cf, value, "sndbuf", &o->sndbuf);
    if (take_value(word, TEXT("so_keepalive="), &value))
        return set_keepalive(cf, value, o);
    if (take_value(word, TEXT("ipv6only="), &value)) {
        if (l->address.any.sa_family != AF_INET6)
            return conf_error(cf, "ipv6only is not supported on addr \"%.*s\"", TEXT_ARG(cf->args[1]));
        if (!text_equal(value, TEXT("on")) && !text_equal(value, TEXT("off")))
            return conf_error(cf, "invalid ipv6only flags \"%.*s\"", TEXT_ARG(value));
        o->ipv6only = value.len == 2;
        return NULL;
    }
    const char *why = refuse_option(word);
    if (why)
        return conf_error(cf, "the \"%.*s\" parameter is not supported: %s", TEXT_ARG(word), why);
    return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(word));
}

static struct server *server_of(const struct conf *cf)
{
    return cf->block->owner;
}

static const char *add_listen(struct conf *cf, struct server *server, const struct address *address)
{
    list_each (&server->listens, node, tmp) {
        if (address_equal(&container_of(node, struct server_listen, node)->address, address))
            return conf_error(cf, "a duplicate listen %.*s", TEXT_ARG(cf->args[1]));
    }
    struct server_listen *l = arena_zalloc(cf->arena, sizeof *l);
    if (!l)
        return conf_error(cf, "no memory");
    l->address = *address;
    l->options = default_options;
    if (address->any.sa_family == AF_UNIX)
        l->options.reuseport = false;
    l->file = cf->file;
    l->line = cf->line;
    for (unsigned i = 2; i < cf->count; i++) {
        const char *error = set_option(cf, l, cf->args[i]);
        if (error)
            return error;
    }
    list_append(&server->listens, &l->node);
    return NULL;
}

const char *vhost_set_listen(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct address addresses[MOST_ADDRESSES];
    unsigned count;
    const char *what;

    if (address_parse(cf->args[1], DEFAULT_PORT, addresses, MOST_ADDRESSES, &count, &what) < 0)
        return conf_error(cf, "%s in \"%.*s\" of the \"listen\" directive", what, TEXT_ARG(cf->args[1]));
    for (unsigned i = 0; i < count; i++) {
        const char *error = add_listen(cf, server_of(cf), &addresses[i]);
        if (error)
            return error;
    }
    return NULL;
}

/* ---- server_name ---- */

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

static const char *default_listen(struct conf *cf, struct server *server)
{
    struct server_listen *l = arena_zalloc(cf->arena, sizeof *l);
    unsigned count;
    const char *what;

    if (!l)
        return conf_error(cf, "no memory");
    l->options = default_options;
    l->file = server->block->file;
    l->line = server->block->line;
    /* nginx: port 80 with the privileges to bind it, else 8000. */
    struct text where = geteuid() == 0 ? TEXT("*:80") : TEXT("*:8000");
    if (address_parse(where, DEFAULT_PORT, &l->address, 1, &count, &what) < 0)
        return conf_error(cf, "%s", what);
    list_append(&server->listens, &l->node);
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
        const char *error = list_empty(&s->listens) ? default_listen(cf, s) : NULL;
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
