/* steps.h - the conductor: from a routed request to a complete response in r->out. RFC 9110,
 * sections 9 and 13 to 15; the order of steps is that of nginx's phases,
 * https://nginx.org/en/docs/dev/development_guide.html#http_phases */
#ifndef HTTP_HANDLE_STEPS_H
#define HTTP_HANDLE_STEPS_H

#include "http/request/request.h"

/* Processes the request from r->step on. True: r->out is complete. False: something is awaited; the
 * request is resumed exactly once, from the loop (carrier.h), unless steps_abandon() comes
 * first. */
bool steps_run(struct request *r);

/* One step of that: one name of try_files or index looked up, one file opened. False: it waits, and
 * is to be taken again when the request is resumed. */
bool steps_one(struct request *r);

/* Gives up whatever is awaited and held: the request goes away. It is not resumed any more. */
void steps_abandon(struct request *r);

#endif
