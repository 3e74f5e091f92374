/* variable.c - names to values, and templates compiled once. Used by every directive that takes variables. */
#include "http/variable.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/access_log.h"
#include "http/connection.h"
#include "http/request.h"
#include "http/variable_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A reference from a template, resolved when all names are known. */
struct pending {
    struct pending *next;
    struct variable *variable;
    const char *file;
    unsigned line;
};

struct named {
    struct named *next;
    struct text name;
    unsigned index; /* in request.named */
};

struct variables {
    struct arena *arena;
    struct pending *pending;
    struct named *names;
    unsigned named;
};

struct variables *variables_create(struct arena *arena)
{
    struct variables *vs = arena_zalloc(arena, sizeof *vs);
    if (vs)
        vs->arena = arena;
    return vs;
}

unsigned variables_named(const struct variables *vs)
{
    return vs->named;
}

int variables_add_names(struct variables *vs, const struct pattern *p, unsigned *base, struct arena *arena)
{
    unsigned count = pattern_names(p);

    *base = vs->named;
    for (unsigned i = 0; i < count; i++) {
        struct named *n = arena_alloc(arena, sizeof *n);
        if (!n)
            return -ENOMEM;
        unsigned group;
        n->name = arena_text(arena, pattern_name(p, i, &group));
        n->index = vs->named++;
        n->next = vs->names;
        vs->names = n;
        if (!n->name.at)
            return -ENOMEM;
    }
    return 0;
}

void variables_capture(struct request *r, const struct pattern *p, unsigned names_base, const struct captures *c)
{
    r->captures = *c;
    unsigned count = pattern_names(p);
    if (count == 0)
        return;
    const struct variables *vs = r->server->http->variables;
    if (!r->named)
        r->named = arena_zalloc(&r->arena, vs->named * sizeof *r->named);
    if (!r->named)
        return;
    for (unsigned i = 0; i < count; i++) {
        unsigned group;
        pattern_name(p, i, &group);
        if (group < c->count)
            r->named[names_base + i] = c->group[group];
    }
}

/* One name may be a group of several expressions: the one that matched has set its own. */
static void get_named(struct request *r, const void *data, struct text *out)
{
    const struct variable *v = data;
    const struct variables *vs = r->server->http->variables;

    *out = TEXT_NONE;
    if (!r->named)
        return;
    for (const struct named *n = vs->names; n && !out->at; n = n->next)
        if (text_equal(n->name, v->name))
            *out = r->named[n->index];
}

static void get_capture(struct request *r, const void *data, struct text *out)
{
    unsigned group = (unsigned)(((const struct variable *)data)->name.at[0] - '0');
    *out = group < r->captures.count ? r->captures.group[group] : TEXT_NONE;
}

static bool resolve(const struct variables *vs, struct variable *v)
{
    if (v->name.len == 1 && isdigit((unsigned char)v->name.at[0])) {
        v->get = get_capture;
        v->data = v;
        return true;
    }
    for (const struct named *n = vs->names; n; n = n->next)
        if (text_equal(n->name, v->name)) {
            v->get = get_named;
            v->data = v;
            return true;
        }
    return variable_table_find(v, vs->arena);
}

const char *variables_finish(struct conf *cf, struct variables *vs)
{
    for (struct pending *p = vs->pending; p; p = p->next)
        if (!resolve(vs, p->variable)) {
            cf->file = p->file;
            cf->line = p->line;
            return conf_error(cf, "unknown \"%.*s\" variable", TEXT_ARG(p->variable->name));
        }
    vs->pending = NULL;
    return NULL;
}

/* `at` stands behind the $. Returns the name, moving *at behind it; absent: malformed. */
static struct text take_name(const char **at, const char *end)
{
    const char *from = *at;
    bool braces = from < end && *from == '{';

    if (braces)
        from++;
    const char *to = from;
    while (to < end && (isalnum((unsigned char)*to) || *to == '_')) {
        to++;
        if (to - from == 1 && isdigit((unsigned char)*from) && !braces)
            break; /* $1a is $1 followed by a */
    }
    if (to == from || (braces && (to == end || *to != '}')))
        return TEXT_NONE;
    *at = braces ? to + 1 : to;
    return text_span(from, to);
}

static struct variable *refer(struct conf *cf, struct variables *vs, struct text name)
{
    struct variable *v = arena_zalloc(vs->arena, sizeof *v);
    struct pending *p = arena_alloc(vs->arena, sizeof *p);
    if (!v || !p)
        return NULL;
    v->name = arena_text(vs->arena, name);
    *p = (struct pending){vs->pending, v, cf->file, cf->line};
    vs->pending = p;
    return v->name.at ? v : NULL;
}

static unsigned count_dollars(struct text t)
{
    unsigned n = 0;
    for (size_t i = 0; i < t.len; i++)
        n += t.at[i] == '$';
    return n;
}

const char *template_compile(struct conf *cf, struct variables *vs, struct text source, struct template **out)
{
    struct template *t = arena_zalloc(vs->arena, sizeof *t);
    if (!t)
        return conf_error(cf, "no memory");
    *out = t;
    t->text = source;
    unsigned dollars = count_dollars(source);
    if (dollars == 0)
        return NULL;
    t->parts = arena_zalloc(vs->arena, (2 * (size_t)dollars + 1) * sizeof *t->parts);
    if (!t->parts)
        return conf_error(cf, "no memory");

    const char *at = source.at, *end = source.at + source.len;
    while (at < end) {
        const char *dollar = memchr(at, '$', (size_t)(end - at));
        const char *stop = dollar ? dollar : end;
        if (stop > at)
            t->parts[t->count++].text = text_span(at, stop);
        if (!dollar)
            break;
        at = dollar + 1;
        struct text name = take_name(&at, end);
        if (!name.at)
            return conf_error(cf, "invalid variable name");
        struct variable *v = refer(cf, vs, name);
        if (!v)
            return conf_error(cf, "no memory");
        t->parts[t->count++].variable = v;
    }
    return NULL;
}

struct text template_text(const struct template *t, struct request *r)
{
    if (!t->parts)
        return t->text;

    struct text few[16], *values = few;
    if (t->count > 16)
        values = arena_alloc(&r->arena, t->count * sizeof *values);
    if (!values)
        return TEXT_NONE;
    size_t len = 0;
    for (unsigned i = 0; i < t->count; i++) {
        values[i] = t->parts[i].text;
        if (t->parts[i].variable)
            t->parts[i].variable->get(r, t->parts[i].variable->data, &values[i]);
        len += values[i].len;
    }
    char *out = arena_alloc(&r->arena, len + 1);
    if (!out)
        return TEXT_NONE;
    char *to = out;
    for (unsigned i = 0; i < t->count; i++) {
        if (values[i].len > 0)
            memcpy(to, values[i].at, values[i].len);
        to += values[i].len;
    }
    *to = '\0';
    return (struct text){out, len};
}
