/* response.h - the fields of a response, whatever made it and whatever carries it. RFC 9110,
 * sections 6.6, 8 and 10.2. */
#ifndef HTTP_RESPOND_RESPONSE_H
#define HTTP_RESPOND_RESPONSE_H

#include "http/request/request.h"
#include "http/variable/variable.h"

/* Adds a field; the texts must outlive the request or be in its arena. False: no memory. */
bool response_add(struct request *r, struct text name, struct text value);

/* "sluice/1.2.3", "sluice" with server_tokens off, or what server_tokens says; empty: no such
 * field. */
struct text response_server(struct request *r);

/* What the response was chosen by; absent: by nothing that a client says. */
struct text response_vary(const struct response *o);

/* Also that of a 416 for which another page stands in. */
struct text response_content_range(const struct request *r);

/* The values of a field by the name that $sent_http_ uses (lower-case, _ for -), joined by commas;
 * absent: not sent. */
struct text response_field(struct request *r, struct text name);

extern const struct variable_row response_variables[]; /* $sent_http_*, $sent_trailer_* */

#endif
