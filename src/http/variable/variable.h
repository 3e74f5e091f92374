/* variable.h - $variables, and templates: texts that hold them.
 * https://nginx.org/en/docs/varindex.html */
#ifndef HTTP_VARIABLE_VARIABLE_H
#define HTTP_VARIABLE_VARIABLE_H

#include "base/arena.h"
#include "base/text.h"
#include "conf/directive.h"
#include "http/syntax/pattern.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

/* *out: a view of memory that lives as long as the request, or absent (.at NULL): not set. */
typedef void variable_get_fn(struct request *r, const void *data, struct text *out);

struct variable {
    struct text name;
    variable_get_fn *get;
    const void *data;
};

/* How `set` changes a built-in variable. */
typedef void variable_set_fn(struct request *r, struct text value);

/* A built-in variable. Tables of them end with a row without a name. */
struct variable_row {
    const char *name; /* in lower case */
    variable_get_fn *get;
    uintptr_t data; /* that get() is called with, as a pointer; a family's: the rest of the name */
    enum {
        VARIABLE_FIXED,
        VARIABLE_CHANGEABLE, /* the configuration may make it anew: so in nginx 1.22, or unknown there */
        VARIABLE_FAMILY,     /* `name` is a prefix, $arg_...; all may be made anew but those that are */
        VARIABLE_OF_FAMILY   /* a whole name of a family, which has no function of its own */
    } flags;
    variable_set_fn *set; /* what `set` calls instead of giving it a value; it is not kept then */
};

/* The names of one configuration, with the built-in ones in `tables` (which end with NULL); made
 * with the http block. */
struct variables;
struct variables *variables_create(struct arena *arena, const struct variable_row *const *tables);

/* A variable that the configuration makes: by set, map, geo, split_clients or a named group. What
 * it was given, or came to, in one request is kept in request.values. The name may be a built-in
 * one that nginx lets configurations make anew ($uid_reset), or of a family ($arg_x): until it is
 * given a value, that is what it means. */
struct own_variable {
    struct own_variable *next;
    struct text name;
    unsigned slot;            /* of its value in request.values */
    bool forgets;             /* `volatile`: computed each time */
    struct variable builtin;  /* of the same name; .get NULL: none */
    variable_get_fn *compute; /* NULL: it has what it was given; before, what `builtin` says, or nothing */
    const void *data;
    bool by_set; /* `set` gives it values: using it before that is worth a warning */
};

/* The own variable called `word` ("$name", whatever characters the name has), made where it is
 * first named. NULL or an error text. */
const char *variables_own(struct conf *cf, struct variables *vs, struct text word, struct own_variable **out);

/* Gives it `value` for the rest of the request; the text must live as long. */
void variable_put(struct request *r, const struct own_variable *v, struct text value);

/* How `set` changes `word` ("$name"); NULL: it is given the value, as all that the configuration
 * makes. */
variable_set_fn *variable_setter(const struct variables *vs, struct text word);

/* Named groups of a regular expression become variables; *base is for variables_capture(). NULL or
 * an error text. */
const char *variables_add_names(struct conf *cf, struct variables *vs, const struct pattern *p, unsigned *base);

/* Resolves what templates refer to, when everything has been read. NULL or an error text with
 * FILE:LINE. */
const char *variables_finish(struct conf *cf, struct variables *vs);

struct template_part {
    struct text text; /* constant, when variable is NULL */
    struct variable *variable;
};

struct template
{
    struct text text;            /* constant templates: the whole; others: the source */
    struct template_part *parts; /* NULL: constant */
    unsigned count;
};

/* Compiles `source`, in which a name behind a $ ends where a character comes that is no letter,
 * digit or _; `vs` resolves it later. NULL or an error text. */
const char *template_compile(struct conf *cf, struct variables *vs, struct text source, struct template **out);

/* The same for the value of a response field: field_fold() of its constant text. */
const char *template_compile_field(struct conf *cf, struct variables *vs, struct text source, struct template **out);

/* A template that is one variable, which `word` ("$name") names as a whole: "$arg_go-get". NULL or
 * an error text. */
const char *template_of_word(struct conf *cf, struct variables *vs, struct text word, struct template **out);

enum template_how {
    TEMPLATE_ARGS = 1 << 0, /* $1 .. $9 are escaped as arguments of a URI */
    TEMPLATE_FIELD = 1 << 1 /* of what variables bring, control bytes are encoded: field_encode() */
};

/* The text of `t` for this request, NUL-terminated; absent on no memory. `how`: bits of enum
 * template_how. */
struct text template_make(const struct template *t, struct request *r, unsigned how);

static inline struct text template_text(const struct template *t, struct request *r)
{
    return template_make(t, r, 0);
}

/* As the value of a response field; `t` comes from template_compile_field(). */
static inline struct text template_field(const struct template *t, struct request *r)
{
    return template_make(t, r, TEMPLATE_FIELD);
}

static inline bool template_is_constant(const struct template *t)
{
    return t->parts == NULL;
}

/* Remembers the groups of a match for $1 .. $9 and names. */
void variables_capture(struct request *r, const struct pattern *p, unsigned names_base, const struct captures *c);

/* The tables of built-in variables, each beside the code that knows them; ends with NULL. Listed by
 * http/modules.c. */
extern const struct variable_row *const http_variables[];

#endif
