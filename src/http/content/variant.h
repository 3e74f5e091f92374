/* variant.h - side files: index.html.br, .zst and .gz instead of index.html, for clients that
 * accept them. https://nginx.org/en/docs/http/ngx_http_gzip_static_module.html */
#ifndef HTTP_CONTENT_VARIANT_H
#define HTTP_CONTENT_VARIANT_H

#include "conf/directive.h"
#include "http/syntax/accept_encoding.h"

struct request;

enum variant_mode { VARIANT_OFF, VARIANT_ON, VARIANT_ALWAYS };

/* Values of variant_module, http, server and location. */
struct variant_conf {
    int mode[CODINGS]; /* enum variant_mode */
};

extern struct conf_module variant_module;

/* One look for a side file, in the order in which they are looked for. */
struct variant_look {
    enum coding coding;
    bool usable; /* else only whether it is there counts: then the answer varies */
    bool varies; /* its being there makes the answer vary by Accept-Encoding, and Vary shall say so */
};

/* The looks that this request takes, best first. At most 2 * CODINGS; returns how many. */
unsigned variant_looks(struct request *r, struct variant_look out[2 * CODINGS]);

/* The name that this look is for, by r->path; NUL-terminated, in the arena; absent: no memory. */
struct text variant_path(struct request *r, const struct variant_look *look);

/* What stands there; NULL: nothing. Takes over `f`, and makes it r->file where it is to be
 * served. */
struct file;
void variant_found(struct request *r, const struct variant_look *look, struct text path, struct file *f);

/* Whether this look can still change anything. */
bool variant_matters(const struct request *r, const struct variant_look *look);

#endif
