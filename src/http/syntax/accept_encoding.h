/* accept_encoding.h - Accept-Encoding to the codings that the client accepts, with their weights.
 * Pure. RFC 9110, 12.5.3. */
#ifndef HTTP_SYNTAX_ACCEPT_ENCODING_H
#define HTTP_SYNTAX_ACCEPT_ENCODING_H

#include "base/text.h"

/* Those that sluice can answer with; among codings of the same weight, the first is preferred. */
enum coding {
    CODING_NONE,
    CODING_DCB, /* Brotli and Zstandard with a dictionary that the client has: RFC 9842 */
    CODING_DCZ,
    CODING_BR,
    CODING_ZSTD,
    CODING_GZIP,
    CODINGS
};

static inline bool coding_has_dictionary(enum coding c)
{
    return c == CODING_DCB || c == CODING_DCZ;
}

struct accept_encoding {
    unsigned short q[CODINGS]; /* thousandths; 0: not acceptable */
    unsigned short identity; /* of the plain content, where the client says so; else 0, "when nothing else is there" */
};

/* `value` absent: the client names nothing and gets plain content. "*" stands for the codings that
 * are not named, those with a dictionary excepted (RFC 9842, 6.1); of a coding named twice, the first counts; an element whose weight is malformed
 * makes its coding not acceptable. "x-gzip" is gzip (8.4.1.3). */
struct accept_encoding accept_encoding_parse(struct text value);

/* Acceptable, with a weight no less than that of identity. */
bool accept_encoding_takes(const struct accept_encoding *a, enum coding c);

/* Those of `mask` (bits 1 << coding) that the client accepts, in order of preference; returns how
 * many. */
unsigned accept_encoding_rank(const struct accept_encoding *a, unsigned mask, enum coding out[CODINGS]);

/* As Content-Encoding names it; and what a file's name ends with that holds it: "br" and ".br". */
struct text coding_name(enum coding c);
struct text coding_suffix(enum coding c);

#endif
