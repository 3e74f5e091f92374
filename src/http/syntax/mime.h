/* mime.h - file name to media type: the `types` directive. RFC 9110, 8.3. */
#ifndef HTTP_SYNTAX_MIME_H
#define HTTP_SYNTAX_MIME_H

#include "conf/directive.h"

struct mime_table;

/* The row lives in http/core/core.c; this is its setter. The slot is a struct mime_table *. */
conf_set_fn mime_set_types; /* types { text/html html htm; ... } */

/* Media type by the extension of the last path segment (case-insensitive), or `fallback`. A NULL
 * table: nginx's built-in three (html, gif, jpg). */
struct text mime_type(const struct mime_table *t, struct text path, struct text fallback);

#endif
