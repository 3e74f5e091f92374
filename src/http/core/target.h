/* target.h - what a request asks for, and of which server, once its carrier has filled its message:
 * RFC 9110, sections 4.2 and 7.1; the forms of a target are those of RFC 9112, section 3.2. */
#ifndef HTTP_CORE_TARGET_H
#define HTTP_CORE_TARGET_H

struct request;

/* Target and Host (which the carrier has checked) to r->uri, r->args, r->host, r->server. 0, or the
 * status that the request is refused with. */
int target_resolve(struct request *r);

/* 0; or the status for a method that no location answers, not even by `return`: TRACE. */
int target_check_method(struct request *r);

#endif
