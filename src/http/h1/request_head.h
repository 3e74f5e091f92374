/* request_head.h - a complete HTTP/1 head to a request: fields, target, host, server. RFC 9112,
 * sections 2 to 5. */
#ifndef HTTP_H1_REQUEST_HEAD_H
#define HTTP_H1_REQUEST_HEAD_H

#include "base/text.h"

#include <stdbool.h>

struct framing;
struct request;

/* `head` was found complete by parse_scan(), and must stay where it is as long as the request
 * lives. `odd_names`: of the scan. 0, or the status that the request is refused with; what was
 * understood before is in r->msg. */
int request_take_head(struct request *r, struct framing *f, struct text head, bool odd_names);

/* For the log: as much as is known of a head that is refused, or was cut off. Returns the length of
 * the lines that were understood. */
size_t request_take_known(struct request *r, struct text bytes);

#endif
