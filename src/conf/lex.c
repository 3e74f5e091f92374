/* lex.c - bytes of a configuration file to tokens, by nginx's rules. Pure; used by parse.c and
 * inherit.c. */
#include "conf/lex.h"

#include <stdbool.h>

enum { WORD_MAX_BYTES = 4096 }; /* nginx's buffer: a longer word is most likely a quote that was forgotten */

void lex_init(struct lex *lx, struct text bytes, struct arena *arena)
{
    *lx =
        (struct lex){.at = bytes.at, .end = bytes.len > 0 ? bytes.at + bytes.len : bytes.at, .line = 1, .arena = arena};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct lex_token token(const struct lex *lx, enum lex_kind kind)
{
    return (struct lex_token){.kind = kind, .line = lx->line};
}

static struct lex_token fail(struct lex *lx, unsigned line, const char *error)
{
    lx->error = error ? error : "out of memory";
    return (struct lex_token){.kind = LEX_ERROR, .line = line};
}

static struct lex_token fail_unexpected(struct lex *lx, char c)
{
    bool printable = c >= ' ' && c < 0x7f;
    return fail(lx, lx->line,
                printable ? arena_printf(lx->arena, "unexpected \"%c\"", c)
                          : arena_printf(lx->arena, "unexpected byte \"\\x%02x\"", (unsigned)(unsigned char)c));
}

static void skip_space(struct lex *lx)
{
    bool comment = false;
    for (; lx->at < lx->end && (comment || is_space(*lx->at) || *lx->at == '#'); lx->at++) {
        if (*lx->at == '\n') {
            lx->line++;
            comment = false;
        } else if (*lx->at == '#') {
            comment = true;
        }
    }
}

/* \" \' \\ stand for the second byte, \t \r \n for what they stand for in C; any other backslash
 * stays. */
static struct lex_token word(struct lex *lx, const char *from, const char *to, bool quoted)
{
    if (to > from && memchr(from, '\0', (size_t)(to - from)))
        return fail_unexpected(lx, '\0');
    char *copy = arena_alloc(lx->arena, (size_t)(to - from) + 1);
    if (!copy)
        return fail(lx, lx->line, NULL);
    char *out = copy;
    while (from < to) {
        char next = *from == '\\' && from + 1 < to ? from[1] : '\0';
        if (next == '"' || next == '\'' || next == '\\')
            *out++ = next;
        else if (next == 't')
            *out++ = '\t';
        else if (next == 'r')
            *out++ = '\r';
        else if (next == 'n')
            *out++ = '\n';
        else {
            *out++ = *from++;
            continue;
        }
        from += 2;
    }
    *out = '\0';
    struct lex_token t = token(lx, LEX_WORD);
    t.word = text_span(copy, out);
    t.quoted = quoted;
    return t;
}

static struct lex_token fail_too_long(struct lex *lx, unsigned line, const char *start, char quote)
{
    return fail(lx, line,
                quote != '\0' ? arena_printf(lx->arena,
                                             "too long parameter, probably missing terminating \"%c\" character", quote)
                              : arena_printf(lx->arena, "too long parameter \"%.10s...\" started", start));
}

/* Moves past one byte of a word, or two when the first is a backslash. */
static void step(struct lex *lx)
{
    if (*lx->at == '\\' && lx->at + 1 < lx->end)
        lx->at++;
    if (*lx->at == '\n')
        lx->line++;
    lx->at++;
}

/* After a closing quote: only what ends a word, or ")" as in: if ($a = "b") */
static bool may_follow_quote(const struct lex *lx)
{
    return lx->at == lx->end || is_space(*lx->at) || *lx->at == ';' || *lx->at == '{' || *lx->at == ')';
}

static struct lex_token quoted_word(struct lex *lx)
{
    unsigned line = lx->line;
    char quote = *lx->at++;
    const char *start = lx->at;
    while (lx->at < lx->end && *lx->at != quote) {
        step(lx);
        if (lx->at - start >= WORD_MAX_BYTES && lx->at < lx->end)
            return fail_too_long(lx, line, start, quote);
    }
    if (lx->at == lx->end)
        return fail(lx, lx->line, "unexpected end of file, expecting \";\" or \"}\"");
    struct lex_token t = word(lx, start, lx->at++, true);
    return t.kind == LEX_ERROR || may_follow_quote(lx) ? t : fail_unexpected(lx, *lx->at);
}

static struct lex_token plain_word(struct lex *lx)
{
    unsigned line = lx->line;
    const char *start = lx->at;
    bool variable = false; /* just behind a "$": the brace of ${name} belongs to the word */
    for (; lx->at < lx->end; step(lx)) {
        char c = *lx->at;
        if (is_space(c) || c == ';' || (c == '{' && !variable))
            break;
        if (lx->at - start >= WORD_MAX_BYTES)
            return fail_too_long(lx, line, start, '\0');
        variable = c == '$' || (c == '{' && variable);
    }
    return word(lx, start, lx->at, false);
}

struct lex_token lex_next(struct lex *lx)
{
    skip_space(lx);
    if (lx->at == lx->end)
        return token(lx, LEX_END);
    switch (*lx->at) {
    case ';':
        lx->at++;
        return token(lx, LEX_SEMICOLON);
    case '{':
        lx->at++;
        return token(lx, LEX_OPEN);
    case '}':
        lx->at++;
        return token(lx, LEX_CLOSE);
    case '"':
    case '\'':
        return quoted_word(lx);
    default:
        return plain_word(lx);
    }
}
