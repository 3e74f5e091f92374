/* test_range.c - Range header against sizes: nginx's answers. */
#include "unit.h"

#include "http/syntax/range.h"

#include <stdio.h>

#define BIG ((off_t)5 << 30)

/* `expected`: "start-end " for each range, end exclusive; "200", or "416". */
static const struct {
    const char *value;
    off_t size;
    int max;
    const char *expected;
} ranges[] = {
    {"bytes=0-0", 10, -1, "0-1 "},
    {"bytes=0-", 10, -1, "0-10 "},
    {"bytes=9-", 10, -1, "9-10 "},
    {"bytes=10-", 10, -1, "416"},
    {"bytes=2-4", 10, -1, "2-5 "},
    {"bytes=2-9", 10, -1, "2-10 "},
    {"bytes=2-10", 10, -1, "2-10 "},
    {"bytes=2-9223372036854775807", 10, -1, "2-10 "},
    {"bytes=2-9223372036854775808", 10, -1, "2-10 "},
    {"bytes=0-18446744073709551615", 10, -1, "0-10 "},
    {"bytes=0-18446744073709551616", 10, -1, "0-10 "},
    {"bytes=0-18446744073709551625", 10, -1, "0-10 "},
    {"bytes=0-1,4-99999999999999999999", 10, -1, "0-2 4-10 "},
    {"bytes=0-1,99999999999999999999-", 10, -1, "0-2 "},
    {"bytes=99999999999999999999-,4-5", 10, -1, "4-6 "},
    {"bytes=18446744073709551616-18446744073709551617,0-1", 10, -1, "0-2 "},
    {"bytes=99999999999999999999-99999999999999999999", INT64_MAX, -1, "416"},
    {"bytes=9223372036854775807-", 10, -1, "416"},
    {"bytes=9223372036854775808-", 10, -1, "416"},
    {"bytes=99999999999999999999999-", 10, -1, "416"},
    {"bytes=-1", 10, -1, "9-10 "},
    {"bytes=-10", 10, -1, "0-10 "},
    {"bytes=-11", 10, -1, "0-10 "},
    {"bytes=-9223372036854775807", 10, -1, "0-10 "},
    {"bytes=-9223372036854775808", 10, -1, "0-10 "},
    {"bytes=-18446744073709551616", 10, -1, "0-10 "},
    {"bytes=-18446744073709551626", 10, -1, "0-10 "},
    {"bytes=-99999999999999999999,0-0", 10, -1, "0-10 "},
    {"bytes=-0", 10, -1, "416"},
    {"bytes=5-3", 10, -1, "416"},
    {"bytes=5-5", 10, -1, "5-6 "},
    /* Beyond 4 GiB. */
    {"bytes=4294967296-4294967299", BIG, -1, "4294967296-4294967300 "},
    {"bytes=-1", BIG, -1, "5368709119-5368709120 "},
    {"bytes=5368709119-", BIG, -1, "5368709119-5368709120 "},
    {"bytes=5368709120-", BIG, -1, "416"},
    {"bytes=0-9223372036854775806", INT64_MAX, -1, "0-9223372036854775807 "},
    {"bytes=0-,1-", INT64_MAX, -1, "0-9223372036854775807 "}, /* in sum more than any number */
    {"bytes=0-,1-,2-,3-", INT64_MAX, -1, "0-9223372036854775807 "},
    {"bytes=0-9223372036854775807", INT64_MAX, -1, "0-9223372036854775807 "},
    {"bytes=9223372036854775806-", INT64_MAX, -1, "9223372036854775806-9223372036854775807 "},
    /* Several: in the order asked, those outside dropped. */
    {"bytes=0-1,4-5", 10, -1, "0-2 4-6 "},
    {"bytes=4-5,0-1", 10, -1, "4-6 0-2 "},
    {"bytes=0-1,1-2", 10, -1, "0-2 1-3 "},
    {"bytes=0-1,2-3", 10, -1, "0-2 2-4 "},
    {"bytes=0-1,20-30", 10, -1, "0-2 "},
    {"bytes=20-30,0-1", 10, -1, "0-2 "},
    {"bytes=20-30,-0,7-6", 10, -1, "416"},
    {"bytes=0-0,-1", 10, -1, "0-1 9-10 "},
    {"bytes= 0-1 , 4-5 ", 10, -1, "0-2 4-6 "},
    {"bytes=0-1\t,\t4-5", 10, -1, "0-2 4-6 "},
    {"bytes=0 - 1 , 2 - ", 10, -1, "0-2 2-10 "},
    {"bytes=- 2", 10, -1, "416"},
    {"bytes=,0-1,,4-5,", 10, -1, "0-2 4-6 "},
    /* More than the whole. */
    {"bytes=0-9,0-0", 10, -1, "0-10 "},
    {"bytes=0-,0-", 10, -1, "0-10 "},
    {"bytes=0-4,5-9", 10, -1, "0-5 5-10 "},
    {"bytes=0-4,4-9", 10, -1, "0-10 "},
    {"bytes=8-9,0-3,1-2,0-3,2-4", 10, -1, "0-5 8-10 "},
    {"bytes=7-8,0-3,0-3,4-5,0-3", 10, -1, "0-6 7-9 "},
    {"bytes=-1,0-8,5-5", 10, 3, "0-10 "},
    /* Syntax. */
    {"bytes=", 10, -1, "200"},
    {"bytes", 10, -1, "200"},
    {"", 10, -1, "200"},
    {"bytes=,", 10, -1, "416"},
    {"bytes=a", 10, -1, "416"},
    {"bytes=-", 10, -1, "416"},
    {"bytes=--1", 10, -1, "416"},
    {"bytes=1", 10, -1, "416"},
    {"bytes=1-a", 10, -1, "416"},
    {"bytes=1-2a", 10, -1, "416"},
    {"bytes=1-2-3", 10, -1, "416"},
    {"bytes=1-2;3-4", 10, -1, "416"},
    {"bytes=1-2 3-4", 10, -1, "416"},
    {"bytes=+1-2", 10, -1, "416"},
    {"bytes=0x1-2", 10, -1, "416"},
    {"bytes=0-1,a", 10, -1, "416"},
    {"bytes=0-1,-", 10, -1, "416"},
    {"bytes=1.5-2", 10, -1, "416"},
    {"bytes =0-1", 10, -1, "200"},
    {"Bytes=0-1", 10, -1, "0-2 "},
    {"items=0-1", 10, -1, "200"},
    {"bytesx=0-1", 10, -1, "200"},
    /* An empty file. */
    {"bytes=0-", 0, -1, "200"},
    {"bytes=0-0", 0, -1, "200"},
    {"bytes=-1", 0, -1, "200"},
    {"bytes=-0", 0, -1, "200"},
    {"bytes=1-", 0, -1, "416"},
    /* max_ranges. */
    {"bytes=0-0", 10, 0, "200"},
    {"bytes=x", 10, 0, "200"},
    {"bytes=0-0", 10, 1, "0-1 "},
    {"bytes=0-0,2-2", 10, 1, "200"},
    {"bytes=0-0,2-2", 10, 2, "0-1 2-3 "},
    {"bytes=0-0,2-2,4-4", 10, 2, "200"},
    {"bytes=0-0,20-,2-2", 10, 2, "0-1 2-3 "},
    /* Up to 16 small parts of a small file are fine; see test_many. */
    {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9", 10, -1, "0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10 "},
};

static void describe(char *out, enum range_result result, const struct range *range, unsigned count)
{
    out[0] = '\0';
    if (result != RANGE_SATISFIABLE) {
        strcpy(out, result == RANGE_IGNORE ? "200" : "416");
        return;
    }
    for (unsigned i = 0; i < count; i++)
        out += sprintf(out, "%lld-%lld ", (long long)range[i].start, (long long)range[i].end);
}

START_TEST(test_ranges)
{
    struct range out[RANGE_MOST];
    unsigned count;
    char got[4000];
    enum range_result result = range_parse(text_of(ranges[_i].value), ranges[_i].size, ranges[_i].max, out, &count);
    describe(got, result, out, count);
    ck_assert_msg(!strcmp(got, ranges[_i].expected), "%s, not %s: %s", got, ranges[_i].expected, ranges[_i].value);
}
END_TEST

/* `count` ranges of one byte each, far apart. */
static enum range_result many(unsigned wanted, off_t size, int max, unsigned *count)
{
    static char value[20000];
    static struct range out[RANGE_MOST];
    int len = sprintf(value, "bytes=");
    for (unsigned i = 0; i < wanted; i++)
        len += sprintf(value + len, "%s%u-%u", i ? "," : "", i * 2, i * 2);
    return range_parse((struct text){value, (size_t)len}, size, max, out, count);
}

START_TEST(test_many)
{
    unsigned count;
    /* sum + 256 * count against size + 4096: 16 + 4096 <= 20 + 4096, but 17 + 4352 > 40 + 4096 */
    ck_assert_int_eq(many(16, 40, -1, &count), RANGE_SATISFIABLE);
    ck_assert_int_eq(many(17, 40, -1, &count), RANGE_IGNORE);
    ck_assert_int_eq(many(17, 40, 17, &count), RANGE_SATISFIABLE);
    ck_assert_int_eq(many(17, 17 + 4352 - 4096, -1, &count), RANGE_SATISFIABLE);
    ck_assert_int_eq(many(17, 17 + 4352 - 4096 - 1, -1, &count), RANGE_IGNORE);

    ck_assert_int_eq(many(RANGE_MOST, 1 << 30, -1, &count), RANGE_SATISFIABLE);
    ck_assert_uint_eq(count, RANGE_MOST);
    ck_assert_int_eq(many(RANGE_MOST + 1, 1 << 30, -1, &count), RANGE_IGNORE);
    ck_assert_int_eq(many(RANGE_MOST + 1, 1 << 30, 100000, &count), RANGE_IGNORE);
}
END_TEST

/* Nothing outside the file, whatever is asked. */
START_TEST(test_random)
{
    static const char alphabet[] = "0123456789----,,, ";
    static struct range out[RANGE_MOST];
    unsigned seed = 5;
    for (int round = 0; round < 100000; round++) {
        char value[40] = "bytes=";
        size_t n = 6;
        for (; n < 30; n++) {
            seed = seed * 1103515245 + 12345;
            value[n] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        off_t size = (seed >> 8) % 3000;
        unsigned count;
        if (range_parse((struct text){value, n}, size, -1, out, &count) != RANGE_SATISFIABLE)
            continue;
        ck_assert_uint_ge(count, 1);
        off_t sum = 0;
        for (unsigned i = 0; i < count; i++) {
            ck_assert(out[i].start >= 0 && out[i].start < out[i].end && out[i].end <= size);
            sum += out[i].end - out[i].start;
        }
        ck_assert(sum <= size);
    }
}
END_TEST

Suite *suite_http_range(void)
{
    Suite *s = suite_create("http/range");
    TCase *t = tcase_create("ranges");
    tcase_add_loop_test(t, test_ranges, 0, sizeof ranges / sizeof ranges[0]);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_random);
    suite_add_tcase(s, t);
    return s;
}
