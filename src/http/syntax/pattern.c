/* pattern.c - all regular expressions of the configuration. The only door to PCRE2; called by
 * route.c, rewrite.c, map.c and others. */
#include "http/syntax/pattern.h"

#include <errno.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MATCH_LIMIT = 1000000,       /* steps; a tenth of PCRE2's own limit, some 10 ms */
    JIT_STACK_LEAST = 32 * 1024, /* bytes */
    JIT_STACK_MOST = 1024 * 1024,
    HEAP_LIMIT = 32 * 1024 /* KiB, of a match without JIT */
};

struct pattern {
    pcre2_code *code;
    struct text *names;
    unsigned *groups; /* number of each of them */
    unsigned name_count;
};

/* Matching needs space of its own: one of each per process, for only its loop matches. */
static pcre2_match_data *match_data;
static pcre2_match_context *match_context;
static pcre2_jit_stack *jit_stack;

static int prepare(void)
{
    if (match_data)
        return 0;
    if (!match_context) {
        match_context = pcre2_match_context_create(NULL);
        if (!match_context)
            return -ENOMEM;
        pcre2_set_match_limit(match_context, MATCH_LIMIT);
        pcre2_set_heap_limit(match_context, HEAP_LIMIT);
        /* Without a stack of its own JIT uses 32 KiB of ours: fine for what such patterns need. */
        jit_stack = pcre2_jit_stack_create(JIT_STACK_LEAST, JIT_STACK_MOST, NULL);
        if (jit_stack)
            pcre2_jit_stack_assign(match_context, NULL, jit_stack);
    }
    match_data = pcre2_match_data_create(PATTERN_CAPTURES, NULL);
    return match_data ? 0 : -ENOMEM;
}

static void release(void *code)
{
    pcre2_code_free(code);
}

static const char *compile_error(int number, size_t offset, struct text source, struct arena *arena)
{
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(number, why, sizeof why);
    if (offset >= source.len)
        return arena_printf(arena, "pcre2_compile() failed: %s in \"%.*s\"", (const char *)why, TEXT_ARG(source));
    return arena_printf(arena, "pcre2_compile() failed: %s in \"%.*s\" at \"%.*s\"", (const char *)why,
                        TEXT_ARG(source), TEXT_ARG(text_from(source, offset)));
}

/* Entries of PCRE2's table: two bytes of group number, then the name. */
static int read_names(struct pattern *p, struct arena *arena)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
    if (count == 0)
        return 0;
    p->names = arena_alloc(arena, count * sizeof *p->names);
    p->groups = arena_alloc(arena, count * sizeof *p->groups);
    if (!p->names || !p->groups)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++, table += size) {
        p->groups[i] = (unsigned)table[0] << 8 | table[1];
        p->names[i] = text_of((const char *)table + 2);
    }
    p->name_count = count;
    return 0;
}

int pattern_compile(struct pattern **out, struct text source, bool nocase, struct arena *arena, const char **error)
{
    int number;
    PCRE2_SIZE offset;
    *error = "no memory";
    struct pattern *p = arena_zalloc(arena, sizeof *p);
    if (!p || prepare() < 0)
        return -ENOMEM;
    p->code = pcre2_compile((PCRE2_SPTR)(source.at ? source.at : ""), source.len, nocase ? PCRE2_CASELESS : 0, &number,
                            &offset, NULL);
    if (!p->code) {
        *error = compile_error(number, offset, source, arena);
        return -EINVAL;
    }
    if (arena_at_fini(arena, release, p->code) < 0) {
        pcre2_code_free(p->code);
        return -ENOMEM;
    }
    if (read_names(p, arena) < 0)
        return -ENOMEM;
    /* Refused where memory may not be executable; matching then interprets. */
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    *out = p;
    *error = NULL;
    return 0;
}

static void fill(struct captures *captures, unsigned count, struct text subject)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match_data);
    captures->count = count;
    for (unsigned i = 0; i < PATTERN_CAPTURES; i++) {
        captures->group[i] = TEXT_NONE;
        /* With \K in a lookahead a match can start behind its end. */
        if (i < count && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1])
            captures->group[i] = text_span(subject.at + ends[2 * i], subject.at + ends[2 * i + 1]);
    }
}

int pattern_match(const struct pattern *p, struct text subject, struct captures *captures)
{
    if (captures)
        captures->count = 0;
    if (!subject.at)
        subject = TEXT("");
    PCRE2_SPTR at = (PCRE2_SPTR)subject.at;
    int rc = pcre2_match(p->code, at, subject.len, 0, 0, match_data, match_context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(p->code, at, subject.len, 0, PCRE2_NO_JIT, match_data, match_context);
    if (rc >= 0) {
        if (captures)
            fill(captures, rc == 0 ? PATTERN_CAPTURES : (unsigned)rc, subject);
        return 1;
    }
    /* A (*UTF) pattern cannot match what is not UTF-8. */
    if (rc == PCRE2_ERROR_NOMATCH || (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21))
        return 0;
    return rc == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -ELOOP;
}

unsigned pattern_names(const struct pattern *p)
{
    return p->name_count;
}

struct text pattern_name(const struct pattern *p, unsigned i, unsigned *group)
{
    *group = p->groups[i];
    return p->names[i];
}
