/* variable.c - names to values, and templates compiled once. Used by every directive that takes
 * variables. */
#include "http/variable/variable.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/request/request.h"
#include "http/syntax/field.h"
#include "http/variable/variable_rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A reference from a template, resolved when all names are known. */
struct pending {
    struct pending *next;
    struct variable *variable;
    const char *file;
    unsigned line;
    bool word; /* its name was a whole word */
};

struct variables {
    struct arena *arena;
    const struct variable_row *const *tables;
    struct pending *pending;
    struct own_variable *own;
    unsigned own_count;
    struct own_variable **groups; /* of all named groups: variables_add_names() */
    unsigned group_count, group_room;
};

enum { NESTED_MOST = 100 };

struct variables *variables_create(struct arena *arena, const struct variable_row *const *tables)
{
    struct variables *vs = arena_zalloc(arena, sizeof *vs);
    if (!vs)
        return NULL;
    vs->arena = arena;
    vs->tables = tables;
    return vs;
}

/* ---- variables that the configuration makes ---- */

static struct own_variable *find_own(const struct variables *vs, struct text name)
{
    for (struct own_variable *v = vs->own; v; v = v->next)
        if (text_equal(v->name, name))
            return v;
    return NULL;
}

/* Names are case-insensitive: all are kept in lower case. Absent: no memory. */
static struct text lower_name(struct arena *arena, struct text name)
{
    char *copy = arena_copy(arena, name.at, name.len);

    for (size_t i = 0; copy && i < name.len; i++)
        copy[i] = text_lower(copy[i]);
    return (struct text){copy, copy ? name.len : 0};
}

static const char *define(struct conf *cf, struct variables *vs, struct text given, struct own_variable **out)
{
    struct text name = lower_name(vs->arena, given);
    if (!name.at)
        return conf_error(cf, "no memory");
    *out = find_own(vs, name);
    if (*out)
        return NULL;
    if (variable_rows_reserve(vs->tables, name))
        return conf_error(cf, "the duplicate \"%.*s\" variable", TEXT_ARG(given));
    struct own_variable *v = arena_zalloc(vs->arena, sizeof *v);
    if (!v)
        return conf_error(cf, "no memory");
    v->name = name;
    v->builtin.name = name;
    if (!variable_rows_find(vs->tables, &v->builtin, vs->arena))
        v->builtin.get = NULL;
    v->forgets = variable_rows_setter(vs->tables, name) != NULL; /* as nginx: these are never kept */
    v->slot = vs->own_count++;
    v->next = vs->own;
    vs->own = v;
    *out = v;
    return NULL;
}

static bool is_variable(struct text word)
{
    return word.len > 1 && word.at[0] == '$';
}

static const char *invalid_name(struct conf *cf, struct text word)
{
    return conf_error(cf, "invalid variable name \"%.*s\"", TEXT_ARG(word));
}

const char *variables_own(struct conf *cf, struct variables *vs, struct text word, struct own_variable **out)
{
    return is_variable(word) ? define(cf, vs, text_from(word, 1), out) : invalid_name(cf, word);
}

variable_set_fn *variable_setter(const struct variables *vs, struct text word)
{
    return is_variable(word) ? variable_rows_setter(vs->tables, text_from(word, 1)) : NULL;
}

void variable_put(struct request *r, const struct own_variable *v, struct text value)
{
    if (!r->values)
        r->values = arena_zalloc(&r->arena, r->server->http->variables->own_count * sizeof *r->values);
    if (r->values)
        r->values[v->slot] = value.at ? value : TEXT("");
}

static void get_own(struct request *r, const void *data, struct text *out)
{
    const struct own_variable *v = data;

    *out = r->values ? r->values[v->slot] : TEXT_NONE;
    if (out->at)
        return;
    if (!v->compute && v->builtin.get) {
        v->builtin.get(r, v->builtin.data, out);
        return;
    }
    if (!v->compute) {
        if (v->by_set && r->location && r->location->warns_unset)
            request_log(r, LEVEL_WARN, 0, "using uninitialized \"%.*s\" variable", TEXT_ARG(v->name));
        if (v->by_set)
            *out = TEXT("");
        return;
    }
    if (r->evaluations >= NESTED_MOST) {
        request_log(r, LEVEL_ERROR, 0, "cycle while evaluating variable \"%.*s\"", TEXT_ARG(v->name));
        return;
    }
    r->evaluations++;
    v->compute(r, v->data, out);
    r->evaluations--;
    if (!v->forgets)
        variable_put(r, v, *out);
}

/* ---- groups of regular expressions ---- */

static bool add_group(struct variables *vs, struct own_variable *v)
{
    if (vs->group_count == vs->group_room) {
        unsigned room = 2 * vs->group_room + 8;
        struct own_variable **more = arena_alloc(vs->arena, room * sizeof *more);
        if (!more)
            return false;
        if (vs->group_count > 0)
            memcpy(more, vs->groups, vs->group_count * sizeof *more);
        vs->groups = more;
        vs->group_room = room;
    }
    vs->groups[vs->group_count++] = v;
    return true;
}

