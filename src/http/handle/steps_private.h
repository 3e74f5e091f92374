/* steps_private.h - what the files of steps.c share: the steps before a location's own (true:
 * r->step is next; false: the request waits), and names. */
#ifndef HTTP_HANDLE_STEPS_PRIVATE_H
#define HTTP_HANDLE_STEPS_PRIVATE_H

#include "http/request/request.h"

bool steps_route(struct request *r);
bool steps_location(struct request *r);
bool steps_named(struct request *r);
bool steps_rewrite(struct request *r);
bool steps_try_files(struct request *r);

/* `rewrite ... break` leaves a URI that need not begin with the location's name, which an alias
 * would cut off: true, and 500 is the answer. Asked where a path is made. */
bool steps_refuse_alias(struct request *r);

#endif
