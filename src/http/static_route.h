/* static_route.h - the steps before a location's own: true: go on with r->step; false: wait. Only static.c asks. */
#ifndef HTTP_STATIC_ROUTE_H
#define HTTP_STATIC_ROUTE_H

#include "http/request.h"

bool static_step_route(struct request *r);
bool static_step_location(struct request *r);
bool static_step_rewrite(struct request *r);

#endif
