/* range.c - Range header to byte ranges. Pure; called by file_response.c. RFC 9110, section 14;
 * where it leaves a choice, as nginx. */
#include "http/syntax/range.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static void skip_blank(struct text *t)
{
    while (t->len > 0 && (t->at[0] == ' ' || t->at[0] == '\t'))
        *t = text_from(*t, 1);
}

/* At least one digit. Positions have no largest value (RFC 9110, 14.1.1): past what a file can
 * have, all are alike. */
static bool take_number(struct text *t, off_t *value)
{
    size_t i = 0;
    *value = 0;
    for (; i < t->len && t->at[i] >= '0' && t->at[i] <= '9'; i++) {
        int digit = t->at[i] - '0';
        *value = *value > (INT64_MAX - digit) / 10 ? INT64_MAX : *value * 10 + digit;
    }
    *t = text_from(*t, i);
    skip_blank(t);
    return i > 0;
}

static bool take_dash(struct text *t)
{
    if (t->len == 0 || t->at[0] != '-')
        return false;
    *t = text_from(*t, 1);
    return true;
}

/* "first-last", "first-" or "-suffix"; the range may come out empty: then it lies outside the
 * file. */
static bool take_spec(struct text *t, off_t size, struct range *range)
{
    off_t last;
    if (take_dash(t)) {
        if (!take_number(t, &last))
            return false;
        *range = (struct range){last < size ? size - last : 0, last > 0 ? size : 0};
        return true;
    }
    if (!take_number(t, &range->start) || !take_dash(t))
        return false;
    skip_blank(t);
    range->end = size;
    if (t->len == 0 || t->at[0] == ',')
        return true;
    if (!take_number(t, &last))
        return false;
    if (last < size)
        range->end = last + 1;
    return true;
}

/* Takes what stands between two specs: white space and commas (RFC 9110, 5.6.1: empty elements are
 * none). */
static bool take_separator(struct text *t, bool first)
{
    bool comma = first;
    skip_blank(t);
    while (t->len > 0 && t->at[0] == ',') {
        comma = true;
        *t = text_from(*t, 1);
        skip_blank(t);
    }
    return comma || t->len == 0;
}

static int by_start(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* What overlaps or adjoins becomes one; in the order of the file then (RFC 9110, 15.3.7.2). How
 * many are left. */
static unsigned coalesce(struct range *ranges, unsigned count)
{
    unsigned kept = 0;
    qsort(ranges, count, sizeof *ranges, by_start);
    for (unsigned i = 1; i < count; i++) {
        if (ranges[i].start > ranges[kept].end)
            ranges[++kept] = ranges[i];
        else if (ranges[i].end > ranges[kept].end)
            ranges[kept].end = ranges[i].end;
    }
    return kept + 1;
}

enum range_result range_parse(struct text value, off_t size, int max_ranges, struct range *out, unsigned *count)
{
    static const struct text unit = {"bytes=", 6};
    *count = 0;
    if (max_ranges == 0 || value.len <= unit.len || !text_equal_nocase((struct text){value.at, unit.len}, unit))
        return RANGE_IGNORE;
    bool limited = max_ranges > 0;
    unsigned most = limited && max_ranges < RANGE_MOST ? (unsigned)max_ranges : RANGE_MOST;

    uint64_t sum = 0;
    struct text rest = text_from(value, unit.len);
    if (!take_separator(&rest, true))
        return RANGE_UNSATISFIABLE;
    while (rest.len > 0) {
        struct range range;
        if (!take_spec(&rest, size, &range) || !take_separator(&rest, false))
            return RANGE_UNSATISFIABLE;
        if (range.start >= range.end) {
            if (range.start == 0 && size == 0)
                return RANGE_IGNORE; /* of an empty file: nginx sends the file */
            continue;
        }
        if (*count == most)
            return RANGE_IGNORE;
        uint64_t len = (uint64_t)(range.end - range.start);
        sum = sum > UINT64_MAX - len ? UINT64_MAX : sum + len;
        out[(*count)++] = range;
    }
    if (*count == 0)
        return RANGE_UNSATISFIABLE;
    if (sum > (uint64_t)size) {
        *count = coalesce(out, *count);
        return RANGE_SATISFIABLE;
    }
    /* More than the file, heads of the parts counted: many small ranges are an attack or a
     * mistake. */
    if (!limited && 256 * (off_t)*count - 4096 > size - (off_t)sum)
        return RANGE_IGNORE;
    return RANGE_SATISFIABLE;
}
