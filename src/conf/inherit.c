/* inherit.c - what a block does not say: copied from the block around it, or set from the rows'
 * defaults.
 *
 * Two passes, each outermost block first: values, then the modules' finish. */
#include "conf/parse.h"
#include "conf/parse_private.h"

/* Whether the row, or one that shares its slot, was set in this block. */
static bool is_set(const struct conf_block *block, const struct conf_module *module, unsigned index)
{
    const struct conf_row *rows = module->rows;
    if (row_is_set(block, module, index))
        return true;
    for (unsigned i = 0; rows[index].size > 0 && rows[i].name; i++) {
        if (rows_share(&rows[index], &rows[i]) && row_is_set(block, module, i))
            return true;
    }
    return false;
}

/* The row's default as cf->args, as if it stood in the file. */
static const char *lex_default(struct conf *cf, const struct conf_row *row)
{
    struct lex lx;
    struct lex_token t;
    lex_init(&lx, text_of(row->dflt), cf->arena);
    unsigned most = 1;
    for (const char *c = row->dflt; *c; c++)
        most += *c == ' ' || c == row->dflt;
    cf->args = arena_alloc(cf->arena, most * sizeof cf->args[0]);
    if (!cf->args)
        return conf_error(cf, "out of memory");
    cf->args[0] = text_of(row->name);
    for (cf->count = 1; (t = lex_next(&lx)).kind == LEX_WORD && cf->count < most; cf->count++)
        cf->args[cf->count] = t.word;
    if (t.kind != LEX_END)
        return conf_error(cf, "invalid default \"%s\" of \"%s\" directive", row->dflt, row->name);
    return NULL;
}

/* A row without a slot keeps its value somewhere in its own kind of block: elsewhere there is
 * nothing to set. */
static bool has_default(const struct conf_block *block, const struct conf_row *row)
{
    return row->dflt && !(row->arity & CONF_BLOCK) && (row->size > 0 || row->contexts & block->context);
}

static const char *set_default(struct conf *cf, const struct conf_module *module, const struct conf_row *row)
{
    const char *error = lex_default(cf, row);
    return error ? error : row->set(cf, row, row_slot(cf->block, module, row));
}

/* Rows of the same value before this one have set it already. */
static bool follows_default(const struct conf_block *block, const struct conf_module *module, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (rows_share(&module->rows[index], &module->rows[i]) && has_default(block, &module->rows[i]))
            return true;
    }
    return false;
}

static const char *set_defaults(struct conf *cf, const struct conf_module *module)
{
    for (unsigned i = 0; module->rows && module->rows[i].name; i++) {
        if (!has_default(cf->block, &module->rows[i]) || is_set(cf->block, module, i) ||
            follows_default(cf->block, module, i))
            continue;
        const char *error = set_default(cf, module, &module->rows[i]);
        if (error)
            return error_locate(cf, error);
    }
    return NULL;
}

static void copy_values(const struct conf_block *block, const struct conf_block *outer,
                        const struct conf_module *module)
{
    for (unsigned i = 0; module->rows && module->rows[i].name; i++) {
        const struct conf_row *row = &module->rows[i];
        if (row->size > 0 && !is_set(block, module, i))
            memcpy(row_slot(block, module, row), row_slot(outer, module, row), row->size);
    }
}

static void enter(struct conf *cf, struct conf_block *block)
{
    cf->block = block;
    cf->file = block->file;
    cf->line = block->line;
    cf->args = NULL;
    cf->count = 0;
}

static const char *inherit_values(struct conf *cf, struct conf_block *block, struct conf_module *const *modules)
{
    enter(cf, block);
    for (unsigned m = 0; modules[m]; m++) {
        if (!block->values[m])
            continue;
        const struct conf_block *outer = block_holding(block->parent, modules[m]);
        const char *error = NULL;
        if (outer)
            copy_values(block, outer, modules[m]);
        else
            error = set_defaults(cf, modules[m]);
        if (error)
            return error;
    }
    list_each (&block->children, node, tmp) {
        const char *error = inherit_values(cf, container_of(node, struct conf_block, node), modules);
        if (error)
            return error;
    }
    return NULL;
}

static const char *finish(struct conf *cf, struct conf_block *block, struct conf_module *const *modules)
{
    for (unsigned m = 0; modules[m]; m++) {
        if (!modules[m]->finish || !conf_holds(modules[m], block->context))
            continue;
        enter(cf, block);
        const char *error = modules[m]->finish(cf, block, block->values[m]);
        if (error)
            return error_locate(cf, error);
    }
    list_each (&block->children, node, tmp) {
        const char *error = finish(cf, container_of(node, struct conf_block, node), modules);
        if (error)
            return error;
    }
    return NULL;
}

const char *conf_inherit(struct conf *cf, struct conf_block *root, struct conf_module *const *modules)
{
    const char *error = inherit_values(cf, root, modules);
    return error ? error : finish(cf, root, modules);
}
