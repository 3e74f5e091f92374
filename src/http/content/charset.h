/* charset.h - the character set that Content-Type names, and the tables to get there.
 * https://nginx.org/en/docs/http/ngx_http_charset_module.html */
#ifndef HTTP_CONTENT_CHARSET_H
#define HTTP_CONTENT_CHARSET_H

#include "http/content/recode.h"
#include "http/syntax/type_set.h"
#include "http/variable/variable.h"

struct request;

struct charset_map {
    struct charset_map *next;
    struct text from, to;
    struct recode_pair tables;
};

struct charset {
    struct text name;          /* absent: off */
    struct template *variable; /* gives the name; NULL: it is constant */
};

/* Values of charset_module, http, server and location. */
struct charset_conf {
    struct charset charset, source;
    struct type_set *types;
    struct charset_map *maps; /* all of the http block */
};

extern struct conf_module charset_module;

static inline bool charset_configured(const struct charset_conf *conf)
{
    return conf->charset.name.at || conf->charset.variable;
}

/* What happens to the response in r->out, by its type and coding: its charset's name (absent: none
 * is named), and the table that its body goes through (NULL: none). */
struct text charset_choose(struct request *r, const struct recode **table);

#endif
