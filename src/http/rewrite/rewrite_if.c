/* rewrite_if.c - `if`: its condition, and the block whose settings it brings. See rewrite.h. */
#include "http/rewrite/rewrite_private.h"

/* The words between the parentheses, which may stand alone or touch a word: "(", "$a", "=",
 * "b)". */
struct words {
    struct text *first;
    unsigned count;
};

static const char *invalid(struct conf *cf, struct text word)
{
    return conf_error(cf, "invalid condition \"%.*s\"", TEXT_ARG(word));
}

static const char *strip_parentheses(struct conf *cf, struct words *w)
{
    struct text *first = &cf->args[1], *last = &cf->args[cf->count - 1];

    if (!text_starts(*first, TEXT("(")))
        return invalid(cf, *first);
    *first = text_from(*first, 1);
    if (!text_ends(*last, TEXT(")")))
        return invalid(cf, *last);
    last->len--;
    if (last->len == 0 && last > first)
        last--;
    if (first->len == 0 && last > first)
        first++;
    *w = (struct words){first, (unsigned)(last - first) + 1};
    return NULL;
}

static const char *compile(struct conf *cf, struct text source, struct template **out)
{
    /* A word that lost its parenthesis has to end where it says. */
    source = arena_text(cf->arena, source);
    return source.at ? template_compile(cf, http_main_at(cf)->variables, source, out) : conf_error(cf, "no memory");
}

static const char *compile_pattern(struct conf *cf, struct condition *c, struct text source, bool nocase)
{
    const char *error;

    c->kind = CONDITION_MATCH;
    c->source = arena_text(cf->arena, source);
    if (!c->source.at || pattern_compile(&c->pattern, c->source, nocase, cf->arena, &error) < 0)
        return conf_error(cf, "%s", c->source.at ? error : "no memory");
    return variables_add_names(cf, http_main_at(cf)->variables, c->pattern, &c->names_base);
}

/* $a | $a = b | $a != b | $a ~ b | $a ~* b | $a !~ b | $a !~* b */
static const char *parse_variable(struct conf *cf, struct condition *c, const struct words *w)
{
    if (w->count != 1 && w->count != 3)
        return invalid(cf, w->first[0]);
    const char *error = template_of_word(cf, http_main_at(cf)->variables, w->first[0], &c->subject);
    if (error || w->count == 1)
        return error;
    struct text op = w->first[1];
    c->negative = text_starts(op, TEXT("!"));
    if (c->negative)
        op = text_from(op, 1);
    if (text_equal(op, TEXT("="))) {
        c->kind = CONDITION_EQUAL;
        return compile(cf, w->first[2], &c->value);
    }
    if (text_equal(op, TEXT("~")) || text_equal(op, TEXT("~*")))
        return compile_pattern(cf, c, w->first[2], op.len == 2);
    return conf_error(cf, "unexpected \"%.*s\" in condition", TEXT_ARG(w->first[1]));
}

static bool is_file_test(struct text word)
{
    size_t dash = text_starts(word, TEXT("!")) ? 1 : 0;
    return word.len == dash + 2 && word.at[dash] == '-';
}

static const char *parse_file_test(struct conf *cf, struct condition *c, const struct words *w)
{
    struct text op = w->first[0];

    c->kind = CONDITION_FILE;
    c->negative = op.len == 3;
    c->file = op.at[op.len - 1];
    if (w->count != 2 || !strchr("fdex", c->file))
        return invalid(cf, op);
    return compile(cf, w->first[1], &c->subject);
}

static const char *parse_condition(struct conf *cf, struct condition *c)
{
    struct words w = {NULL, 0};
    const char *error = strip_parentheses(cf, &w);
    if (error || !w.first)
        return error;
    if (w.first->len > 1 && w.first->at[0] == '$')
        return parse_variable(cf, c, &w);
    if (is_file_test(*w.first))
        return parse_file_test(cf, c, &w);
    return invalid(cf, *w.first);
}

const char *rewrite_set_if(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct condition *c = arena_zalloc(cf->arena, sizeof *c);
    struct location *l = NULL;
    unsigned index;

    if (!c)
        return conf_error(cf, "no memory");
    const char *error = parse_condition(cf, c);
    if (error)
        return error;
    if (cf->block->context == CONF_LOCATION) {
        l = location_for_if(cf);
        if (!l)
            return conf_error(cf, "no memory");
    }
    struct instruction *i = rewrite_add(cf, &index);
    if (!i)
        return conf_error(cf, "no memory");
    i->op = OP_IF;
    i->branch.condition = c;
    i->branch.location = l;

    struct conf_block *block;
    error = conf_block(cf, l ? CONF_IF : CONF_IF_SERVER, l ? (void *)l : cf->block->owner, &block, NULL);
    struct rewrite_program *p = rewrite_program_at(cf);
    p->items[index].branch.otherwise = p->count;
    return error;
}
