/* rewrite_conf.c - the directives of the rewrite module, made into instructions. `if` is in
 * rewrite_if.c. See rewrite.h. */
#include "base/number.h"
#include "http/rewrite/rewrite_private.h"
#include "http/syntax/status.h"

/* What stands in an `if` belongs to the program around it. */
static struct conf_block *program_block(const struct conf *cf)
{
    struct conf_block *b = cf->block;
    while (b->context & (CONF_IF | CONF_IF_SERVER))
        b = b->parent;
    return b;
}

struct rewrite_program *rewrite_program_at(struct conf *cf)
{
    struct rewrite_conf *conf = conf_values(program_block(cf), &rewrite_module);

    if (!conf->program) {
        conf->program = arena_zalloc(cf->arena, sizeof *conf->program);
        if (conf->program)
            conf->program->conf = conf;
    }
    return conf->program;
}

struct instruction *rewrite_add(struct conf *cf, unsigned *index)
{
    struct rewrite_program *p = rewrite_program_at(cf);

    if (!p)
        return NULL;
    if (p->count == p->room) {
        unsigned room = 2 * p->room + 4;
        struct instruction *more = arena_zalloc(cf->arena, room * sizeof *more);
        if (!more)
            return NULL;
        if (p->count > 0)
            memcpy(more, p->items, p->count * sizeof *more);
        p->items = more;
        p->room = room;
    }
    if (index)
        *index = p->count;
    return &p->items[p->count++];
}

static const char *add(struct conf *cf, const struct instruction *i)
{
    struct instruction *at = rewrite_add(cf, NULL);
    if (!at)
        return conf_error(cf, "no memory");
    *at = *i;
    return NULL;
}

static const char *compile(struct conf *cf, struct text source, struct template **out)
{
    return template_compile(cf, http_main_at(cf)->variables, source, out);
}

/* ---- rewrite ---- */

static const char *set_flag(struct conf *cf, struct rewrite_rule *rule, struct text flag)
{
    rule->ends = true;
    if (text_equal(flag, TEXT("last")))
        return NULL;
    if (text_equal(flag, TEXT("break")))
        rule->breaks = true;
    else if (text_equal(flag, TEXT("redirect")))
        rule->redirect = 302;
    else if (text_equal(flag, TEXT("permanent")))
        rule->redirect = 301;
    else
        return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(flag));
    return NULL;
}

static const char *set_replacement(struct conf *cf, struct rewrite_rule *rule, struct text to)
{
    rule->keeps_args = !text_ends(to, TEXT("?")); /* a ? at the end drops the request's own */
    if (!rule->keeps_args)
        to.len--;
    size_t question = text_find(to, '?');
    rule->has_args = question < to.len;
    if (rule->redirect)
        return template_compile_field(cf, http_main_at(cf)->variables, to, &rule->path);
    if (!rule->has_args)
        return compile(cf, to, &rule->path);
    const char *error = compile(cf, text_from(to, question + 1), &rule->args);
    return error ? error : compile(cf, (struct text){to.at, question}, &rule->path);
}

static const char *set_rewrite(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct rewrite_rule *rule = arena_zalloc(cf->arena, sizeof *rule);
    struct text to = cf->args[2];
    const char *error;

    if (!rule)
        return conf_error(cf, "no memory");
    rule->source = cf->args[1];
    if (pattern_compile(&rule->pattern, rule->source, false, cf->arena, &error) < 0)
        return conf_error(cf, "%s", error);
    error = variables_add_names(cf, http_main_at(cf)->variables, rule->pattern, &rule->names_base);
    if (error)
        return error;
    if (to.len == 0)
        return conf_error(cf, "empty replacement");
    if (text_starts(to, TEXT("http://")) || text_starts(to, TEXT("https://")) || text_starts(to, TEXT("$scheme"))) {
        rule->redirect = 302;
        rule->ends = true;
    }
    if (cf->count == 4)
        error = set_flag(cf, rule, cf->args[3]);
    if (!error)
        error = set_replacement(cf, rule, to);
    return error ? error : add(cf, &(struct instruction){.op = OP_REWRITE, .rule = rule});
}

/* ---- set, break, return ---- */