const char *variables_add_names(struct conf *cf, struct variables *vs, const struct pattern *p, unsigned *base)
{
    unsigned count = pattern_names(p);

    *base = vs->group_count;
    for (unsigned i = 0; i < count; i++) {
        unsigned group;
        struct own_variable *v = NULL;
        const char *error = define(cf, vs, pattern_name(p, i, &group), &v);
        if (!error && !add_group(vs, v))
            error = conf_error(cf, "no memory");
        if (error)
            return error;
    }
    return NULL;
}

void variables_capture(struct request *r, const struct pattern *p, unsigned names_base, const struct captures *c)
{
    r->captures = *c;
    unsigned count = pattern_names(p);
    const struct variables *vs = r->server->http->variables;
    for (unsigned i = 0; i < count; i++) {
        unsigned group;
        pattern_name(p, i, &group);
        variable_put(r, vs->groups[names_base + i], group < c->count ? c->group[group] : TEXT_NONE);
    }
}

static void get_capture(struct request *r, const void *data, struct text *out)
{
    unsigned group = (unsigned)(((const struct variable *)data)->name.at[0] - '0');
    *out = group < r->captures.count ? r->captures.group[group] : TEXT_NONE;
}

/* ---- names to variables ---- */

/* `set $1 x` makes a variable that no text can name: there $1 is a group. */
static bool resolve(const struct variables *vs, const struct pending *p)
{
    struct variable *v = p->variable;
    bool group = v->name.len == 1 && isdigit((unsigned char)v->name.at[0]);
    const struct own_variable *own = group && !p->word ? NULL : find_own(vs, v->name);

    if (own) {
        v->get = get_own;
        v->data = own;
        return true;
    }
    if (!group)
        return variable_rows_find(vs->tables, v, vs->arena);
    v->get = get_capture;
    v->data = v;
    return true;
}

const char *variables_finish(struct conf *cf, struct variables *vs)
{
    for (struct pending *p = vs->pending; p; p = p->next)
        if (!resolve(vs, p)) {
            cf->file = p->file;
            cf->line = p->line;
            return conf_error(cf, "unknown \"%.*s\" variable", TEXT_ARG(p->variable->name));
        }
    vs->pending = NULL;
    return NULL;
}

/* ---- templates ---- */

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

static struct variable *refer(struct conf *cf, struct variables *vs, struct text name, bool word)
{
    struct variable *v = arena_zalloc(vs->arena, sizeof *v);
    struct pending *p = arena_alloc(vs->arena, sizeof *p);
    if (!v || !p)
        return NULL;
    v->name = lower_name(vs->arena, name);
    *p = (struct pending){vs->pending, v, cf->file, cf->line, word};
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
            return conf_error(cf, "invalid variable name in \"%.*s\"", TEXT_ARG(source));
        struct variable *v = refer(cf, vs, name, false);
        if (!v)
            return conf_error(cf, "no memory");
        t->parts[t->count++].variable = v;
    }
    return NULL;
}

const char *template_compile_field(struct conf *cf, struct variables *vs, struct text source, struct template **out)
{
    struct text folded = field_fold(source, vs->arena);
    return folded.at ? template_compile(cf, vs, folded, out) : conf_error(cf, "no memory");
}

const char *template_of_word(struct conf *cf, struct variables *vs, struct text word, struct template **out)
{
    struct template *t = arena_zalloc(vs->arena, sizeof *t);

    if (!is_variable(word))
        return invalid_name(cf, word);
    if (!t || !(t->parts = arena_zalloc(vs->arena, sizeof *t->parts)))
        return conf_error(cf, "no memory");
    t->text = word;
    t->count = 1;
    t->parts[0].variable = refer(cf, vs, text_from(word, 1), true);
    *out = t;
    return t->parts[0].variable ? NULL : conf_error(cf, "no memory");
}

/* As nginx escapes a captured piece of the URI that becomes part of arguments. */
static struct text escape_for_args(struct request *r, struct text t)
{
    static const char digits[] = "0123456789ABCDEF", marks[] = " \"#%&+;?";
    char *out = arena_alloc(&r->arena, 3 * t.len), *to = out;

    for (size_t i = 0; out && i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c > ' ' && c < 0x7f && !strchr(marks, c)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return out ? text_span(out, to) : TEXT_NONE;
}

/* Of a field's value, what a variable came to. A text of `map`, `set` ... that is the
 * configuration's own is constant, as if it stood in the variable's place: no request can have
 * brought what lies in the configuration's memory. */
static struct text as_field(struct request *r, struct text t)
{
    if (!field_has_controls(t))
        return t;
    return arena_holds(r->server->http->variables->arena, t.at) ? field_fold(t, &r->arena) : field_encode(t, &r->arena);
}

struct text template_make(const struct template *t, struct request *r, unsigned how)
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
        const struct variable *v = t->parts[i].variable;
        if (v)
            v->get(r, v->data, &values[i]);
        if (v && (how & TEMPLATE_ARGS) && v->get == get_capture)
            values[i] = escape_for_args(r, values[i]);
        if (v && (how & TEMPLATE_FIELD))
            values[i] = as_field(r, values[i]);
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
