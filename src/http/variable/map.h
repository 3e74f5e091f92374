/* map.h - variables whose values are looked up: map, geo, split_clients. Each is asked only when a
 * request uses it, and keeps its answer for the rest of the request. */
#ifndef HTTP_VARIABLE_MAP_H
#define HTTP_VARIABLE_MAP_H

#include "base/text.h"
#include "conf/directive.h"

#include <stdint.h>

extern struct conf_module map_module;           /* https://nginx.org/en/docs/http/ngx_http_map_module.html */
extern struct conf_module geo_module;           /* https://nginx.org/en/docs/http/ngx_http_geo_module.html */
extern struct conf_module split_clients_module; /* https://nginx.org/en/docs/http/ngx_http_split_clients_module.html */

/* MurmurHash2 as nginx takes it: the same keys land in the same parts. */
uint32_t split_clients_hash(struct text key);

#endif
