/* precondition.h - If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range. Pure. RFC 9110, section
 * 13. */
#ifndef HTTP_PRECONDITION_H
#define HTTP_PRECONDITION_H

#include "http/parse.h"

#include <time.h>

enum { IF_MODIFIED_SINCE_OFF, IF_MODIFIED_SINCE_EXACT, IF_MODIFIED_SINCE_BEFORE };

struct validators {
    struct text etag; /* with quotes, perhaps W/; absent with `etag off` */
    time_t mtime;     /* -1: none */
};

enum precondition { PRECONDITION_PROCEED, PRECONDITION_NOT_MODIFIED /* 304 */, PRECONDITION_FAILED /* 412 */ };

/* In the order of RFC 9110, 13.2.2. `mode`: if_modified_since. */
enum precondition precondition_check(const struct message *m, const struct validators *v, int mode);

/* Whether Range counts (RFC 9110, 13.1.5): no If-Range, or it matches strongly / is the exact date. */
bool precondition_if_range(const struct message *m, const struct validators *v);

#endif
