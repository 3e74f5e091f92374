/* test_address.c - net/address: what `listen` accepts, what it refuses, and text again. */
#include "unit.h"

#include "net/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text, *expected;
} accepted[] = {
    {"80", "0.0.0.0:80"},
    {"*:80", "0.0.0.0:80"},
    {"*", "0.0.0.0:8000"},
    {"127.0.0.1", "127.0.0.1:8000"},
    {"127.0.0.1:65535", "127.0.0.1:65535"},
    {"[::1]:80", "[::1]:80"},
    {"[::1]", "[::1]:8000"},
    {"[::]", "[::]:8000"},
    {"[2001:DB8::1]:443", "[2001:db8::1]:443"},
    {"unix:/run/s.sock", "unix:/run/s.sock"},
};

static const struct {
    const char *text, *error;
} refused[] = {
    {"0", "invalid port"},
    {"65536", "invalid port"},
    {"127.0.0.1:", "invalid port"},
    {"127.0.0.1:0", "invalid port"},
    {"127.0.0.1:8x", "invalid port"},
    {"127.0.0.1:99999999999999999999", "invalid port"},
    {"127.0.0.1:90-80", "invalid port"},
    {":80", "no host"},
    {"", "no host"},
    {"[::1", "invalid host"},
    {"[::1]80", "invalid host"},
    {"[::1]:0", "invalid port"},
    {"[]:80", "no host"},
    {"[::g]:80", "invalid IPv6 address"},
    {"[1111111111111111111111111111111111111111111111111111]:80", "invalid IPv6 address"},
    {"unix:", "no path in the unix domain socket"},
    {"127.0.0.1/x", "invalid host"},
    {"host.invalid:80", "host not found"},
};

START_TEST(test_accepted)
{
    struct address a;
    unsigned count;
    const char *error;
    char text[ADDRESS_TEXT_SIZE];
    size_t len;

    ck_assert_int_eq(address_parse(text_of(accepted[_i].text), 8000, &a, 1, &count, &error), 0);
    ck_assert_uint_eq(count, 1);
    len = address_format(&a, true, text);
    ck_assert_str_eq(text, accepted[_i].expected);
    ck_assert_uint_eq(len, strlen(text));
}
END_TEST

START_TEST(test_refused)
{
    struct address a;
    unsigned count;
    const char *error;

    ck_assert_int_eq(address_parse(text_of(refused[_i].text), 8000, &a, 1, &count, &error), -EINVAL);
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(error, refused[_i].error);
}
END_TEST

START_TEST(test_unix_length)
{
    struct address a;
    unsigned count;
    const char *error;
    char text[256] = "unix:/";
    char back[ADDRESS_TEXT_SIZE];

    memset(text + 6, 'x', sizeof a.un.sun_path - 2);
    ck_assert_int_eq(address_parse(text_of(text), 80, &a, 1, &count, &error), 0);
    address_format(&a, true, back);
    ck_assert_str_eq(back, text);
    strcat(text, "x");
    ck_assert_int_eq(address_parse(text_of(text), 80, &a, 1, &count, &error), -EINVAL);
    ck_assert_str_eq(error, "too long path in the unix domain socket");
}
END_TEST

START_TEST(test_several)
{
    struct address a[4];
    unsigned count;
    const char *error;

    ck_assert_int_eq(address_parse(TEXT("127.0.0.1:81-84"), 80, a, 4, &count, &error), 0);
    ck_assert_uint_eq(count, 4);
    ck_assert_uint_eq(address_port(&a[0]), 81);
    ck_assert_uint_eq(address_port(&a[3]), 84);
    ck_assert_int_eq(address_parse(TEXT("127.0.0.1:81-85"), 80, a, 4, &count, &error), -EINVAL);
    ck_assert_str_eq(error, "too many addresses");
    ck_assert_int_eq(address_parse(TEXT("127.0.0.1:65530-65535"), 80, a, 4, &count, &error), -EINVAL);
}
END_TEST

static struct address parsed(const char *text)
{
    struct address a;
    unsigned count;
    const char *error;

    ck_assert_int_eq(address_parse(text_of(text), 80, &a, 1, &count, &error), 0);
    return a;
}

static void check_equal(const char *left, const char *right, bool expected)
{
    struct address a = parsed(left), b = parsed(right);

    ck_assert_msg(address_equal(&a, &b) == expected, "%s and %s", left, right);
}

START_TEST(test_equal)
{
    check_equal("80", "*:80", true);
    check_equal("80", "81", false);
    check_equal("80", "127.0.0.1:80", false);
    check_equal("[::]:80", "80", false);
    check_equal("[::1]:80", "[0:0::1]:80", true);
    check_equal("[::1]:80", "[::2]:80", false);
    check_equal("unix:/a", "unix:/a", true);
    check_equal("unix:/a", "unix:/ab", false);
}
END_TEST

START_TEST(test_without_port)
{
    struct address a = parsed("[::1]:80");
    char text[ADDRESS_TEXT_SIZE];

    address_format(&a, false, text);
    ck_assert_str_eq(text, "::1");
    a = parsed("10.20.30.255:80");
    address_format(&a, false, text);
    ck_assert_str_eq(text, "10.20.30.255");
    a = parsed("unix:/run/x");
    address_format(&a, false, text);
    ck_assert_str_eq(text, "unix:");
}
END_TEST

/* accept() gives a client of a unix: socket no name at all: the length says so, not the bytes. */
START_TEST(test_unnamed)
{
    struct address a;
    char text[ADDRESS_TEXT_SIZE];

    memset(&a, 'x', sizeof a);
    a.any.sa_family = AF_UNIX;
    a.len = sizeof(sa_family_t);
    ck_assert_uint_eq(address_format(&a, true, text), 5);
    ck_assert_str_eq(text, "unix:");
    ck_assert_uint_eq(address_port(&a), 0);
}
END_TEST

Suite *suite_net_address(void)
{
    Suite *s = suite_create("net/address");
    TCase *tc = tcase_create("address");

    tcase_add_loop_test(tc, test_accepted, 0, sizeof accepted / sizeof accepted[0]);
    tcase_add_loop_test(tc, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, test_unix_length);
    tcase_add_test(tc, test_several);
    tcase_add_test(tc, test_equal);
    tcase_add_test(tc, test_without_port);
    tcase_add_test(tc, test_unnamed);
    suite_add_tcase(s, tc);
    return s;
}
