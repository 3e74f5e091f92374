/* userid.h - cookies that tell visitors apart.
 * https://nginx.org/en/docs/http/ngx_http_userid_module.html */
#ifndef HTTP_RESPOND_USERID_H
#define HTTP_RESPOND_USERID_H

#include "http/variable/variable.h"

struct userid_conf;

extern struct conf_module userid_module;

/* Adds Set-Cookie (and P3P) to a response that is complete otherwise. */
void userid_apply(struct request *r, const struct userid_conf *c);

/* $uid_got: what the client sent; $uid_set: what it gets; $uid_reset, unless the configuration
 * gives it a value. */
extern const struct variable_row userid_variables[];

#endif
