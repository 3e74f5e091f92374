/* head.h - the response head of HTTP/1, in nginx's order and spelling. Called by connection_send.c
 * and explain.c. RFC 9112, section 4. */
#ifndef HTTP_H1_HEAD_H
#define HTTP_H1_HEAD_H

#include "http/h1/reply.h"
#include "http/request/request.h"

/* At most this many bytes will head_compose() write. */
size_t head_bound(struct request *r);

/* Writes status line, fields and the empty line; returns the length. */
size_t head_compose(struct request *r, const struct reply *y, char *to);

/* The fields that HTTP/1 adds itself: struct carrier_ops. */
struct text head_field(struct request *r, const struct reply *y, struct text name);

#endif
