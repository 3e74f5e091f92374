/* type_set.h - the media types of gzip_types and charset_types. https://nginx.org/r/gzip_types */
#ifndef HTTP_SYNTAX_TYPE_SET_H
#define HTTP_SYNTAX_TYPE_SET_H

#include "conf/directive.h"

struct type_set;

/* Adds to a struct type_set *; extra: const char *const[], ending with NULL, which belong to it
 * whatever is said. */
conf_set_fn type_set_add;

/* Whether it has `type`, in whatever case; "*" is every one. A set that has one of JavaScript's
 * names has them all (RFC 9239, 6): the types of old configurations fit newer tables of media
 * types. NULL: `dflt` alone. */
bool type_set_has(const struct type_set *set, const char *const *dflt, struct text type);

#endif
