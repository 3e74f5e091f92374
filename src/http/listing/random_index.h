/* random_index.h - a file of the directory, whichever.
 * https://nginx.org/en/docs/http/ngx_http_random_index_module.html */
#ifndef HTTP_LISTING_RANDOM_INDEX_H
#define HTTP_LISTING_RANDOM_INDEX_H

#include "base/text.h"
#include "conf/directive.h"

#include <stdbool.h>

struct request;

struct random_index_conf {
    bool on;
};

extern struct conf_module random_index_module;

/* The name of a regular file in the directory `path` that does not begin with a dot; absent: there
 * is none. 0, -errno, or -EINPROGRESS: a thread reads it, the request is resumed exactly once, from
 * the loop, unless random_index_abandon() comes first, and the same call again gets the answer. */
int random_index_pick(struct request *r, struct text path, struct text *name);

/* The request goes away, or does not want to know any more. */
void random_index_abandon(struct request *r);

#endif
