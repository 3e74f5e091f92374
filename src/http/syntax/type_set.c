/* type_set.c - the media types of gzip_types and charset_types. See type_set.h. */
#include "http/syntax/type_set.h"

struct type_set {
    struct type_node *first, **end;
    bool all;
};

struct type_node {
    struct type_node *next;
    struct text type; /* canonical() of it */
    struct text written;
};

static struct text canonical(struct text type)
{
    static const struct text script = {"text/javascript", 15},
                             others[] = {{"application/javascript", 22}, {"application/x-javascript", 24}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_equal_nocase(type, others[i]))
            return script;
    return type;
}

static bool has(const struct type_set *set, struct text type)
{
    for (const struct type_node *n = set->first; n; n = n->next)
        if (text_equal_nocase(n->type, type))
            return true;
    return false;
}

/* Two names of one type are no duplicates: configurations name all, for other servers. */
static bool is_written(const struct type_set *set, struct text type)
{
    for (const struct type_node *n = set->first; n; n = n->next)
        if (text_equal_nocase(n->written, type))
            return true;
    return false;
}

/* False: no memory. */
static bool add(struct type_set *set, struct text type, struct arena *arena)
{
    struct type_node *n = arena_alloc(arena, sizeof *n);
    if (!n)
        return false;
    *n = (struct type_node){NULL, canonical(type), type};
    *set->end = n;
    set->end = &n->next;
    return true;
}

const char *type_set_add(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct type_set **set = slot;

    if (!*set) {
        *set = arena_zalloc(cf->arena, sizeof **set);
        if (!*set)
            return conf_error(cf, "no memory");
        (*set)->end = &(*set)->first;
        for (const char *const *t = row->extra; *t; t++)
            if (!add(*set, text_of(*t), cf->arena))
                return conf_error(cf, "no memory");
    }
    for (unsigned i = 1; i < cf->count; i++) {
        struct text type = cf->args[i];
        if (text_equal(type, TEXT("*")))
            (*set)->all = true;
        else if (is_written(*set, type))
            conf_warn(cf, "duplicate MIME type \"%.*s\"", TEXT_ARG(type));
        else if (!add(*set, type, cf->arena))
            return conf_error(cf, "no memory");
    }
    return NULL;
}

bool type_set_has(const struct type_set *set, const char *const *dflt, struct text type)
{
    if (set)
        return set->all || has(set, canonical(type));
    for (; *dflt; dflt++)
        if (text_equal_nocase(canonical(text_of(*dflt)), canonical(type)))
            return true;
    return false;
}
