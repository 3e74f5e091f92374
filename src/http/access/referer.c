/* referer.c - whether the page that led here is one of those that may. See referer.h.
 *
 * Names are sorted when the configuration has been read, and found by bisection. */
#include "http/access/referer.h"

#include "http/core/core.h"
#include "http/request/request.h"

#include <errno.h>
#include <stdlib.h>

struct name {
    struct text host; /* of wildcards the fixed part */
    struct text uri;  /* that the referer's path must begin with; absent: any */
};

struct names {
    struct name *items;
    size_t count, cap;
};

struct regex {
    struct regex *next;
    struct pattern *pattern;
    bool host_only; /* from server_name; the others see host and path */
};

struct referers {
    bool none, blocked, server_names, finished;
    struct names exact, leading /* *.example.org */, trailing /* www.example.* */;
    struct regex *regexes, **regexes_end;
};

/* Values of referer_module. */
struct referer_conf {
    struct referers *referers; /* NULL: every referer is valid */
};

/* ---- reading ---- */

static int add_name(struct names *n, struct name name, struct arena *arena)
{
    if (n->count == n->cap) {
        size_t cap = n->cap ? 2 * n->cap : 4;
        struct name *more = arena_alloc(arena, cap * sizeof *more);
        if (!more)
            return -ENOMEM;
        if (n->count > 0)
            memcpy(more, n->items, n->count * sizeof *more);
        n->items = more;
        n->cap = cap;
    }
    n->items[n->count++] = name;
    return 0;
}

static struct text lower(struct text t, struct arena *arena)
{
    char *copy = arena_copy(arena, t.at, t.len);
    for (size_t i = 0; copy && i < t.len; i++)
        copy[i] = text_lower(copy[i]);
    return (struct text){copy, t.len};
}

static bool contains(struct text t, const char *what)
{
    return memmem(t.at, t.len, what, strlen(what)) != NULL;
}

/* "example.org", ".example.org", "*.example.org", "www.example.*", each perhaps with a path. */
static int add_host(struct referers *rs, struct text host, struct text uri, struct arena *arena)
{
    struct name name = {lower(host, arena), uri};
    struct text fixed = name.host;

    if (!fixed.at)
        return -ENOMEM;
    if (contains(fixed, ".."))
        return -EINVAL;
    if (text_starts(fixed, TEXT("*."))) {
        name.host = text_from(fixed, 2);
        if (name.host.len == 0 || contains(name.host, "*"))
            return -EINVAL;
        return add_name(&rs->leading, name, arena);
    }
    if (text_ends(fixed, TEXT(".*"))) {
        name.host.len -= 2;
        if (name.host.len == 0 || contains(name.host, "*"))
            return -EINVAL;
        return add_name(&rs->trailing, name, arena);
    }
    if (contains(fixed, "*"))
        return -EINVAL;
    if (!text_starts(fixed, TEXT(".")) || fixed.len == 1)
        return add_name(&rs->exact, name, arena);
    name.host = text_from(fixed, 1);
    int rc = add_name(&rs->exact, name, arena);
    return rc < 0 ? rc : add_name(&rs->leading, name, arena);
}

static int add_regex(struct referers *rs, struct pattern *pattern, bool host_only, struct arena *arena)
{
    struct regex *x = arena_alloc(arena, sizeof *x);
    if (!x)
        return -ENOMEM;
    *x = (struct regex){NULL, pattern, host_only};
    *rs->regexes_end = x;
    rs->regexes_end = &x->next;
    return 0;
}

static const char *set_regex(struct conf *cf, struct referers *rs, struct text word)
{
    struct pattern *pattern;
    const char *error;

    if (word.len == 1)
        return conf_error(cf, "empty regex in \"%.*s\"", TEXT_ARG(word));
    if (pattern_compile(&pattern, text_from(word, 1), true, cf->arena, &error) < 0)
        return conf_error(cf, "%s", error);
    return add_regex(rs, pattern, false, cf->arena) < 0 ? conf_error(cf, "no memory") : NULL;
}

