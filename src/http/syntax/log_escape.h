/* log_escape.h - how values stand in a line of the access log: the `escape` of log_format. Pure. */
#ifndef HTTP_SYNTAX_LOG_ESCAPE_H
#define HTTP_SYNTAX_LOG_ESCAPE_H

#include "base/text.h"

enum escape { ESCAPE_DEFAULT, ESCAPE_JSON, ESCAPE_NONE };

/* Longest form of one byte, \\u001f. */
enum { LOG_ESCAPED_MOST = 6 };

/* What log_put_escaped() writes for `t`. */
size_t log_escaped_len(struct text t, enum escape escape);

/* Writes `t` to `to`; returns the end. In JSON each byte that is no part of UTF-8 becomes U+FFFD: a
 * line that is not UTF-8 is no JSON (RFC 8259, 8.1), and a client would decide on that. */
char *log_put_escaped(char *to, struct text t, enum escape escape);

#endif
