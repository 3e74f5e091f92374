/* parse.c - reads a configuration through the tables of rows: statements, blocks, the checks every
 * directive gets.
 *
 * An error text gets its " in FILE:LINE" where it comes up; the levels around pass it on untouched.
 * The line is, as in nginx, the one on which the statement ends. */
#include "conf/parse.h"
#include "conf/parse_private.h"

#include <errno.h>
#include <strings.h>

enum { BLOCKS_MAX = 64 /* inside each other: bounds the stack */ };

const char *error_locate(struct conf *cf, const char *text)
{
    struct conf_reader *r = cf->reader;
    if (!text || text == r->located)
        return text;
    const char *located;
    if (r->source && r->source->is_parameter)
        located = arena_printf(cf->arena, "%s in command line", text);
    else if (cf->line > 0)
        located = arena_printf(cf->arena, "%s in %s:%u", text, cf->file, cf->line);
    else
        located = arena_printf(cf->arena, "%s in %s", text, cf->file);
    r->located = located ? located : text;
    return r->located;
}

/* ---- statements ---- */

/* Adds to cf->args, which belongs to the arena: setters may keep it. */
static bool add_word(struct conf *cf, struct text word, unsigned *room)
{
    if (cf->count == *room) {
        *room *= 2;
        struct text *larger = arena_alloc(cf->arena, *room * sizeof larger[0]);
        if (!larger)
            return false;
        memcpy(larger, cf->args, cf->count * sizeof larger[0]);
        cf->args = larger;
    }
    cf->args[cf->count++] = word;
    return true;
}

static const char *unfinished(struct conf *cf)
{
    return conf_error(cf, cf->reader->source->is_parameter ? "unexpected end of parameter, expecting \";\""
                                                           : "unexpected end of file, expecting \";\" or \"}\"");
}

/* Words up to ";", "{", "}" or the end, which goes to *last. */
static const char *read_statement(struct conf *cf, enum lex_kind *last)
{
    struct lex *lx = &cf->reader->source->lex;
    unsigned room = 4;
    cf->count = 0;
    cf->args = arena_alloc(cf->arena, room * sizeof cf->args[0]);
    if (!cf->args)
        return conf_error(cf, "out of memory");
    for (;;) {
        struct lex_token t = lex_next(lx);
        cf->line = t.line;
        *last = t.kind;
        switch (t.kind) {
        case LEX_WORD:
            if (!add_word(cf, t.word, &room))
                return conf_error(cf, "out of memory");
            break;
        case LEX_SEMICOLON:
            return cf->count > 0 ? NULL : conf_error(cf, "unexpected \";\"");
        case LEX_OPEN:
            return cf->count > 0 ? NULL : conf_error(cf, "unexpected \"{\"");
        case LEX_CLOSE:
            return cf->count == 0 ? NULL : conf_error(cf, "unexpected \"}\"");
        case LEX_END:
            return cf->count == 0 ? NULL : unfinished(cf);
        case LEX_ERROR:
            return lx->at == lx->end ? unfinished(cf) : lx->error;
        }
    }
}

/* ---- one directive ---- */

static bool arity_fits(unsigned arity, unsigned arguments)
{
    if (arity & CONF_ANY)
        return true;
    if (arity & CONF_FLAG)
        return arguments == 1;
    if (arity & CONF_1MORE && arguments >= 1)
        return true;
    if (arity & CONF_2MORE && arguments >= 2)
        return true;
    return arguments <= 7 && (arity & ((unsigned)CONF_TAKE0 << arguments));
}

static const char *check_shape(struct conf *cf, const struct conf_row *row, enum lex_kind last)
{
    bool is_block = row->arity & CONF_BLOCK;
    if (!is_block && last == LEX_OPEN)
        return conf_error(cf, "directive \"%s\" is not terminated by \";\"", row->name);
    if (is_block && last != LEX_OPEN)
        return conf_error(cf, "directive \"%s\" has no opening \"{\"", row->name);
    if (!arity_fits(row->arity, cf->count - 1))
        return conf_error(cf, "invalid number of arguments in \"%s\" directive", row->name);
    if (row->arity & CONF_FLAG && strcasecmp(cf->args[1].at, "on") != 0 && strcasecmp(cf->args[1].at, "off") != 0)
        return conf_error(cf, "invalid value \"%s\" in \"%s\" directive, it must be \"on\" or \"off\"", cf->args[1].at,
                          row->name);
    return NULL;
}

