/* variable.h - $variables, and templates: texts that hold them. https://nginx.org/en/docs/varindex.html */
#ifndef HTTP_VARIABLE_H
#define HTTP_VARIABLE_H

#include "base/arena.h"
#include "base/text.h"
#include "conf/directive.h"
#include "http/pattern.h"

struct request;

/* *out: a view of memory that lives as long as the request, or absent (.at NULL): not set. */
typedef void variable_get_fn(struct request *r, const void *data, struct text *out);

struct variable {
    struct text name;
    variable_get_fn *get;
    const void *data;
};

/* The names of one configuration; made with the http block. */
struct variables;
struct variables *variables_create(struct arena *arena);

/* Named groups of a regular expression become variables; returns the index of its first one in request.named through
 * *base. 0 or -ENOMEM. */
int variables_add_names(struct variables *vs, const struct pattern *p, unsigned *base, struct arena *arena);
unsigned variables_named(const struct variables *vs);

/* Resolves what templates refer to, when everything has been read. NULL or an error text with FILE:LINE. */
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

/* Compiles `source`; `vs` resolves it later. NULL or an error text. */
const char *template_compile(struct conf *cf, struct variables *vs, struct text source, struct template **out);

/* Whether `user_agent`, as in $http_user_agent and $sent_http_..., is the field User-Agent: case and - are one. */
bool variable_names_field(struct text variable, struct text field);

/* The value of a cookie of the request; absent: none. */
struct text variable_cookie(const struct request *r, struct text name);

/* The text of `t` for this request, NUL-terminated; absent on no memory. */
struct text template_text(const struct template *t, struct request *r);

static inline bool template_is_constant(const struct template *t)
{
    return t->parts == NULL;
}

/* Remembers the groups of a match for $1 .. $9 and names. */
void variables_capture(struct request *r, const struct pattern *p, unsigned names_base, const struct captures *c);

#endif