static const char *set_word(struct conf *cf, struct referers *rs, struct text word)
{
    if (text_equal(word, TEXT("none")))
        rs->none = true;
    else if (text_equal(word, TEXT("blocked")))
        rs->blocked = true;
    else if (text_equal(word, TEXT("server_names")))
        rs->server_names = true;
    else if (text_starts(word, TEXT("~")))
        return set_regex(cf, rs, word);
    else {
        size_t slash = text_find(word, '/');
        struct text uri = slash < word.len ? text_from(word, slash) : TEXT_NONE;
        int rc = add_host(rs, (struct text){word.at, slash}, uri, cf->arena);
        if (rc == -EINVAL)
            return conf_error(cf, "invalid hostname or wildcard \"%.*s\"", TEXT_ARG(word));
        return rc < 0 ? conf_error(cf, "no memory") : NULL;
    }
    return NULL;
}

static const char *set_valid_referers(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct referers **rs = slot;
    const char *error = NULL;

    if (!*rs) {
        *rs = arena_zalloc(cf->arena, sizeof **rs);
        if (!*rs)
            return conf_error(cf, "no memory");
        (*rs)->regexes_end = &(*rs)->regexes;
    }
    for (unsigned i = 1; i < cf->count && !error; i++)
        error = set_word(cf, *rs, cf->args[i]);
    return error;
}

/* ---- when everything has been read ---- */

static int add_server_name(struct referers *rs, const struct server_name *n, struct arena *arena)
{
    struct name name = {n->text, TEXT_NONE};

    switch (n->kind) {
    case NAME_EXACT:
        return n->text.len > 0 ? add_name(&rs->exact, name, arena) : 0;
    case NAME_LEADING: {
        int rc = add_name(&rs->leading, name, arena);
        return rc == 0 && n->with_bare ? add_name(&rs->exact, name, arena) : rc;
    }
    case NAME_TRAILING:
        return add_name(&rs->trailing, name, arena);
    case NAME_REGEX:
        return add_regex(rs, n->pattern, true, arena);
    }
    return 0;
}

static int add_server_names(struct referers *rs, const struct conf_block *block, struct arena *arena)
{
    int rc = 0;

    while (block->context != CONF_SERVER)
        block = block->parent;
    const struct server *server = block->owner;
    list_each (&server->names, node, tmp) {
        rc = add_server_name(rs, container_of(node, struct server_name, node), arena);
        if (rc < 0)
            break;
    }
    return rc;
}

static int compare_hosts(struct text a, struct text b)
{
    int rc = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return rc != 0 ? rc : a.len < b.len ? -1 : a.len > b.len;
}

static int by_host(const void *a, const void *b)
{
    return compare_hosts(((const struct name *)a)->host, ((const struct name *)b)->host);
}

/* The same name twice is harmless, unless it has two paths. */
static const char *sort(struct conf *cf, struct names *n)
{
    if (n->count > 0)
        qsort(n->items, n->count, sizeof *n->items, by_host);
    for (size_t i = 1; i < n->count; i++)
        if (by_host(&n->items[i - 1], &n->items[i]) == 0 && !text_equal(n->items[i - 1].uri, n->items[i].uri))
            return conf_error(cf, "conflicting parameter \"%.*s\" in \"valid_referers\" directive",
                              TEXT_ARG(n->items[i].host));
    return NULL;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct referers *rs = ((struct referer_conf *)values)->referers;

    if (!rs || rs->finished)
        return NULL;
    rs->finished = true;
    if (rs->server_names && add_server_names(rs, block, cf->arena) < 0)
        return conf_error(cf, "no memory");
    if (rs->exact.count + rs->leading.count + rs->trailing.count == 0 && !rs->regexes)
        return conf_error(cf, "the \"none\" or \"blocked\" referers are specified in the \"valid_referers\" directive "
                              "without any valid referer");
    const char *error = sort(cf, &rs->exact);
    if (!error)
        error = sort(cf, &rs->leading);
    return error ? error : sort(cf, &rs->trailing);
}

