/* secure_link.h - links that carry a digest of what they lead to: $secure_link,
 * $secure_link_expires. https://nginx.org/en/docs/http/ngx_http_secure_link_module.html */
#ifndef HTTP_ACCESS_SECURE_LINK_H
#define HTTP_ACCESS_SECURE_LINK_H

#include "http/variable/variable.h"

extern struct conf_module secure_link_module;

extern const struct variable_row secure_link_variables[];

#endif
