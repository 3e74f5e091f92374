/* realip.h - the client's address as a trusted proxy states it.
 * https://nginx.org/en/docs/http/ngx_http_realip_module.html */
#ifndef HTTP_ACCESS_REALIP_H
#define HTTP_ACCESS_REALIP_H

#include "conf/directive.h"
#include "http/variable/variable.h"

struct realip_conf;
struct request;

extern struct conf_module realip_module;

/* Leads r->peer to the address that a field names, where the location trusts the one that sent it;
 * once per request. The location has a realip. */
void realip_apply(struct request *r);

extern const struct variable_row realip_variables[]; /* $realip_remote_addr, $realip_remote_port */

#endif
