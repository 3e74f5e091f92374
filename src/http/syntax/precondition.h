/* precondition.h - If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range. Pure.
 * RFC 9110, section 13. */
#ifndef HTTP_SYNTAX_PRECONDITION_H
#define HTTP_SYNTAX_PRECONDITION_H

#include "http/syntax/message.h"

#include <time.h>

enum { IF_MODIFIED_SINCE_OFF, IF_MODIFIED_SINCE_EXACT, IF_MODIFIED_SINCE_BEFORE };

/* What says of a representation which one it is. */
struct validators {
    struct text etag; /* with quotes, perhaps W/; absent with `etag off` */
    bool dated;       /* it has a date, of its last change: */
    time_t modified;
    /* A date that lies ahead is sent as the time of the response (RFC 9110, 8.8.2.1). These are the
     * other dates, from the first to the last one, that it was sent with, as it is; none where the
     * first is larger. */
    time_t sent_first, sent_last;
};

enum precondition { PRECONDITION_PROCEED, PRECONDITION_NOT_MODIFIED /* 304 */, PRECONDITION_FAILED /* 412 */ };

/* Whether the request has any of the fields that precondition_check() looks at. */
bool precondition_asked(const struct message *m);

/* In the order of RFC 9110, 13.2.2. `mode`: if_modified_since. */
enum precondition precondition_check(const struct message *m, const struct validators *v, int mode);

/* Whether Range counts (RFC 9110, 13.1.5): no If-Range, or it matches strongly / is the exact
 * date. */
bool precondition_if_range(const struct message *m, const struct validators *v);

#endif