static const char *set_set(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct instruction i = {.op = OP_SET};
    struct own_variable *v = NULL;

    i.set.setter = variable_setter(http_main_at(cf)->variables, cf->args[1]);
    if (!i.set.setter) {
        const char *error = variables_own(cf, http_main_at(cf)->variables, cf->args[1], &v);
        if (error)
            return error;
        v->by_set = true;
        i.set.variable = v;
    }
    const char *error = compile(cf, cf->args[2], &i.set.value);
    return error ? error : add(cf, &i);
}

static const char *set_break(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    return add(cf, &(struct instruction){.op = OP_BREAK});
}

/* return code [text] | code URL | URL */
static const char *set_return(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct return_action *a = arena_zalloc(cf->arena, sizeof *a);
    struct text first = cf->args[1], text = cf->count > 2 ? cf->args[2] : TEXT_NONE;
    uint64_t code;

    if (!a)
        return conf_error(cf, "no memory");
    if (number_parse(first, &code) == 0 && code <= 999) {
        a->status = (int)code;
    } else {
        bool url = text_starts(first, TEXT("http://")) || text_starts(first, TEXT("https://")) ||
                   text_starts(first, TEXT("$"));
        if (cf->count > 2 || !url)
            return conf_error(cf, "invalid return code \"%.*s\"", TEXT_ARG(first));
        a->status = 302;
        text = first;
    }
    const char *error = !text.at ? NULL
                        : status_is_redirect(a->status)
                            ? template_compile_field(cf, http_main_at(cf)->variables, text, &a->text)
                            : compile(cf, text, &a->text);
    return error ? error : add(cf, &(struct instruction){.op = OP_RETURN, .action = a});
}

#define SERVER_AND_IFS (CONF_SERVER | CONF_LOCATION | CONF_IF | CONF_IF_SERVER)
#define SLOT(field)    CONF_SLOT(struct rewrite_conf, field)

static const struct conf_row rows[] = {
    {"rewrite", SERVER_AND_IFS, CONF_TAKE2 | CONF_TAKE3 | CONF_REPEAT, set_rewrite,
     .syntax = "regex replacement [last | break | redirect | permanent]",
     .help = "Changes a URI that matches, or redirects the client."},
    {"if", CONF_SERVER | CONF_LOCATION, CONF_1MORE | CONF_BLOCK | CONF_REPEAT, rewrite_set_if,
     .syntax = "(condition) { ... }",
     .help = "Instructions that run where the condition holds; in a location, the block's settings then replace those "
             "of the location."},
    {"set", SERVER_AND_IFS, CONF_TAKE2 | CONF_REPEAT, set_set, .syntax = "$variable value",
     .help = "Gives a variable a value.", .differs = "Captures are taken as they are, and not escaped once more."},
    {"break", SERVER_AND_IFS, CONF_TAKE0 | CONF_REPEAT, set_break, .help = "Ends the instructions of this block."},
    {"return", SERVER_AND_IFS, CONF_TAKE12 | CONF_REPEAT, set_return, .syntax = "code [text] | code URL | URL",
     .help = "Answers at once with this status, text or redirect."},
    {"rewrite_log", CONF_HTTP_ALL | CONF_IF | CONF_IF_SERVER, CONF_FLAG, conf_set_flag, SLOT(log), .dflt = "off",
     .help = "Logs at level notice what was matched and rewritten."},
    {"uninitialized_variable_warn", CONF_HTTP_ALL | CONF_IF | CONF_IF_SERVER, CONF_FLAG, conf_set_flag, SLOT(warn),
     .dflt = "on", .help = "Warns of variables that are used before `set` gave them a value."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct rewrite_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (!l)
        return NULL;
    l->rewrite_conf = conf;
    l->warns_unset = conf->warn;
    l->rewrite = block->context == CONF_IF ? NULL : conf->program; /* an if's belong to the location around it */
    return NULL;
}

struct conf_module rewrite_module = {
    .name = "Rewriting",
    .rows = rows,
    .size = sizeof(struct rewrite_conf),
    .levels = CONF_HTTP_ALL | CONF_IF | CONF_IF_SERVER,
    .finish = finish,
};
