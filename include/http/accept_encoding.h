/* accept_encoding.h - Accept-Encoding to what the client takes, and how much it likes it. Pure. RFC 9110, 12.5.3. */
#ifndef HTTP_ACCEPT_ENCODING_H
#define HTTP_ACCEPT_ENCODING_H

#include "base/text.h"

/* Those that sluice can answer with; among codings that a client likes equally, the first. */
enum coding { CODING_NONE, CODING_BR, CODING_ZSTD, CODING_GZIP, CODINGS };

struct accept_encoding {
    unsigned short q[CODINGS]; /* thousandths; 0: not acceptable */
    unsigned short identity; /* what it likes to get as it is, where it says so; else 0, "when nothing else is there" */
};

/* `value` absent: the client names nothing and gets everything as it is. "*" stands for what is not named; of a coding named twice,
 * the first counts; an element whose weight is malformed makes its coding not acceptable. "x-gzip" is gzip (8.4.1.3). */
struct accept_encoding accept_encoding_parse(struct text value);

/* Acceptable, and liked no less than identity is. */
bool accept_encoding_takes(const struct accept_encoding *a, enum coding c);

/* Those of `mask` (bits 1 << coding) that it takes, best liked first; returns how many. */
unsigned accept_encoding_rank(const struct accept_encoding *a, unsigned mask, enum coding out[CODINGS]);

/* As Content-Encoding names it; and what a file's name ends with that holds it: "br" and ".br". */
struct text coding_name(enum coding c);
struct text coding_suffix(enum coding c);

#endif
