/* realip.h - the client's address as a trusted proxy tells it. https://nginx.org/en/docs/http/ngx_http_realip_module.html */
#ifndef HTTP_REALIP_H
#define HTTP_REALIP_H

#include "conf/directive.h"

struct realip_conf;
struct request;

extern struct conf_module realip_module;

/* Leads r->peer to the address that a field names, where the location trusts the one that sent it; once per request. The location
 * has a realip. */
void realip_apply(struct request *r);

#endif
