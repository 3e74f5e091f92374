/* route.c - finds the server and the location of a request. See route.h.
 *
 * Names and exact locations are in hash tables; prefixes in a radix tree, so that a lookup costs
 * what the URI is long. */
#include "http/core/route.h"

#include "http/syntax/text_table.h"
#include "http/variable/variable.h"

#include <errno.h>

/* ---- server names ---- */

struct regex_name {
    struct regex_name *next;
    const struct server_name *name;
    const struct server *server;
};

struct name_table {
    struct text_table exact, leading, trailing;
    struct regex_name *regexes, **regexes_end;
};

struct name_table *name_table_create(struct arena *arena)
{
    struct name_table *t = arena_zalloc(arena, sizeof *t);
    if (t)
        t->regexes_end = &t->regexes;
    return t;
}

int name_table_add(struct name_table *t, const struct server_name *name, const struct server *server,
                   struct arena *arena)
{
    switch (name->kind) {
    case NAME_EXACT:
        return text_table_add(&t->exact, name->text, server, arena);
    case NAME_TRAILING:
        return text_table_add(&t->trailing, name->text, server, arena);
    case NAME_LEADING: {
        int rc = text_table_add(&t->leading, name->text, server, arena);
        if (rc == 0 && name->with_bare)
            rc = text_table_add(&t->exact, name->text, server, arena);
        return rc;
    }
    case NAME_REGEX:
        break;
    }
    struct regex_name *rn = arena_alloc(arena, sizeof *rn);
    if (!rn)
        return -ENOMEM;
    *rn = (struct regex_name){NULL, name, server};
    *t->regexes_end = rn;
    t->regexes_end = &rn->next;
    return 0;
}

void route_begin(struct request *r)
{
    r->server = r->client->address->dflt;
    r->location = &r->server->base;
}

/* By a name that is no regular expression. */
static const struct server *find_plain(const struct name_table *t, struct text host)
{
    const struct server *s = text_table_find(&t->exact, host);
    if (!s)
        s = text_table_leading(&t->leading, host);
    return s ? s : text_table_trailing(&t->trailing, host);
}

const struct server *route_server(const struct http_address *address, struct request *r)
{
    const struct name_table *t = address->names;
    if (!t)
        return address->dflt;

    const struct server *s = find_plain(t, r->host);
    if (s || r->host.len == 0)
        return s ? s : address->dflt;
    for (const struct regex_name *rn = t->regexes; rn; rn = rn->next) {
        struct captures c;
        if (pattern_match(rn->name->pattern, r->host, &c) == 1) {
            r->server = rn->server;
            variables_capture(r, rn->name->pattern, rn->name->names_base, &c);
            return rn->server;
        }
    }
    return address->dflt;
}

const struct server *route_server_named(const struct http_address *address, struct text host)
{
    const struct name_table *t = address->names;
    if (!t || host.len == 0)
        return address->dflt;

    const struct server *s = find_plain(t, host);
    for (const struct regex_name *rn = t->regexes; rn && !s; rn = rn->next) {
        struct captures c;
        if (pattern_match(rn->name->pattern, host, &c) == 1)
            s = rn->server;
    }
    return s ? s : address->dflt;
}

/* ---- locations ---- */

/* A node stands for the text on the way to it; `location` is the one whose name that is. */
struct node {
    struct text label; /* from the parent */
    struct node *children, *next;
    const struct location *location;
};

struct regex_location {
    struct regex_location *next;
    const struct location *location;
};

struct location_tree {
    struct text_table exact, named;
    struct node root;
    struct regex_location *regexes, **regexes_end;
};

struct location_tree *location_tree_create(struct arena *arena)
{
    struct location_tree *t = arena_zalloc(arena, sizeof *t);
    if (t)
        t->regexes_end = &t->regexes;
    return t;
}

static size_t common(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;
    while (i < n && a.at[i] == b.at[i])
        i++;
    return i;
}

static struct node *child_with(const struct node *parent, char first)
{
    for (struct node *n = parent->children; n; n = n->next)
        if (n->label.at[0] == first)
            return n;
    return NULL;
}

static struct node *node_create(struct node *parent, struct text label, struct arena *arena)
{
    struct node *n = arena_zalloc(arena, sizeof *n);
    if (!n)
        return NULL;
    n->label = label;
    n->next = parent->children;
    parent->children = n;
    return n;
}

