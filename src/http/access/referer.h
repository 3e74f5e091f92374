/* referer.h - valid_referers and $invalid_referer.
 * https://nginx.org/en/docs/http/ngx_http_referer_module.html */
#ifndef HTTP_ACCESS_REFERER_H
#define HTTP_ACCESS_REFERER_H

#include "http/variable/variable.h"

extern struct conf_module referer_module;

extern const struct variable_row referer_variables[]; /* $invalid_referer: "1", or empty */

#endif
