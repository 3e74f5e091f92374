/* content.h - content that is changed before it is sent: unpacked, recoded, compressed. Only
 * locations that are configured for any of this come here (location.rewrites_content). RFC 9110,
 * 8.3, 8.4 and 12.5.5. */
#ifndef HTTP_CONTENT_CONTENT_H
#define HTTP_CONTENT_CONTENT_H

#include "http/request/request.h"
#include "io/filter.h"

/* Decides what will happen, in the order of nginx's filters, and makes the fields say so:
 * Content-Type, Content-Encoding, ETag, Vary. Everything that the decision looks at (status, type,
 * length, added fields) is in r->out. Once per response; further calls do nothing. */
void content_plan(struct request *r);

/* The entity tag that content_plan() will come to. Leaves r->out as it is. */
struct text content_tag(struct request *r);

/* Some of it needs the bytes in memory. */
bool content_is_made(const struct request *r);

/* The last step before the head is composed: puts what was planned between the body and the sink. 0
 * or -errno. */
int content_begin(struct request *r);

enum { CONTENT_LIGHT = 32 * 1024 /* output buffer of what is recoded or framed in the loop */ };

/* Puts `codec`, which is given away, around *s, with an output buffer of `size` bytes. `heavy`: its
 * steps run on pool threads. 0 or -errno, with *s closed. */
int content_wrap(struct request *r, struct source **s, struct codec *codec, size_t size, bool heavy);

#endif
