/* directive.h - one row describes one directive: where it may stand, its arguments, its slot,
 * default and help. https://nginx.org/en/docs/dirindex.html
 *
 * Rows live in tables beside the code that uses their values. Parsing, duplicates, inheritance,
 * defaults, "did you mean" and docs/directives.md are generic code over the rows; this machinery
 * knows no directive by name.
 *
 * A module's values live in one struct per block (http, server, location ...). A value that is not
 * set in a block is copied from the block around it when the whole configuration has been read; at
 * the outermost block that may hold it, from the row's default text, which goes through the same
 * setter. Rows whose slots have bytes in common are one value: setting either counts for both. A
 * directive in a block without such a struct goes into the nearest one around it. Of rows with the
 * same name, the first one that is allowed in the block is taken. */
#ifndef CONF_DIRECTIVE_H
#define CONF_DIRECTIVE_H

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_context {
    CONF_MAIN = 1 << 0,
    CONF_EVENTS = 1 << 1,
    CONF_HTTP = 1 << 2,
    CONF_SERVER = 1 << 3,
    CONF_LOCATION = 1 << 4,
    CONF_TYPES = 1 << 5, /* and other blocks of free-form lines: map, geo */
    CONF_IF = 1 << 6,    /* `if` in a location */
    CONF_IF_SERVER = 1 << 7,
    CONF_LIMIT_EXCEPT = 1 << 8,
    CONF_HTTP_ALL = CONF_HTTP | CONF_SERVER | CONF_LOCATION
};

/* How many arguments stand after the name: one or more of these, or'ed. */
enum conf_arity {
    CONF_TAKE0 = 1 << 0,
    CONF_TAKE1 = 1 << 1,
    CONF_TAKE2 = 1 << 2,
    CONF_TAKE3 = 1 << 3,
    CONF_TAKE4 = 1 << 4,
    CONF_TAKE5 = 1 << 5,
    CONF_TAKE6 = 1 << 6,
    CONF_TAKE7 = 1 << 7,
    CONF_TAKE12 = CONF_TAKE1 | CONF_TAKE2,
    CONF_1MORE = 1 << 8,
    CONF_2MORE = 1 << 9,
    CONF_ANY = 1 << 10,
    CONF_FLAG = 1 << 11,  /* exactly one, "on" or "off" (nginx's own words when it is neither) */
    CONF_BLOCK = 1 << 12, /* followed by { ... }: the setter must call conf_block() */
    CONF_REPEAT = 1 << 13 /* may stand more than once in one block; otherwise "is duplicate" */
};

struct conf;
struct conf_block;
struct conf_row;

/* Sets the value at `slot` (NULL for rows with size 0) from cf->args. NULL, or an error text from
 * conf_error(). */
typedef const char *conf_set_fn(struct conf *cf, const struct conf_row *row, void *slot);

struct conf_row {
    const char *name;
    unsigned contexts; /* enum conf_context bits */
    unsigned arity;    /* enum conf_arity bits */
    conf_set_fn *set;
    size_t offset, size; /* of the value in the module's struct: CONF_SLOT(); size 0: the setter keeps it elsewhere */
    const void *extra;   /* for the setter: struct conf_enum[], struct conf_bounds ... */
    const char *dflt;    /* arguments as one would write them, or NULL: all bytes zero. Without a slot, set only where
                            * the directive itself may stand */
    const char *help;    /* one sentence for docs/directives.md */
    const char *syntax;  /* arguments for the docs, e.g. "size | off"; NULL: derived from the setter */
    const char *differs; /* how it differs from nginx's directive of that name, or NULL: the same */
};

#define CONF_SLOT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field)

struct conf_module {
    const char *name;            /* heading in docs/directives.md */
    const struct conf_row *rows; /* ends with a row whose name is NULL */
    size_t size;                 /* of its struct, 0: none */
    unsigned levels;             /* contexts whose blocks hold such a struct */
    unsigned index;              /* given by conf_read() */
    /* After inheritance, outermost block first: check combinations, derive values. NULL or an error
     * text. */
    const char *(*finish)(struct conf *cf, struct conf_block *block, void *values);
};

/* Whether blocks of `context` hold the module's values: an `if` in a location holds what a location
 * holds. */
static inline bool conf_holds(const struct conf_module *module, enum conf_context context)
{
    return module->levels & (context == CONF_IF ? CONF_IF | CONF_LOCATION : context);
}

/* One { } of the configuration, or the file's top level. */
struct conf_block {
    struct conf_block *parent; /* NULL at the top */
    enum conf_context context;
    void **values;    /* one per module, NULL where the module has none at this level */
    uint64_t **set;   /* one bit map per module: which rows were set in this very block */
    struct list node; /* in parent->children, in the order of the file */
    struct list children;
    void *owner; /* free for the row that made the block: struct server, struct location */
    const char *file;
    unsigned line;
};

