/* pattern.c - see pattern.h. */
#include "pattern.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A prime, so that no aligned distance between two places makes them look alike. */
enum { PERIOD = 1048573 };

static unsigned char *table;

static void make_table(void)
{
    if (table)
        return;
    table = malloc(PERIOD);
    ck_assert_ptr_nonnull(table);
    uint64_t x = 0x2545f4914f6cdd1du;
    for (size_t i = 0; i < PERIOD; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        table[i] = (unsigned char)(x >> 32);
    }
}

unsigned char pattern_byte(off_t offset)
{
    make_table();
    return table[offset % PERIOD];
}

bool pattern_matches(const void *bytes, size_t len, off_t offset)
{
    make_table();
    const unsigned char *b = bytes;
    while (len > 0) {
        size_t at = (size_t)(offset % PERIOD);
        size_t n = len < PERIOD - at ? len : PERIOD - at;
        if (memcmp(b, table + at, n) != 0)
            return false;
        b += n;
        len -= n;
        offset += (off_t)n;
    }
    return true;
}

void assert_pattern(const void *bytes, size_t len, off_t offset)
{
    if (pattern_matches(bytes, len, offset))
        return;
    const unsigned char *b = bytes;
    size_t i = 0;
    while (b[i] == pattern_byte(offset + (off_t)i))
        i++;
    ck_abort_msg("file offset %jd (byte %zu of %zu): 0x%02x instead of 0x%02x", (intmax_t)offset + (intmax_t)i, i, len,
                 b[i], pattern_byte(offset + (off_t)i));
}

void pattern_put(FILE *f, off_t offset, off_t len)
{
    make_table();
    while (len > 0) {
        size_t at = (size_t)(offset % PERIOD);
        size_t n = len < (off_t)(PERIOD - at) ? (size_t)len : PERIOD - at;
        ck_assert_uint_eq(fwrite(table + at, 1, n, f), n);
        offset += (off_t)n;
        len -= (off_t)n;
    }
}
