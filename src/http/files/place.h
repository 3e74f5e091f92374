/* place.h - where the file of a URI is: root and alias to a name, the name to an open file. Paths
 * that joining them with the request's text must not lead to are recognised here.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#root, #alias */
#ifndef HTTP_FILES_PLACE_H
#define HTTP_FILES_PLACE_H

#include "http/request/request.h"
#include "http/variable/variable.h"

struct stat;

/* The root (or alias) of the location. */
struct text place_root(struct request *r);

/* File name for `uri` by the location's root or alias; NUL-terminated, in the arena; absent: no
 * memory, or too long. */
struct text place_path(struct request *r, struct text uri);

/* Root or alias, and `rest` behind it. */
struct text place_path_below(struct request *r, struct text rest);

/* The name that is looked for as an index of r->uri, and *uri, which it answers. An alias that is
 * the whole path (of a regular expression) ends where the name begins. */
struct text place_index(struct request *r, struct text name, struct text *uri);

/* `a` and `b`, NUL-terminated; absent: no memory, or one of them is absent. */
struct text place_joined(struct request *r, struct text a, struct text b);

/* The same for place_path_below(r, rest), and for place_path(r, r->uri). `own`: what is in `rest`
 * is the configuration's. */
bool place_leads_out(struct request *r, struct text rest, bool own);
bool place_uri_leads_out(struct request *r);

/* Looks `path` up by the location's cache: 0 and a reference, -errno, or -EINPROGRESS: the request
 * waits, and the same call again gets the answer. */
int place_find(struct request *r, struct text path, struct file **f);

/* The same for a path that need not begin with the root: `source` made it, a template of the
 * configuration. */
int place_find_named(struct request *r, struct text path, const struct template *source, struct file **f);

/* The same, and what is known of the file beyond its time and size comes from `identity` (NULL:
 * nowhere) instead of what the location says. */
int place_find_identified(struct request *r, struct text path, const struct identity_conf *identity, struct file **f);

/* What is there and may not be opened: by the location's rules for files. False: nothing is, or it
 * may not be asked about. `source` as above, or NULL. The path was looked up a moment ago, so that
 * this touches no disk. */
bool place_stat(struct request *r, struct text path, const struct template *source, struct stat *st);

extern const struct variable_row place_variables[]; /* $document_root, $realpath_root, $request_filename */

#endif
