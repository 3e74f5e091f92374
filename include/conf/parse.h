/* parse.h - reads a configuration file and what it includes through the tables of rows.
 * https://nginx.org/en/docs/beginners_guide.html#conf_structure,
 * https://nginx.org/en/docs/ngx_core_module.html#include */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "base/buffer.h"
#include "conf/directive.h"

/* A directive that other nginx modules have and sluice does not: gets an error of its own. */
struct conf_foreign {
    const char *name; /* one ending in * stands for all that start so */
    const char *why;  /* "proxying is outside what sluice does" */
};

struct conf_input {
    const char *file;  /* path of the main file, or NULL: `bytes` */
    struct text bytes; /* read instead of a file (sluice DIR); `name` stands for it in errors */
    const char *name;
    struct text globals;                /* -g: directives of the main context, read first */
    const char *prefix;                 /* ends with / */
    uint64_t memory;                    /* bytes that all workers may use; 0: no limit */
    struct conf_module *const *modules; /* NULL-terminated */
    const struct conf_foreign *foreign; /* ends with a NULL name; may be NULL */
    bool testing;
    void *user;
};

/* What conf_read() keeps of each file, for -T. */
struct conf_file {
    struct list node;
    const char *path;
    struct text bytes;
};

/* What conf_reads(), conf_writes() and conf_watches() were told, and by which directive. */
struct conf_noted_path {
    struct list node;
    const char *path;
    const char *directive, *file;
    unsigned line;
};

/* Whether it has variables, and they say which folder it begins with: "$x", "/$x", "/a-$x". */
bool conf_path_is_open(const char *path);

struct conf_result {
    struct conf_block *root; /* CONF_MAIN; NULL on error */
    struct list files;       /* struct conf_file, each once, in the order of first reading */
    struct list reads;       /* struct conf_noted_path */
    struct list writes;      /* likewise */
    struct list watched;     /* likewise, conf_watches() */
    const char *error;       /* "unknown directive \"foo\" in /etc/sluice.conf:3", in the arena */
};

/* Reads, inherits (outermost first), runs the modules' finish. 0, or -EINVAL with result->error.
 * All memory from `arena`. */
int conf_read(const struct conf_input *input, struct arena *arena, struct conf_result *result);

/* inherit.c: called by conf_read(). NULL or an error text with its own FILE:LINE. */
const char *conf_inherit(struct conf *cf, struct conf_block *root, struct conf_module *const *modules);

/* dump.c: what -T prints after the two test lines, and docs/directives.md. */
void conf_dump_files(const struct conf_result *result, struct buffer *out);
void conf_dump_reference(struct conf_module *const *modules, const struct conf_foreign *foreign, struct buffer *out);

/* The name in the tables nearest to `name` (edit distance at most 3 and under half its length), or
 * NULL. */
const char *conf_nearest(struct conf_module *const *modules, const char *name);

#endif
