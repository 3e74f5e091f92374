/* realip.h - the client's address as a trusted proxy tells it. https://nginx.org/en/docs/http/ngx_http_realip_module.html */
#ifndef HTTP_REALIP_H
#define HTTP_REALIP_H

#include "conf/directive.h"

struct realip_conf;
struct request;

extern struct conf_module realip_module;

/* The block's values, NULL where nobody is trusted: what locations hold. */
const struct realip_conf *realip_of(const struct conf_block *block);

/* Takes the address of the request's connection for what its location trusts, once per request; connection_drop_request() takes it
 * back. The location has a realip. */
void realip_apply(struct request *r);

#endif
