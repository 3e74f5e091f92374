/* map.c - `map`: a variable whose value depends on others. See map.h. */
#include "http/variable/map.h"

#include "http/request/request.h"
#include "http/site/site.h"
#include "http/syntax/text_table.h"
#include "http/variable/variable.h"

#include <errno.h>

struct map_regex {
    struct map_regex *next;
    struct pattern *pattern;
    unsigned names_base;
    const struct template *value;
};

struct map {
    struct template *source;
    bool hostnames; /* keys may be *.example.org, .example.org, www.example.* */
    bool forgets;   /* volatile */
    struct text_table exact, leading, trailing;
    struct map_regex *regexes, **regexes_end;
    struct template *dflt; /* NULL: the empty text */
};

/* ---- looking up ---- */

static const struct template *find_regex(struct request *r, const struct map *m, struct text key)
{
    for (const struct map_regex *x = m->regexes; x; x = x->next) {
        struct captures c;
        int rc = pattern_match(x->pattern, key, &c);
        if (rc < 0)
            return NULL;
        if (rc == 0)
            continue;
        variables_capture(r, x->pattern, x->names_base, &c);
        return x->value;
    }
    return NULL;
}

/* Keys are lower-case; expressions see the value as it is, and never an empty one. */
static const struct template *find(struct request *r, const struct map *m, struct text key)
{
    char few[256], *lower = key.len <= sizeof few ? few : arena_alloc(&r->arena, key.len);

    if (!lower)
        return NULL;
    for (size_t i = 0; i < key.len; i++)
        lower[i] = text_lower(key.at[i]);
    struct text low = {lower, key.len};
    const struct template *t = text_table_find(&m->exact, low);
    if (!t)
        t = text_table_leading(&m->leading, low);
    if (!t)
        t = text_table_trailing(&m->trailing, low);
    return t || key.len == 0 ? t : find_regex(r, m, key);
}

static void get_map(struct request *r, const void *data, struct text *out)
{
    const struct map *m = data;
    struct text key = template_text(m->source, r);

    if (m->hostnames && text_ends(key, TEXT(".")))
        key.len--;
    const struct template *t = find(r, m, key);
    if (!t)
        t = m->dflt;
    *out = t ? template_text(t, r) : TEXT("");
}

/* ---- reading ---- */

static const char *add_regex(struct conf *cf, struct map *m, struct text source, const struct template *value)
{
    struct map_regex *x = arena_zalloc(cf->arena, sizeof *x);
    bool nocase = text_starts(source, TEXT("*"));
    const char *error;

    if (!x)
        return conf_error(cf, "no memory");
    if (nocase)
        source = text_from(source, 1);
    if (pattern_compile(&x->pattern, source, nocase, cf->arena, &error) < 0)
        return conf_error(cf, "%s", error);
    x->value = value;
    *m->regexes_end = x;
    m->regexes_end = &x->next;
    return variables_add_names(cf, http_main_at(cf)->variables, x->pattern, &x->names_base);
}

static bool lower_key(struct conf *cf, struct text *key)
{
    char *copy = arena_copy(cf->arena, key->at, key->len);
    for (size_t i = 0; copy && i < key->len; i++)
        copy[i] = text_lower(copy[i]);
    key->at = copy;
    return copy != NULL;
}

/* 0, -EEXIST, -ENOMEM, or -EINVAL: not a host name or wildcard. */
static int add_hostname(struct map *m, struct text key, const struct template *value, struct arena *arena)
{
    struct text rest;
    size_t star = text_find(key, '*');

    if (text_starts(key, TEXT(".")) && key.len > 1) {
        rest = text_from(key, 1);
        int rc = text_find(rest, '*') < rest.len ? -EINVAL : text_table_add(&m->exact, rest, value, arena);
        return rc < 0 ? rc : text_table_add(&m->leading, rest, value, arena);
    }
    if (star == key.len)
        return text_table_add(&m->exact, key, value, arena);
    bool leading = text_starts(key, TEXT("*.")) && key.len > 2;
    if (!leading && !(text_ends(key, TEXT(".*")) && key.len > 2))
        return -EINVAL;
    rest = leading ? text_from(key, 2) : (struct text){key.at, key.len - 2};
    if (text_find(rest, '*') < rest.len)
        return -EINVAL;
    return text_table_add(leading ? &m->leading : &m->trailing, rest, value, arena);
}

static const char *add_key(struct conf *cf, struct map *m, struct text key, const struct template *value)
{
    int rc = -ENOMEM;

    if (lower_key(cf, &key))
        rc = m->hostnames ? add_hostname(m, key, value, cf->arena) : text_table_add(&m->exact, key, value, cf->arena);
    if (rc == -EEXIST)
        return conf_error(cf, "conflicting parameter \"%.*s\"", TEXT_ARG(key));
    if (rc == -EINVAL)
        return conf_error(cf, "invalid hostname or wildcard \"%.*s\"", TEXT_ARG(key));
    return rc < 0 ? conf_error(cf, "no memory") : NULL;
}

static const char *on_line(struct conf *cf, void *arg)
{
    struct map *m = arg;
    struct text key = cf->args[0];
    struct template *value;

    if (cf->count == 1 && text_equal(key, TEXT("hostnames"))) {
        m->hostnames = true;
        return NULL;
    }
    if (cf->count == 1 && text_equal(key, TEXT("volatile"))) {
        m->forgets = true;
        return NULL;
    }
    if (cf->count != 2)
        return conf_error(cf, "invalid number of the map parameters");
    const char *error = template_compile(cf, http_main_at(cf)->variables, cf->args[1], &value);
    if (error)
        return error;
    if (text_equal(key, TEXT("default"))) {
        if (m->dflt)
            return conf_error(cf, "duplicate default map parameter");
        m->dflt = value;
        return NULL;
    }
    if (text_starts(key, TEXT("~")))
        return add_regex(cf, m, text_from(key, 1), value);
    if (text_starts(key, TEXT("\\"))) /* a key that looks like something else */
        key = text_from(key, 1);
    return add_key(cf, m, key, value);
}

static const char *set_map(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct map *m = arena_zalloc(cf->arena, sizeof *m);
    struct variables *vs = http_main_at(cf)->variables;
    struct own_variable *v;

    if (!m)
        return conf_error(cf, "no memory");
    m->regexes_end = &m->regexes;
    const char *error = template_compile(cf, vs, cf->args[1], &m->source);
    if (!error)
        error = variables_own(cf, vs, cf->args[2], &v);
    if (!error)
        error = conf_lines(cf, on_line, m);
    if (error)
        return error;
    v->compute = get_map;
    v->data = m;
    v->forgets = v->forgets || m->forgets;
    return NULL;
}

static const struct conf_row rows[] = {
    {"map", CONF_HTTP, CONF_TAKE2 | CONF_BLOCK | CONF_REPEAT, set_map, .syntax = "string $variable { ... }",
     .help = "A variable whose value is looked up by a string: `default`, `hostnames`, `volatile`, `include`, exact "
             "keys, ~regular expressions."},
    {"map_hash_max_size", CONF_HTTP, CONF_TAKE1, conf_set_accepted, .help = "Accepted; the tables grow as needed."},
    {"map_hash_bucket_size", CONF_HTTP, CONF_TAKE1, conf_set_accepted, .help = "Accepted; the tables grow as needed."},
    {.name = NULL},
};

struct conf_module map_module = {.name = "Maps", .rows = rows};