static const char *check_duplicate(struct conf *cf, const struct conf_entry *e)
{
    const struct conf_row *row = e->row, *rows = e->module->rows;
    if (row->arity & CONF_REPEAT)
        return NULL;
    if (row_is_set(cf->block, e->module, e->index))
        return conf_error(cf, "\"%s\" directive is duplicate", row->name);
    for (unsigned i = 0; row->size > 0 && rows[i].name; i++) {
        if (i != e->index && row_is_set(cf->block, e->module, i) && rows_share(row, &rows[i]) &&
            !(rows[i].arity & CONF_REPEAT))
            return conf_error(cf, "\"%s\" directive is duplicate, \"%s\" directive was specified earlier", row->name,
                              rows[i].name);
    }
    return NULL;
}

static const char *set_row(struct conf *cf, const struct conf_entry *e, enum lex_kind last)
{
    const char *error = check_shape(cf, e->row, last);
    if (!error)
        error = check_duplicate(cf, e);
    if (error)
        return error;

    struct conf_reader *r = cf->reader;
    struct conf_block *holder = block_holding(cf->block, e->module);
    row_mark(cf->block, e->module, e->index);
    if (holder && holder != cf->block)
        row_mark(holder, e->module, e->index);
    r->block_open = last == LEX_OPEN;
    error = e->row->set(cf, e->row, row_slot(holder, e->module, e->row));
    if (!error && r->block_open)
        error = conf_error(cf, "nothing reads the block of \"%s\"", e->row->name);
    return error;
}

/* A pattern ending in * stands for all names that start with what is before it. */
static bool matches_foreign(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);
    if (len > 0 && pattern[len - 1] == '*')
        return strncmp(pattern, name, len - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static const char *refuse_unknown(struct conf *cf, const char *name)
{
    const struct conf_input *input = cf->reader->input;
    for (const struct conf_foreign *f = input->foreign; f && f->name; f++) {
        if (matches_foreign(f->name, name))
            return conf_error(cf, "\"%s\" directive is not supported: %s", name, f->why);
    }
    const char *nearest = conf_nearest(input->modules, name);
    if (nearest)
        return conf_error(cf, "unknown directive \"%s\", did you mean \"%s\"?", name, nearest);
    return conf_error(cf, "unknown directive \"%s\"", name);
}

static const char *handle_directive(struct conf *cf, enum lex_kind last)
{
    const struct conf_entry *entry = NULL;
    switch (table_find(&cf->reader->table, cf->args[0], cf->block->context, &entry)) {
    case TABLE_FOUND:
        return set_row(cf, entry, last);
    case TABLE_ELSEWHERE:
        return conf_error(cf, "\"%s\" directive is not allowed here", cf->args[0].at);
    case TABLE_UNKNOWN:
        break;
    }
    return refuse_unknown(cf, cf->args[0].at);
}

static const char *handle(struct conf *cf, enum lex_kind last)
{
    struct conf_reader *r = cf->reader;
    if (last == LEX_OPEN && r->source->is_parameter)
        return conf_error(cf, "block directives are not supported in -g option");
    if (last == LEX_OPEN && r->line)
        return conf_error(cf, "unexpected \"{\"");
    if (text_equal(cf->args[0], TEXT("include"))) {
        if (last == LEX_OPEN)
            return conf_error(cf, "directive \"include\" is not terminated by \";\"");
        return include_directive(cf);
    }
    return r->line ? r->line(cf, r->line_arg) : handle_directive(cf, last);
}

/* ---- bodies ---- */

const char *read_body(struct conf *cf, bool in_block)
{
    for (;;) {
        enum lex_kind last = LEX_ERROR;
        const char *error = read_statement(cf, &last);
        if (!error && last == LEX_CLOSE && !in_block)
            error = conf_error(cf, "unexpected \"}\"");
        if (!error && last == LEX_END && in_block)
            error = conf_error(cf, "unexpected end of file, expecting \"}\"");
        if (!error && (last == LEX_CLOSE || last == LEX_END))
            return NULL;
        if (!error)
            error = handle(cf, last);
        if (error)
            return error_locate(cf, error);
    }
}

const char *read_source(struct conf *cf, struct conf_source *source, const char *name)
{
    struct conf_reader *r = cf->reader;
    struct conf saved = *cf;
    r->source = source;
    cf->file = name;
    const char *error = read_body(cf, false);
    r->source = source->outer;
    *cf = saved;
    return error;
}

static struct conf_block *block_new(struct conf *cf, struct conf_block *parent, enum conf_context context)
{
    struct conf_reader *r = cf->reader;
    struct conf_block *b = arena_zalloc(cf->arena, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct conf_block){.parent = parent, .context = context, .file = cf->file, .line = cf->line};
    b->values = arena_zalloc(cf->arena, (r->module_count + 1) * sizeof b->values[0]);
    b->set = arena_zalloc(cf->arena, (r->module_count + 1) * sizeof b->set[0]);
    list_init(&b->children);
    list_init(&b->node);
    if (!b->values || !b->set)
        return NULL;
    for (unsigned m = 0; m < r->module_count; m++) {
        const struct conf_module *module = r->input->modules[m];
        size_t rows = 0;
        while (module->rows && module->rows[rows].name)
            rows++;
        b->set[m] = arena_zalloc(cf->arena, (rows / 64 + 1) * sizeof b->set[m][0]);
        if (!b->set[m])
            return NULL;
        if (module->size == 0 || !conf_holds(module, context))
            continue;
        b->values[m] = arena_zalloc(cf->arena, module->size);
        if (!b->values[m])
            return NULL;
    }
    return b;
}

/* Reads a block with `line` for its lines, or the tables for its directives; cf is afterwards as it
 * was. */
static const char *read_block(struct conf *cf, struct conf_block *block, conf_line_fn *line, void *line_arg)
{
    struct conf_reader *r = cf->reader;
    struct conf saved = *cf;
    conf_line_fn *saved_line = r->line;
    void *saved_arg = r->line_arg;
    if (r->depth == BLOCKS_MAX)
        return conf_error(cf, "too many blocks inside each other");

    r->depth++;
    r->line = line;
    r->line_arg = line_arg;
    cf->block = block;
    const char *error = read_body(cf, true);
    r->depth--;
    r->line = saved_line;
    r->line_arg = saved_arg;
    *cf = saved;
    return error;
}

const char *conf_block(struct conf *cf, enum conf_context context, void *owner, struct conf_block **out,
                       const char *(*begin)(struct conf *cf, struct conf_block *child))
{
    struct conf_block *child = block_new(cf, cf->block, context);
    if (!child)
        return conf_error(cf, "out of memory");
    child->owner = owner;
    list_append(&cf->block->children, &child->node);
    if (out)
        *out = child;
    cf->reader->block_open = false;
    const char *error = begin ? begin(cf, child) : NULL;
    return error ? error : read_block(cf, child, NULL, NULL);
}

const char *conf_lines(struct conf *cf, conf_line_fn *line, void *arg)
{
    cf->reader->block_open = false;
    return read_block(cf, cf->block, line, arg);
}

/* ---- a whole configuration ---- */

static const char *folder_of(struct arena *arena, const char *path, const char *otherwise)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!path)
        return otherwise;
    return slash ? arena_copy(arena, path, (size_t)(slash - path) + 1) : "./";
}

