/* fields.h - the fields of a header block, one after another, to a request's message. Pure. RFC 9113,
 * section 8.
 *
 * nghttp2 only decodes (no_http_messaging): what a request may look like is decided here. */
#ifndef HTTP_H2_FIELDS_H
#define HTTP_H2_FIELDS_H

#include "base/arena.h"
#include "http/syntax/message.h"

#include <stdint.h>

struct fields_limits {
    size_t field, list;        /* bytes of a field, and of all: names, values, and 32 for each (RFC 9113, 6.5.2) */
    unsigned count;            /* of fields; crumbs of Cookie count, too */
    bool ignores, underscores; /* ignore_invalid_headers, underscores_in_headers */
};

/* Zeroed before the first field, but for `arena` and `limits`. The limits may be those of another
 * block for trailers, which are checked and forgotten. */
struct fields {
    struct arena *arena;
    const struct fields_limits *limits;
    struct header *headers;
    unsigned count, room;
    unsigned seen;                               /* fields that came, also those that were not kept */
    size_t size;                                 /* as in fields_limits.list */
    bool trailers;                               /* of a block behind the body */
    bool regular;                                /* a field came that is no pseudo-header */
    bool malformed;                              /* RFC 9113, 8.1.1: an error of the stream */
    bool repeated;                               /* a field that must be there once is there twice: 400 */
    bool odd;                                    /* and one was left out for its name: fields_odd */
    int status;                                  /* that the request is refused with: 414, 431, 500; 0: none */
    struct text method, scheme, path, authority; /* .at NULL: it did not come */
    struct text priority; /* of RFC 9218; several are joined in what is read of them: the last one counts */
    struct text odd_name; /* the last one of these */
    struct text known[FIELD_COUNT];
};

/* Texts are copied where they are kept. */
void fields_add(struct fields *f, struct text name, struct text value);

/* Bytes that they take, about. */
size_t fields_memory(const struct fields *f);

/* Once the block is complete: to *m, whose texts are in the arena. 0, or the status that the request is
 * refused with; what was understood before is in *m. f->malformed: there is no request. */
int fields_finish(struct fields *f, struct message *m);

#endif
