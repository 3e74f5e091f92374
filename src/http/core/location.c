/* location.c - `location` blocks: their names, their place in the server's tree, and their resolved
 * values. */
#include "http/core/core.h"
#include "http/core/route.h"
#include "http/variable/variable.h"

#include <errno.h>

struct location *location_answers(struct conf *cf, bool (*answer)(struct request *r), const void *content_conf)
{
    struct location *l =
        cf->block->context == CONF_SERVER ? &((struct server *)cf->block->owner)->base : cf->block->owner;

    l->content = answer;
    l->content_conf = content_conf;
    return l;
}

static const char *set_modifier(struct conf *cf, struct location *l, struct text modifier)
{
    if (text_equal(modifier, TEXT("=")))
        l->kind = LOCATION_EXACT;
    else if (text_equal(modifier, TEXT("^~")))
        l->kind = LOCATION_PREFIX_FINAL;
    else if (text_equal(modifier, TEXT("~")) || text_equal(modifier, TEXT("~*")))
        l->kind = LOCATION_REGEX;
    else
        return conf_error(cf, "invalid location modifier \"%.*s\"", TEXT_ARG(modifier));
    return NULL;
}

/* `location =/a`, `location ~*\.gif$`: the modifier may touch the name. */
static const char *set_joined(struct conf *cf, struct location *l, struct text word, bool *nocase)
{
    static const struct {
        struct text mark;
        enum location_kind kind;
    } marks[] = {
        {{"=", 1}, LOCATION_EXACT},
        {{"^~", 2}, LOCATION_PREFIX_FINAL},
        {{"~*", 2}, LOCATION_REGEX},
        {{"~", 1}, LOCATION_REGEX},
    };
    l->name = word;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (text_starts(word, marks[i].mark)) {
            l->kind = marks[i].kind;
            l->name = text_from(word, marks[i].mark.len);
            *nocase = marks[i].mark.len == 2 && l->kind == LOCATION_REGEX;
            return NULL;
        }
    l->kind = text_starts(word, TEXT("@")) ? LOCATION_NAMED : LOCATION_PREFIX;
    if (l->kind == LOCATION_NAMED && cf->block->context != CONF_SERVER)
        return conf_error(cf, "named location \"%.*s\" can be on the server level only", TEXT_ARG(l->name));
    return NULL;
}

static const char *check_nesting(struct conf *cf, const struct location *l)
{
    if (cf->block->context != CONF_LOCATION)
        return NULL;
    const struct location *outer = cf->block->owner;
    if (outer->kind == LOCATION_EXACT)
        return conf_error(cf, "location \"%.*s\" cannot be inside the exact location \"%.*s\"", TEXT_ARG(l->name),
                          TEXT_ARG(outer->name));
    if (outer->kind == LOCATION_NAMED)
        return conf_error(cf, "location \"%.*s\" cannot be inside the named location \"%.*s\"", TEXT_ARG(l->name),
                          TEXT_ARG(outer->name));
    if (l->kind != LOCATION_REGEX && outer->kind != LOCATION_REGEX && !text_starts(l->name, outer->name))
        return conf_error(cf, "location \"%.*s\" is outside location \"%.*s\"", TEXT_ARG(l->name),
                          TEXT_ARG(outer->name));
    return NULL;
}

static const char *begin(struct conf *cf, struct conf_block *child)
{
    struct location *l = child->owner;
    (void)cf;
    l->block = child;
    return NULL;
}

const char *location_set(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct http_main *http = http_main_at(cf);
    struct location *l = arena_zalloc(cf->arena, sizeof *l);
    if (!l)
        return conf_error(cf, "no memory");

    bool nocase = false;
    const char *error;
    if (cf->count == 3) {
        error = set_modifier(cf, l, cf->args[1]);
        l->name = cf->args[2];
        nocase = cf->args[1].len == 2 && l->kind == LOCATION_REGEX;
    } else {
        error = set_joined(cf, l, cf->args[1], &nocase);
    }
    if (!error)
        error = check_nesting(cf, l);
    if (error)
        return error;
    if (l->kind == LOCATION_REGEX) {
        if (pattern_compile(&l->pattern, l->name, nocase, cf->arena, &error) < 0)
            return conf_error(cf, "%s", error);
        error = variables_add_names(cf, http->variables, l->pattern, &l->names_base);
        if (error)
            return error;
    }
    struct conf_block *block;
    return conf_block(cf, CONF_LOCATION, l, &block, begin);
}

struct location *location_for_if(struct conf *cf)
{
    const struct location *around = cf->block->owner;
    struct location *l = arena_alloc(cf->arena, sizeof *l);

    if (!l)
        return NULL;
    *l = *around;
    return l;
}

/* A constant root as steps.c wants it: no slash at the end; an alias stays as it is. */
static struct text constant_root(const struct http_conf *h)
{
    if (!template_is_constant(h->root.path))
        return TEXT_NONE;
    struct text root = h->root.path->text;
    while (!h->root.alias && root.len > 0 && root.at[root.len - 1] == '/')
        root.len--;
    return root;
}

/* The values of this file's own directives, and of the layers below; those of the other modules are
 * theirs. */
static void resolve(struct location *l, struct conf_block *block)
{
    l->block = block;
    l->http = conf_values(block, &http_module);
    l->io = conf_values(block, &io_module);
    l->file = conf_values(block, &file_module);
    l->root = constant_root(l->http);
}

void location_move(struct location *l, const struct root *root)
{
    struct http_conf *h = conf_values(l->block, &http_module);

    h->root = *root;
    l->root = constant_root(h);
}

static const char *place(struct conf *cf, struct location *l, struct location_tree *tree)
{
    cf->file = l->block->file;
    cf->line = l->block->line;
    int rc = location_tree_add(tree, l, cf->arena);
    if (rc == -EEXIST)
        return conf_error(cf, "duplicate location \"%.*s\"", TEXT_ARG(l->name));
    return rc < 0 ? conf_error(cf, "no memory") : NULL;
}

/* The location with the settings of the block; its instructions, and what makes its content, are
 * those of the location around it, wherever they stand there. */
static void resolve_if(struct conf_block *block, const struct location *around)
{
    struct location *l = block->owner;

    resolve(l, block);
    l->parent = around ? around->parent : NULL;
    l->content = around ? around->content : NULL;
    l->content_conf = around ? around->content_conf : NULL;
    l->takes_methods = around && around->takes_methods;
}

static const char *finish_block(struct conf *cf, struct conf_block *block, const struct location *parent,
                                struct location_tree **tree)
{
    list_each (&block->children, node, tmp) {
        struct conf_block *child = container_of(node, struct conf_block, node);
        if (child->context == CONF_IF && parent)
            resolve_if(child, parent);
        if (child->context != CONF_LOCATION)
            continue;
        if (!*tree)
            *tree = location_tree_create(cf->arena);
        if (!*tree)
            return conf_error(cf, "no memory");
        struct location *l = child->owner;
        l->parent = parent;
        resolve(l, child);
        const char *error = place(cf, l, *tree);
        if (!error) {
            location_check_alias(cf, l);
            error = finish_block(cf, child, l, &l->tree);
        }
        if (error)
            return error;
    }
    return NULL;
}

const char *location_finish(struct conf *cf, struct server *server)
{
    resolve(&server->base, server->block);
    server->base.name = TEXT("");
    server->tree = location_tree_create(cf->arena);
    if (!server->tree)
        return conf_error(cf, "no memory");
    return finish_block(cf, server->block, NULL, &server->tree);
}
