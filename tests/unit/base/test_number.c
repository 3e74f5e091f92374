/* test_number.c - numbers, sizes and times as nginx reads them. */
#include "base/number.h"
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

START_TEST(test_parse)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"99999999999999999999999x", -EINVAL, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 0;
        ck_assert_msg(number_parse(text_of(cases[i].text), &value) == cases[i].rc, "%s", cases[i].text);
        ck_assert_uint_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(test_size)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } cases[] = {
        {"1", 0, 1},
        {"4k", 0, 4096},
        {"4K", 0, 4096},
        {"3m", 0, 3 << 20},
        {"2G", 0, (uint64_t)2 << 30},
        {"17179869183g", 0, (uint64_t)17179869183 << 30},
        {"17179869184g", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"1kk", -EINVAL, 0},
        {"1 k", -EINVAL, 0},
        {"1.5m", -EINVAL, 0},
        {"1t", -EINVAL, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 0;
        ck_assert_msg(number_parse_size(text_of(cases[i].text), &value) == cases[i].rc, "%s", cases[i].text);
        ck_assert_uint_eq(value, cases[i].value);
    }
}
END_TEST

/* The answers are nginx 1.22's own. */
START_TEST(test_time)
{
    static const struct {
        const char *text;
        int64_t msec, sec; /* negative: the error */
    } cases[] = {
        {"0", 0, 0},
        {"30", 30000, 30},
        {"30s", 30000, 30},
        {"1h30m", 5400000, 5400},
        {"1h 30m", 5400000, 5400},
        {"1w1d", 691200000, 691200},
        {"1h 30", 3630000, 3630},
        {"1h30", 3630000, 3630},
        {"1hm", 3600000, 3600},
        {"30 ", 30000, 30},
        {" 30", 30000, 30},
        {"500ms", 500, -EINVAL},
        {"1s500ms", 1500, -EINVAL},
        {"1ms 5", 5001, -EINVAL},
        {"1y 1M 1w 1d 1h 1m 1s", -EINVAL, 31536000 + 2592000 + 604800 + 86400 + 3600 + 60 + 1},
        {"1M", -EINVAL, 2592000},
        {"1y", -EINVAL, 31536000},
        {"1m1h", -EINVAL, -EINVAL},
        {"1s1s", -EINVAL, -EINVAL},
        {"1ms1ms", -EINVAL, -EINVAL},
        {"5 s", -EINVAL, -EINVAL},
        {"5 30 1", -EINVAL, -EINVAL},
        {"1ms 5 ", -EINVAL, -EINVAL},
        {"", -EINVAL, -EINVAL},
        {"s", -EINVAL, -EINVAL},
        {"-1", -EINVAL, -EINVAL},
        {"1.5s", -EINVAL, -EINVAL},
        {"1z", -EINVAL, -EINVAL},
        {"9223372036854775807", -ERANGE, INT64_MAX},
        {"9223372036854775808", -ERANGE, -ERANGE},
        {"99999999999999999999", -ERANGE, -ERANGE},
        {"9223372036854775807s 1", -ERANGE, -ERANGE},
        {"300000000000w", -ERANGE, 181440000000000000},
        {"292471208678y", -EINVAL, -ERANGE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t msec = 0, sec = 0;
        int rc = number_parse_msec(text_of(cases[i].text), &msec);
        ck_assert_msg((rc < 0 ? rc : msec) == cases[i].msec, "\"%s\": %d %" PRId64 " ms", cases[i].text, rc, msec);
        rc = number_parse_sec(text_of(cases[i].text), &sec);
        ck_assert_msg((rc < 0 ? rc : sec) == cases[i].sec, "\"%s\": %d %" PRId64 " s", cases[i].text, rc, sec);
    }
}
END_TEST

START_TEST(test_format)
{
    static const uint64_t values[] = {0, 9, 10, 12345678901234567890u, UINT64_MAX, 255, 4096};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        char out[32] = "", expected[32];
        snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
        ck_assert_uint_eq(number_format(out, values[i]), strlen(expected));
        ck_assert_str_eq(out, expected);
        char hex[32] = "";
        snprintf(expected, sizeof expected, "%" PRIx64, values[i]);
        ck_assert_uint_eq(number_format_hex(hex, values[i]), strlen(expected));
        ck_assert_str_eq(hex, expected);
    }
}
END_TEST

Suite *suite_base_number(void)
{
    Suite *s = suite_create("base/number");
    TCase *t = tcase_create("number");
    tcase_add_test(t, test_parse);
    tcase_add_test(t, test_size);
    tcase_add_test(t, test_time);
    tcase_add_test(t, test_format);
    suite_add_tcase(s, t);
    return s;
}
