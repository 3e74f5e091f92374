/* secure_link.h - links that carry a digest of what they lead to: $secure_link, $secure_link_expires.
 * https://nginx.org/en/docs/http/ngx_http_secure_link_module.html */
#ifndef HTTP_SECURE_LINK_H
#define HTTP_SECURE_LINK_H

#include "http/variable.h"

extern struct conf_module secure_link_module;

variable_get_fn secure_link_get;
variable_get_fn secure_link_get_expires; /* absent before secure_link_get() was asked */

#endif