static inline void *conf_values(const struct conf_block *block, const struct conf_module *module)
{
    return block->values[module->index];
}

/* The values that count in `block`: its own, or those of the nearest block around it that has
 * some. */
static inline void *conf_values_around(const struct conf_block *block, const struct conf_module *module)
{
    while (!block->values[module->index])
        block = block->parent;
    return block->values[module->index];
}

/* What a setter sees. */
struct conf {
    struct arena *arena;      /* lives as long as the configuration */
    struct text *args;        /* args[0] is the directive's name; every .at is NUL-terminated, without a NUL inside;
                               * in the arena, so that setters may keep them */
    unsigned count;           /* of args, name included */
    struct conf_block *block; /* that the directive stands in */
    const char *file;         /* and where */
    unsigned line;
    const char *prefix;         /* -p: base of relative paths; ends with / */
    const char *conf_dir;       /* folder of the main file: base of include; ends with / */
    uint64_t memory;            /* bytes that all workers may use; 0: no limit. Bounds defaults: conf_fit() */
    unsigned *workers;          /* that share them, as far as it was read; NULL and 0 count as 1 */
    bool testing;               /* -t, -T: open nothing for writing that -t of nginx would not */
    void *user;                 /* what conf_read's caller handed in */
    struct conf_reader *reader; /* parse.c's own */
};

/* Reads `{ ... }` that follows the directive into a new child block of `context`, and returns it
 * through *out before its directives are read, when `begin` is called (may be NULL). NULL or an
 * error text. */
const char *conf_block(struct conf *cf, enum conf_context context, void *owner, struct conf_block **out,
                       const char *(*begin)(struct conf *cf, struct conf_block *child));

/* Reads a block of free lines (types, map): `line` is called for each, with cf->args holding its
 * words. */
typedef const char *conf_line_fn(struct conf *cf, void *arg);
const char *conf_lines(struct conf *cf, conf_line_fn *line, void *arg);

/* The text of an error, in the configuration's arena; " in FILE:LINE" is added by the reader. */
const char *conf_error(struct conf *cf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A warning about the current line, on the error log at once: "[warn] text in FILE:LINE". */
void conf_warn(struct conf *cf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `path` against the prefix (nginx's ngx_conf_full_name with conf_prefix 0); absolute ones as they
 * are. */
const char *conf_full_path(struct conf *cf, struct text path);

/* The same for a path that is read while requests are served: conf_reads() is told. */
const char *conf_path(struct conf *cf, struct text path);

/* Who serves may read what has this path, and what is below it; it may hold variables. Without this
 * (or conf_path()) a confined worker cannot open it. False: no memory. */
bool conf_reads(struct conf *cf, const char *path);

/* The same in two steps, for a path that is read only where some block uses it: first in the
 * directive's setter (NULL: no memory), then once or oftener for who uses it. */
struct conf_noted_path *conf_note(struct conf *cf, const char *path);
void conf_reads_noted(struct conf *cf, struct conf_noted_path *noted);

/* The same for writing: who serves may make and write files in the folder of `path` and below; with
 * variables, in the last folder before them. */
bool conf_writes(struct conf *cf, const char *path);

/* The configuration is read from `path`, too, which may be a pattern; files that conf_read() keeps
 * need not be told. */
bool conf_watches(struct conf *cf, const char *path);

/* A default of `bytes`, or less: at most one `part` of a worker's share of the memory, and 1 MiB or
 * more. */
int64_t conf_fit(const struct conf *cf, int64_t bytes, unsigned part);

/* Generic setters; the slot's type is in the comment. Errors are worded as nginx words them. */
conf_set_fn conf_set_flag;        /* bool */
conf_set_fn conf_set_number;      /* int64_t; extra: struct conf_bounds or NULL (0 .. INT64_MAX) */
conf_set_fn conf_set_size;        /* int64_t bytes; extra: struct conf_bounds or NULL */
conf_set_fn conf_set_size_or_off; /* int64_t bytes, -1: off; extra: struct conf_bounds or NULL */
conf_set_fn conf_set_msec;        /* int64_t milliseconds */
conf_set_fn conf_set_sec;         /* int64_t seconds */
conf_set_fn conf_set_text;        /* struct text */
conf_set_fn conf_set_path;        /* const char *, through conf_path(); in the main context conf_full_path() */
conf_set_fn conf_set_enum;        /* int; extra: struct conf_enum[] ending with a NULL name */
conf_set_fn conf_set_bufs;        /* struct conf_bufs: number size, neither 0; extra: bounds of the size or NULL */
conf_set_fn conf_set_accepted;    /* nothing: the directive is accepted and has no meaning here */

struct conf_bounds {
    int64_t least, most;
    bool power_of_two; /* and the value must be a power of two */
};

struct conf_enum {
    const char *name;
    int value;
};

struct conf_bufs {
    int64_t number, size;
};

#endif
