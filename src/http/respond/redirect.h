/* redirect.h - where a response sends its client. respond.c says where to; here it becomes the
 * field Location. RFC 9110, 10.2.2 and 15.4. */
#ifndef HTTP_RESPOND_REDIRECT_H
#define HTTP_RESPOND_REDIRECT_H

#include "http/request/request.h"

/* Adds Location to a response for which r->moved_to is set, before anything else is added. What is
 * added sees it as it was given, as in nginx; returns what r->out.location is to become after that,
 * absent: it stays. */
struct text redirect_apply(struct request *r);

#endif