/* Splits `n` so that its label is `len` long; what was behind becomes its only child. */
static bool node_split(struct node *n, size_t len, struct arena *arena)
{
    struct node *rest = arena_alloc(arena, sizeof *rest);
    if (!rest)
        return false;
    *rest = *n;
    rest->label = text_from(n->label, len);
    rest->next = NULL;
    n->label.len = len;
    n->children = rest;
    n->location = NULL;
    return true;
}

static int prefix_add(struct location_tree *t, const struct location *l, struct arena *arena)
{
    struct node *n = &t->root;
    struct text left = l->name;

    while (left.len > 0) {
        struct node *c = child_with(n, left.at[0]);
        if (!c) {
            c = node_create(n, left, arena);
            if (!c)
                return -ENOMEM;
            n = c;
            break;
        }
        size_t same = common(c->label, left);
        if (same < c->label.len && !node_split(c, same, arena))
            return -ENOMEM;
        left = text_from(left, same);
        n = c;
    }
    if (n->location)
        return -EEXIST;
    n->location = l;
    return 0;
}

int location_tree_add(struct location_tree *t, struct location *l, struct arena *arena)
{
    struct text_table *h = l->kind == LOCATION_NAMED ? &t->named : &t->exact;

    switch (l->kind) {
    case LOCATION_PREFIX:
    case LOCATION_PREFIX_FINAL:
        return prefix_add(t, l, arena);
    case LOCATION_EXACT:
    case LOCATION_NAMED:
        return text_table_add(h, l->name, l, arena);
    case LOCATION_REGEX:
        break;
    }
    struct regex_location *rl = arena_alloc(arena, sizeof *rl);
    if (!rl)
        return -ENOMEM;
    *rl = (struct regex_location){NULL, l};
    *t->regexes_end = rl;
    t->regexes_end = &rl->next;
    return 0;
}

static const struct location *longest_prefix(const struct location_tree *t, struct text uri)
{
    const struct node *n = &t->root;
    const struct location *best = n->location;

    while (uri.len > 0) {
        n = child_with(n, uri.at[0]);
        if (!n || !text_starts(uri, n->label))
            break;
        if (n->location)
            best = n->location;
        uri = text_from(uri, n->label.len);
    }
    return best;
}

enum search {
    SEARCH_ON,    /* a prefix at most was found: regular expressions further out may still beat it */
    SEARCH_ENDED, /* by an exact name, or by a regular expression and what is inside of it */
    SEARCH_FAILED /* a regular expression could not be tried */
};

/* What `t` says about r->uri. */
static const struct location *find_in(const struct location_tree *t, struct request *r, enum search *search)
{
    const struct location *l = text_table_find(&t->exact, r->uri);
    if (l) {
        *search = SEARCH_ENDED;
        return l;
    }
    l = longest_prefix(t, r->uri);
    bool final = l && l->kind == LOCATION_PREFIX_FINAL;
    if (l && l->tree) {
        const struct location *inner = find_in(l->tree, r, search);
        if (*search != SEARCH_ON)
            return inner;
        if (inner) /* an inner ^~ does not hold off the regexes out here */
            l = inner;
    }
    if (final)
        return l;
    for (const struct regex_location *rl = t->regexes; rl; rl = rl->next) {
        struct captures c;
        int rc = pattern_match(rl->location->pattern, r->uri, &c);
        if (rc < 0) {
            *search = SEARCH_FAILED;
            return NULL;
        }
        if (rc == 0)
            continue;
        variables_capture(r, rl->location->pattern, rl->location->names_base, &c);
        const struct location *inner = rl->location->tree ? find_in(rl->location->tree, r, search) : NULL;
        if (*search != SEARCH_FAILED)
            *search = SEARCH_ENDED;
        return inner || *search == SEARCH_FAILED ? inner : rl->location;
    }
    return l;
}

const struct location *route_location(struct request *r)
{
    enum search search = SEARCH_ON;
    const struct location *l = find_in(r->server->tree, r, &search);

    if (search == SEARCH_FAILED)
        return NULL;
    return l ? l : &r->server->base;
}

const struct location *route_named(const struct server *server, struct text name)
{
    return text_table_find(&server->tree->named, name);
}
