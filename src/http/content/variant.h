/* variant.h - side files: index.html.br, .zst and .gz instead of index.html, for clients that
 * accept them; and app.js.0123456789abcdef.dcz and .dcb for those that have the dictionary, whose
 * SHA-256 digest begins so, or app.js.dcz for the one dictionary that there is.
 * https://nginx.org/en/docs/http/ngx_http_gzip_static_module.html; RFC 9842 */
#ifndef HTTP_CONTENT_VARIANT_H
#define HTTP_CONTENT_VARIANT_H

#include "conf/directive.h"
#include "file/identity.h"
#include "http/syntax/accept_encoding.h"

struct request;

enum variant_mode { VARIANT_OFF, VARIANT_ON, VARIANT_ALWAYS };

/* Values of variant_module, http, server and location. */
struct variant_conf {
    int mode[CODINGS]; /* enum variant_mode; not of codings with a dictionary: */
    bool dictionary;
    struct identity_conf identity; /* where it looks for what is known of them */
};

enum { VARIANT_LOOKS = 2 * CODINGS, VARIANT_DIGITS = 16 /* of the dictionary's digest in a name */ };

extern struct conf_module variant_module;

/* One look for a side file, in the order in which they are looked for. */
struct variant_look {
    enum coding coding;
    bool usable; /* else only whether it is there counts: then the answer varies */
    bool named;  /* its name has the digest of the dictionary */
    bool varies; /* its being there makes the answer vary by Accept-Encoding, and Vary shall say so */
};

/* The looks that this request takes, best first. Returns how many. */
unsigned variant_looks(struct request *r, struct variant_look out[VARIANT_LOOKS]);

/* The name that this look is for, by r->path; NUL-terminated, in the arena; absent: no memory. */
struct text variant_path(struct request *r, const struct variant_look *look);

/* What is to be known of the file that it finds, for place_find_identified(). */
const struct identity_conf *variant_identity(const struct request *r, const struct variant_look *look);

/* What stands there; NULL: nothing. Takes over `f`, and makes it r->file where it is to be
 * served. */
struct file;
void variant_found(struct request *r, const struct variant_look *look, struct text path, struct file *f);

/* All looks are over: says in r->out what the choice would have depended on in any case. */
void variant_end(struct request *r);

/* Whether this look can still change anything. */
bool variant_matters(const struct request *r, const struct variant_look *look);

#endif
