/* certificate_conf.h - certificates whose names hold variables, as the configuration has them. The
 * directives ssl_certificate and ssl_certificate_key themselves are in net/tls/tls_conf.h.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate_cache */
#ifndef HTTP_TLS_CERTIFICATE_CONF_H
#define HTTP_TLS_CERTIFICATE_CONF_H

#include "conf/directive.h"

/* Pairs in memory of each worker, one cache for each directive. */
struct certificate_cache_conf {
    int64_t max; /* pairs */
    int64_t inactive_sec, valid_sec;
};

extern struct conf_module certificate_module; /* listed in http/modules.h, too */

struct certificate_conf {
    const struct certificate_cache_conf *cache; /* NULL: off */
};

#endif
