/* lex.h - bytes of a configuration file to tokens, by nginx's rules: words, both quotes, escapes, #
 * comments, ${var}. Pure; used by parse.c and inherit.c.
 * https://nginx.org/en/docs/beginners_guide.html#conf_structure */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include "base/arena.h"
#include "base/text.h"

enum lex_kind { LEX_WORD, LEX_SEMICOLON, LEX_OPEN, LEX_CLOSE, LEX_END, LEX_ERROR };

struct lex {
    const char *at, *end;
    unsigned line;       /* of `at`, from 1 */
    struct arena *arena; /* holds the words */
    const char *error;   /* what LEX_ERROR means, without "in FILE:LINE" */
};

struct lex_token {
    enum lex_kind kind;
    struct text word; /* unescaped, NUL-terminated, for LEX_WORD */
    unsigned line;
    bool quoted;
};

void lex_init(struct lex *lx, struct text bytes, struct arena *arena);
struct lex_token lex_next(struct lex *lx);

#endif
