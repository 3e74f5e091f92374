/* h2_conf.h - what the directives of HTTP/2 say. https://nginx.org/en/docs/http/ngx_http_v2_module.html */
#ifndef HTTP_H2_H2_CONF_H
#define HTTP_H2_H2_CONF_H

#include "conf/directive.h"

#include <stdint.h>

extern struct conf_module h2_module;

struct h2_conf {
    int64_t concurrent_streams;
    int64_t chunk_size;  /* bytes of a DATA frame's content, at most */
    int64_t body_window; /* bytes of a request's body that a client may send before it is told to go on */
    int64_t recv_buffer; /* bytes; of each worker */
};

#endif