static const char *read_globals(struct conf *cf)
{
    struct conf_source source = {.is_parameter = true};
    if (cf->reader->input->globals.len == 0)
        return NULL;
    lex_init(&source.lex, cf->reader->input->globals, cf->arena);
    return read_source(cf, &source, "command line");
}

static const char *read_main(struct conf *cf)
{
    const struct conf_input *input = cf->reader->input;
    if (input->file)
        return include_file(cf, input->file);
    struct conf_source source = {.depth = 1};
    struct text bytes = text_without_mark(input->bytes);
    const char *error = include_keep(cf, input->name, bytes);
    if (error)
        return error;
    lex_init(&source.lex, bytes, cf->arena);
    return read_source(cf, &source, input->name);
}

static const char *read_everything(struct conf *cf)
{
    struct conf_reader *r = cf->reader;
    for (unsigned m = 0; r->input->modules[m]; m++) {
        r->input->modules[m]->index = m;
        r->module_count++;
    }
    struct conf_block *root = NULL;
    if (cf->conf_dir && table_build(&r->table, r->input->modules, cf->arena) == 0)
        root = block_new(cf, NULL, CONF_MAIN);
    if (!root)
        return "out of memory";

    cf->block = root;
    const char *error = read_globals(cf);
    if (!error)
        error = read_main(cf);
    if (!error)
        error = conf_inherit(cf, root, r->input->modules);
    if (!error)
        r->result->root = root;
    return error;
}

int conf_read(const struct conf_input *input, struct arena *arena, struct conf_result *result)
{
    struct conf_reader reader = {.input = input, .result = result};
    struct conf cf = {
        .arena = arena,
        .file = input->file ? input->file : input->name,
        .prefix = input->prefix,
        .memory = input->memory,
        .workers = &reader.workers,
        .conf_dir = folder_of(arena, input->file, input->prefix),
        .testing = input->testing,
        .user = input->user,
        .reader = &reader,
    };
    *result = (struct conf_result){0};
    list_init(&result->files);
    list_init(&result->reads);
    list_init(&result->writes);
    list_init(&result->watched);
    result->error = read_everything(&cf);
    return result->error ? -EINVAL : 0;
}
