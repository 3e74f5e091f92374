/* modules.h - the tables of directives of http/, each beside the code that uses its values;
 * server/process/modules.c puts them in their order. https://nginx.org/en/docs/dirindex.html */
#ifndef HTTP_MODULES_H
#define HTTP_MODULES_H

#include "conf/directive.h"

extern struct conf_module http_module, listing_module, headers_module, access_module, referer_module,
    secure_link_module, userid_module, log_module, variant_module, dictionary_module, gzip_module, charset_module,
    rewrite_module, map_module, geo_module, split_clients_module, random_index_module, empty_gif_module, monitor_module,
    health_module, limits_module, confine_module, realip_module, h2_module, certificate_module, digest_module,
    registry_module;

#endif
