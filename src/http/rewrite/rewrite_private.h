/* rewrite_private.h - what the rooms of the rewrite module share: rewrite.c runs instructions,
 * rewrite_conf.c and rewrite_if.c make them from the configuration. */
#ifndef HTTP_REWRITE_REWRITE_PRIVATE_H
#define HTTP_REWRITE_REWRITE_PRIVATE_H

#include "http/core/core.h"
#include "http/rewrite/rewrite.h"
#include "http/variable/variable.h"

/* rewrite REGEX REPLACEMENT [FLAG] */
struct rewrite_rule {
    struct text source; /* of the regular expression: for rewrite_log */
    struct pattern *pattern;
    unsigned names_base;
    struct template *path; /* of a redirect: the whole */
    struct template *args; /* query of the replacement, unless it is a redirect; NULL: none */
    bool keeps_args;       /* those of the request are added */
    bool has_args;         /* a redirect that brings its own */
    int redirect;          /* status, 0: none */
    bool breaks;           /* `break` */
    bool ends;             /* any flag: no instruction after it */
};

/* if (...) */
struct condition {
    enum { CONDITION_TRUE, CONDITION_EQUAL, CONDITION_MATCH, CONDITION_FILE } kind;
    bool negative;
    char file;                /* f, d, e or x */
    struct template *subject; /* the variable; of a file its path */
    struct template *value;   /* CONDITION_EQUAL */
    struct text source;       /* CONDITION_MATCH */
    struct pattern *pattern;
    unsigned names_base;
};

struct instruction {
    enum { OP_REWRITE, OP_IF, OP_SET, OP_BREAK, OP_RETURN } op;
    union {
        const struct rewrite_rule *rule;
        const struct return_action *action;
        struct {
            const struct condition *condition;
            const struct location *location; /* whose values count from here on; NULL: `if` of a server */
            unsigned otherwise;              /* index of the instruction behind the block */
        } branch;
        struct {
            const struct own_variable *variable; /* or */
            variable_set_fn *setter;
            struct template *value;
        } set;
    };
};

struct rewrite_program {
    const struct rewrite_conf *conf;
    struct instruction *items;
    unsigned count, room;
};

/* One more instruction of the block that `cf` reads, or of the one around its `if`; valid until the
 * next one. NULL: no memory. */
struct instruction *rewrite_add(struct conf *cf, unsigned *index);

/* The block's program, made when first asked for. NULL: no memory. */
struct rewrite_program *rewrite_program_at(struct conf *cf);

conf_set_fn rewrite_set_if;

#endif
