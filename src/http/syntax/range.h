/* range.h - Range header to byte ranges. Pure. RFC 9110, section 14; nginx's answers where the RFC
 * leaves a choice. */
#ifndef HTTP_SYNTAX_RANGE_H
#define HTTP_SYNTAX_RANGE_H

#include "base/text.h"

#include <sys/types.h>

struct range {
    off_t start, end; /* [start, end), inside the file */
};

enum range_result {
    RANGE_IGNORE,       /* another unit, or more than max_ranges (nginx: 200): answer 200 */
    RANGE_SATISFIABLE,  /* *count ranges, in the order asked, or merged */
    RANGE_UNSATISFIABLE /* 416: syntax error in bytes=, overflow, or nothing inside the file */
};

enum { RANGE_MOST = 512 }; /* ranges a request may ask for, whatever max_ranges says */

/* `size`: of the representation. `max_ranges`: the directive; 0 disables, -1: RANGE_MOST. `out` has
 * room for RANGE_MOST. Unsatisfiable parts are dropped; overlapping or adjoining ones stay as
 * asked, unless their sum exceeds `size`: then they are merged, so that what is sent is never more
 * than the file. With max_ranges -1 and sum + 256 * count above size + 4096, the whole is sent
 * (RANGE_IGNORE), as nginx does. */
enum range_result range_parse(struct text value, off_t size, int max_ranges, struct range *out, unsigned *count);

#endif
