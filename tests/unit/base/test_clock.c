/* test_clock.c - dates of HTTP and the logs, against the C library's own. */
#include "base/clock.h"
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const time_t moments[] = {0,         1,          -1,         784111777,  951782400,    951868799,
                                 951868800, 1078012799, 1709164800, 4102444800, 253402300799, -62135596800};

START_TEST(test_http)
{
    char out[CLOCK_HTTP_LEN + 1], expected[64];
    clock_format_http(out, 784111777);
    ck_assert_str_eq(out, "Sun, 06 Nov 1994 08:49:37 GMT");
    for (unsigned i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        struct tm tm;
        gmtime_r(&moments[i], &tm);
        strftime(expected, sizeof expected, "%a, %d %b ", &tm);
        snprintf(expected + 12, sizeof expected - 12, "%04d", tm.tm_year + 1900);
        strftime(expected + 16, sizeof expected - 16, " %H:%M:%S GMT", &tm);
        clock_format_http(out, moments[i]);
        ck_assert_str_eq(out, expected);
        time_t back = 5;
        ck_assert_int_eq(clock_parse_http(text_of(out), &back), 0);
        ck_assert_int_eq(back, moments[i]);
    }
    for (time_t t = -86400L * 366 * 8; t < 86400L * 366 * 200; t += 86399L * 3) { /* every weekday and leap year */
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        clock_format_http(out, t);
        ck_assert_str_eq(out, expected);
    }
}
END_TEST

/* A date that cannot be named is the nearest one that can. */
START_TEST(test_bounds)
{
    static const struct {
        time_t t, within;
        const char *text;
    } cases[] = {
        {253402300799, 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {253402300800, 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-62167219200, -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {-62167219201, -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_MIN, -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {-2147483648, -2147483648, "Fri, 13 Dec 1901 20:45:52 GMT"},
        {-1, -1, "Wed, 31 Dec 1969 23:59:59 GMT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[CLOCK_HTTP_LEN + 1];
        time_t back;
        ck_assert_int_eq(clock_within_http(cases[i].t), cases[i].within);
        clock_format_http(out, cases[i].t);
        ck_assert_str_eq(out, cases[i].text);
        ck_assert_int_eq(clock_parse_http(text_of(out), &back), 0);
        ck_assert_int_eq(back, cases[i].within);
    }
    ck_assert_int_eq(clock_add(10, -11), -1);
    ck_assert_int_eq(clock_add(1, INT64_MAX), 253402300799);
    ck_assert_int_eq(clock_add(-1, INT64_MIN), -62167219200);
    ck_assert_int_eq(clock_add(253402300798, 2), 253402300799);
}
END_TEST

START_TEST(test_parse)
{
    static const struct {
        const char *text;
        time_t t; /* -1: invalid */
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Thu, 29 Feb 2024 23:59:60 GMT", 1709251200},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06 Nov 1994 08:49:37", -1},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06-Nov-1994 08:49:37 GMT", -1},
        {"Sunday, 06 Nov 1994 08:49:37 GMT", -1},
        {"Xyz, 06 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 nov 1994 08:49:37 GMT", -1},
        {"Sun, 31 Apr 1994 08:49:37 GMT", -1},
        {"Sun, 29 Feb 1900 08:49:37 GMT", -1},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
        {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
        {"Sunday Nov  6 08:49:37 1994", -1},
        {"Sun Nov  6 08:49:37 94", -1},
        {"Sun", -1},
        {"Sun,", -1},
        {"", -1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        time_t t = -1;
        int rc = clock_parse_http(text_of(cases[i].text), &t);
        ck_assert_msg(rc == (cases[i].t < 0 ? -EINVAL : 0), "\"%s\": %d", cases[i].text, rc);
        ck_assert_msg(t == cases[i].t, "\"%s\": %" PRId64, cases[i].text, (int64_t)t);
    }
}
END_TEST

/* RFC 9110, 5.6.7: more than 50 years ahead means the past. */
START_TEST(test_two_digit_year)
{
    clock_update();
    time_t t, now = clock_now.sec;
    struct tm tm;
    gmtime_r(&now, &tm);
    for (int year = 0; year < 100; year++) {
        char text[64];
        snprintf(text, sizeof text, "Monday, 01-Jan-%02d 00:00:00 GMT", year);
        ck_assert_int_eq(clock_parse_http(text_of(text), &t), 0);
        struct tm got;
        gmtime_r(&t, &got);
        ck_assert_int_eq(got.tm_year % 100, year);
        ck_assert_int_le(got.tm_year, tm.tm_year + 50);
        ck_assert_int_gt(got.tm_year, tm.tm_year - 100);
    }
}
END_TEST

START_TEST(test_update)
{
    setenv("TZ", "XYZ-5:45", 1); /* 5 h 45 min east */
    tzset();
    ck_assert(!clock_is_mine());
    clock_update();
    ck_assert(clock_is_mine());
    struct tm tm;
    char expected[64];
    time_t sec = clock_now.sec;
    localtime_r(&sec, &tm);
    strftime(expected, sizeof expected, "%d/%b/%Y:%H:%M:%S +0545", &tm);
    ck_assert_str_eq(clock_now.log, expected);
    strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S+05:45", &tm);
    ck_assert_str_eq(clock_now.iso8601, expected);
    strftime(expected, sizeof expected, "%Y/%m/%d %H:%M:%S", &tm);
    ck_assert_str_eq(clock_now.error, expected);
    clock_format_error(expected, sec);
    ck_assert_str_eq(clock_now.error, expected);
    time_t back;
    ck_assert_int_eq(clock_parse_http(text_of(clock_now.http), &back), 0);
    ck_assert_int_eq(back, sec);
    ck_assert_int_ge(clock_now.sec_msec, 0);
    ck_assert_int_lt(clock_now.sec_msec, 1000);
    ck_assert_int_gt(clock_now.msec, 0);
}
END_TEST

/* The clock was set back, or far ahead: every text says the new time with the next turn. */
START_TEST(test_clock_is_set)
{
    clock_update();
    clock_now.sec += _i ? -100000 : 100000;
    memset(clock_now.http, 'x', CLOCK_HTTP_LEN);
    memset(clock_now.log, 'x', CLOCK_LOG_LEN);
    clock_update();
    struct timespec now; /* time() may lie a tick behind */
    time_t told;
    clock_gettime(CLOCK_REALTIME, &now);
    ck_assert_int_eq(clock_parse_http(text_of(clock_now.http), &told), 0);
    ck_assert(told <= now.tv_sec && told >= now.tv_sec - 2);
    ck_assert_int_eq(told, clock_now.sec);
    ck_assert_int_ne(clock_now.log[0], 'x');
}
END_TEST

START_TEST(test_zone_west)
{
    setenv("TZ", "ABC3:30", 1);
    tzset();
    clock_update();
    ck_assert(text_ends(text_of(clock_now.log), TEXT(" -0330")));
    ck_assert(text_ends(text_of(clock_now.iso8601), TEXT("-03:30")));
}
END_TEST

Suite *suite_base_clock(void)
{
    Suite *s = suite_create("base/clock");
    TCase *t = tcase_create("clock");
    tcase_add_test(t, test_http);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_parse);
    tcase_add_test(t, test_two_digit_year);
    tcase_add_test(t, test_update);
    tcase_add_loop_test(t, test_clock_is_set, 0, 2);
    tcase_add_test(t, test_zone_west);
    suite_add_tcase(s, t);
    return s;
}
