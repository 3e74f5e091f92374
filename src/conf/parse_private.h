/* parse_private.h - what conf_read() keeps while it reads; shared by the files of this folder. */
#ifndef CONF_PARSE_PRIVATE_H
#define CONF_PARSE_PRIVATE_H

#include "conf/lex.h"
#include "conf/parse.h"

#include <sys/types.h>

/* A file, or text, that is being read; `outer` includes it. */
struct conf_source {
    struct conf_source *outer;
    struct lex lex;
    bool is_parameter; /* the text of -g */
    bool is_file;      /* device and inode are known */
    dev_t device;
    ino_t inode;
    unsigned depth;
};

struct conf_entry {
    const struct conf_module *module;
    const struct conf_row *row;
    unsigned index; /* of the row in its module */
    struct conf_entry *next;
};

/* table.c: all rows by name. */
struct conf_table {
    struct conf_entry **buckets;
    size_t mask;
};

struct conf_reader {
    const struct conf_input *input;
    struct conf_result *result;
    unsigned module_count;
    struct conf_table table;
    struct conf_source *source;
    const char *located; /* the error that has its place already: outer levels pass it on as it is */
    conf_line_fn *line;  /* inside conf_lines() */
    void *line_arg;
    unsigned workers; /* conf.workers */
    unsigned depth;   /* of blocks */
    bool block_open;  /* the directive that is being set has a block that was not read yet */
};

/* 0 or -ENOMEM. */
int table_build(struct conf_table *table, struct conf_module *const *modules, struct arena *arena);

enum table_answer { TABLE_FOUND, TABLE_ELSEWHERE /* known, but not allowed in this context */, TABLE_UNKNOWN };
enum table_answer table_find(const struct conf_table *table, struct text name, enum conf_context context,
                             const struct conf_entry **entry);

/* Rows whose slots have bytes in common are one value. */
bool rows_share(const struct conf_row *a, const struct conf_row *b);

bool row_is_set(const struct conf_block *block, const struct conf_module *module, unsigned index);
void row_mark(const struct conf_block *block, const struct conf_module *module, unsigned index);

/* The nearest block from here outwards that has values of the module, or NULL. */
struct conf_block *block_holding(struct conf_block *block, const struct conf_module *module);

static inline void *row_slot(const struct conf_block *holder, const struct conf_module *module,
                             const struct conf_row *row)
{
    return holder && row->size > 0 ? (char *)holder->values[module->index] + row->offset : NULL;
}

/* parse.c: directives up to the end of the source or, in_block, up to "}". */
const char *read_body(struct conf *cf, bool in_block);
const char *read_source(struct conf *cf, struct conf_source *source, const char *name);
/* `text` with the current place; a text that has one stays. */
const char *error_locate(struct conf *cf, const char *text);

/* include.c */
const char *include_file(struct conf *cf, const char *path);
const char *include_directive(struct conf *cf);
const char *include_keep(struct conf *cf, const char *path, struct text bytes);

#endif