/* ---- asking ---- */

static const struct name *find(const struct names *n, struct text host)
{
    size_t low = 0, high = n->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int rc = compare_hosts(host, n->items[middle].host);
        if (rc == 0)
            return &n->items[middle];
        if (rc < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The exact name, the longest *.name, the longest name.* */
static const struct name *find_host(const struct referers *rs, struct text host)
{
    const struct name *n = find(&rs->exact, host);

    for (size_t i = 1; i < host.len && !n; i++)
        if (host.at[i] == '.')
            n = find(&rs->leading, text_from(host, i + 1));
    for (size_t i = host.len; i-- > 1 && !n;)
        if (host.at[i] == '.')
            n = find(&rs->trailing, (struct text){host.at, i});
    return n;
}

/* `rest`: a referer behind its scheme. */
static bool is_valid_url(const struct referers *rs, struct text rest)
{
    char buffer[256];
    struct text host = {buffer, 0};

    while (host.len < rest.len && rest.at[host.len] != '/' && rest.at[host.len] != ':') {
        if (host.len == sizeof buffer)
            return false;
        buffer[host.len] = text_lower(rest.at[host.len]);
        host.len++;
    }
    const struct name *n = find_host(rs, host);
    if (n) {
        struct text path = text_from(rest, text_find(rest, '/'));
        return !n->uri.at || text_starts(path, n->uri);
    }
    for (const struct regex *x = rs->regexes; x; x = x->next)
        if (x->host_only && pattern_match(x->pattern, host, NULL) == 1)
            return true;
    for (const struct regex *x = rs->regexes; x; x = x->next)
        if (!x->host_only && pattern_match(x->pattern, rest, NULL) == 1)
            return true;
    return false;
}

static bool is_valid(const struct referers *rs, struct text referer)
{
    static const struct text schemes[] = {{"http://", 7}, {"https://", 8}};

    if (!referer.at)
        return rs->none;
    if (referer.len < sizeof "http://i.ru" - 1)
        return rs->blocked;
    for (unsigned i = 0; i < 2; i++)
        if (text_equal_nocase((struct text){referer.at, schemes[i].len}, schemes[i]))
            return is_valid_url(rs, text_from(referer, schemes[i].len));
    return rs->blocked; /* a proxy has taken the scheme, or all of it, away */
}

static void get_invalid(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->invalid_referer;
    if (out->at)
        return;
    const struct conf_block *block = r->location && r->location->block ? r->location->block : r->server->block;
    const struct referer_conf *c = conf_values_around(block, &referer_module);

    *out = !c->referers || is_valid(c->referers, r->msg.fields[FIELD_REFERER]) ? TEXT("") : TEXT("1");
    r->invalid_referer = *out;
}

const struct variable_row referer_variables[] = {
    {"invalid_referer", .get = get_invalid, .flags = VARIABLE_CHANGEABLE},
    {.name = NULL},
};

static const struct conf_row rows[] = {
    {"valid_referers", CONF_SERVER | CONF_LOCATION, CONF_1MORE | CONF_REPEAT, set_valid_referers,
     CONF_SLOT(struct referer_conf, referers), .syntax = "none | blocked | server_names | name[/path] | ~regex ...",
     .help = "Referers for which $invalid_referer is empty and not \"1\". Names may begin or end with *."},
    {"referer_hash_max_size", CONF_SERVER | CONF_LOCATION, CONF_TAKE1, conf_set_accepted,
     .help = "Accepted; it has no meaning here."},
    {"referer_hash_bucket_size", CONF_SERVER | CONF_LOCATION, CONF_TAKE1, conf_set_accepted,
     .help = "Accepted; it has no meaning here."},
    {.name = NULL},
};

struct conf_module referer_module = {
    .name = "Referers",
    .rows = rows,
    .size = sizeof(struct referer_conf),
    .levels = CONF_SERVER | CONF_LOCATION,
    .finish = finish,
};
