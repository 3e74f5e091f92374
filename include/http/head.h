/* head.h - the response head, in nginx's order and spelling. Called by connection_send.c. RFC 9112, section 4. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/request.h"
#include "http/variable.h"

/* At most this many bytes will head_compose() write. */
size_t head_bound(struct request *r);

/* Writes status line, fields and the empty line; returns the length. Uses r->out and r->wants_close. */
size_t head_compose(struct request *r, char *to);

/* "sluice/0.1.0", "sluice" with server_tokens off, or what server_tokens says; empty: no such field. */
struct text head_server(struct request *r);

extern const struct variable_row head_variables[]; /* $sent_http_*, $sent_trailer_* */

#endif
