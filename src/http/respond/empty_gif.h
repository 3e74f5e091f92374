/* empty_gif.h - one transparent pixel from memory.
 * https://nginx.org/en/docs/http/ngx_http_empty_gif_module.html */
#ifndef HTTP_RESPOND_EMPTY_GIF_H
#define HTTP_RESPOND_EMPTY_GIF_H

#include "conf/directive.h"

#include <stdbool.h>

struct request;

struct empty_gif_conf {
    bool on; /* of this very location: never inherited */
};

extern struct conf_module empty_gif_module;

/* Fills r->out. */
void empty_gif_respond(struct request *r);

#endif
