/* test_userid.c - the cookie of userid, its attributes, and the variables. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE "fwAAAWVTaQABAgMEAgMDAw==" /* 7F000001 65536900 01020304 02030303, in network order */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of Set-Cookie up to its first ; in a static buffer, "" without one. */
static const char *cookie(const struct site_response *r)
{
    static char text[128];
    const char *value = site_header(r, "Set-Cookie");
    snprintf(text, sizeof text, "%.*s", value ? (int)strcspn(value, ";") : 0, value ? value : "");
    return text;
}

static void decode(const char *text, unsigned char out[16])
{
    unsigned bits = 0, held = 0, n = 0;
    for (unsigned i = 0; i < 22; i++) {
        bits = bits << 6 | (unsigned)(strchr(digits, text[i]) - digits);
        held += 6;
        if (held >= 8)
            out[n++] = (unsigned char)(bits >> (held -= 8));
    }
    ck_assert_uint_eq(n, 16);
}

static unsigned word(const unsigned char id[16], unsigned i)
{
    return (unsigned)id[4 * i] << 24 | (unsigned)id[4 * i + 1] << 16 | (unsigned)id[4 * i + 2] << 8 | id[4 * i + 3];
}

START_TEST(a_new_visitor)
{
    struct site_response r;
    unsigned char first[16], second[16];
    site_write("html/x", "x");
    site_serve("userid on; location /gone { return 204; }");
    time_t from = time(NULL);
    site_get(&r, "/x");
    ck_assert_int_eq(strncmp(cookie(&r), "uid=", 4), 0);
    ck_assert_str_eq(site_header(&r, "Set-Cookie") + strlen(cookie(&r)), "; path=/");
    ck_assert_uint_eq(strlen(cookie(&r)), 4 + 24);
    decode(cookie(&r) + 4, first);
    site_response_free(&r);
    ck_assert_uint_eq(word(first, 0), site_transport()->is_tcp ? 0x7f000001 : 0);
    ck_assert_int_ge(word(first, 1), from - 1);
    ck_assert_int_le(word(first, 1), time(NULL));
    ck_assert_uint_eq(word(first, 3) & 0xff, 2);
    site_get(&r, "/nothing"); /* every response has it */
    ck_assert_int_eq(r.status, 404);
    decode(cookie(&r) + 4, second);
    site_response_free(&r);
    ck_assert_uint_eq(word(second, 2), word(first, 2));
    ck_assert_uint_eq(word(second, 3), word(first, 3) + 0x100);
    site_get(&r, "/gone");
    ck_assert_uint_eq(site_header_count(&r, "Set-Cookie"), 1);
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *sent; /* Cookie */
    bool known;
} sent[] = {
    {"uid=" COOKIE, true},
    {"a=b; uid=" COOKIE "; c=d", true},
    {"UID=" COOKIE, true},
    {"uid=fwAAAWVTaQABAgMEAgMDAwgarbage", true}, /* 22 characters count */
    {"uid2=" COOKIE, false},
    {"xuid=" COOKIE, false},
    {"uid=short", false},
    {"uid=", false},
    {"uid=!!AAAWVTaQABAgMEAgMDAw==", false},
    {"uid=AAAAAAAAAAAAAAAAAAAAAA==", false},
};

START_TEST(who_comes_back)
{
    struct site_response r;
    char field[128];
    site_write("html/x", "x");
    site_serve("userid on;");
    snprintf(field, sizeof field, "Cookie: %s\r\n", sent[_i].sent);
    site_request(&r, "GET", "/x", field);
    ck_assert_uint_eq(site_header_count(&r, "Set-Cookie"), sent[_i].known ? 0 : 1);
    site_response_free(&r);
}
END_TEST

START_TEST(attributes)
{
    struct site_response r;
    site_write("html/x", "x");
    site_serve(
        "userid off; location / { }\n"
        "location /max { userid on; userid_name id; userid_domain example.org; userid_path /p; userid_expires max;\n"
        "  userid_p3p 'policyref=\"/w3c/p3p.xml\"'; userid_flags secure httponly samesite=lax; return 204; }\n"
        "location /year { userid on; userid_expires 365d; return 204; }\n"
        "location /far { userid on; userid_expires 40y; return 204; }\n"
        "location /service { userid on; userid_service 16909060; return 204; }\n"
        "location /v1 { userid v1; return 204; } location /log { userid log; return 204; }\n");
    site_get(&r, "/max");
    ck_assert_int_eq(strncmp(cookie(&r), "id=", 3), 0);
    ck_assert_str_eq(
        site_header(&r, "Set-Cookie") + strlen(cookie(&r)),
        "; expires=Thu, 31-Dec-37 23:55:55 GMT; domain=example.org; path=/p; secure; httponly; samesite=lax");
    assert_header(&r, "P3P", "policyref=\"/w3c/p3p.xml\"");
    site_response_free(&r);

    char date[64];
    time_t at = time(NULL) + 365 * 86400;
    site_get(&r, "/year");
    snprintf(date, sizeof date, "-%02d ", gmtime(&at)->tm_year % 100);
    ck_assert_ptr_nonnull(strstr(site_header(&r, "Set-Cookie"), date));
    site_response_free(&r);
    at = time(NULL) + 40LL * 365 * 86400;
    site_get(&r, "/far");
    strftime(date, sizeof date, "-%b-%Y ", gmtime(&at));
    ck_assert_ptr_nonnull(strstr(site_header(&r, "Set-Cookie"), date));
    site_response_free(&r);

    unsigned char id[16];
    site_get(&r, "/service");
    decode(cookie(&r) + 4, id);
    ck_assert_uint_eq(word(id, 0), 0x01020304);
    site_response_free(&r);
    site_get(&r, "/v1");
    decode(cookie(&r) + 4, id);
    ck_assert_uint_eq(word(id, 0), 0);
    ck_assert_uint_eq(id[12], 1);
    site_response_free(&r);
    site_get(&r, "/log");
    assert_header(&r, "Set-Cookie", NULL);
    site_response_free(&r);
    site_get(&r, "/x");
    assert_header(&r, "Set-Cookie", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(mark)
{
    struct site_response r;
    unsigned char id[16];
    site_write("html/x", "x");
    site_serve("userid on; userid_mark Z;");
    site_get(&r, "/x");
    ck_assert_str_eq(cookie(&r) + 4 + 22, "Z=");
    decode(cookie(&r) + 4, id);
    site_response_free(&r);
    site_request(&r, "GET", "/x", "Cookie: uid=" COOKIE "\r\n");
    ck_assert_str_eq(cookie(&r), "uid=fwAAAWVTaQABAgMEAgMDAwZ=");
    site_response_free(&r);
    site_request(&r, "GET", "/x", "Cookie: uid=fwAAAWVTaQABAgMEAgMDAwZ=\r\n");
    assert_header(&r, "Set-Cookie", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(variables)
{
    struct site_response r;
    char field[128], want[128];
    site_write("html/x", "x");
    site_serve("userid on; location /v { return 200 \"[$uid_got|$uid_set]\"; }\n"
               "location /log { userid log; return 200 \"[$uid_got|$uid_set]\"; }\n"
               "location /off { userid off; return 200 \"[$uid_got|$uid_set|$uid_reset]\"; }");
    site_get(&r, "/v");
    unsigned char id[16];
    decode(cookie(&r) + 4, id);
    unsigned words[4];
    memcpy(words, id, sizeof words); /* printed as the machine has them */
    snprintf(want, sizeof want, "[|uid=%08X%08X%08X%08X]", words[0], words[1], words[2], words[3]);
    ck_assert_str_eq(r.body, want);
    snprintf(field, sizeof field, "Cookie: %s\r\n", cookie(&r));
    site_response_free(&r);
    snprintf(want, sizeof want, "[uid=%08X%08X%08X%08X|]", words[0], words[1], words[2], words[3]);
    site_request(&r, "GET", "/v", field);
    ck_assert_str_eq(r.body, want);
    site_response_free(&r);
    site_request(&r, "GET", "/log", field);
    ck_assert_str_eq(r.body, want);
    site_response_free(&r);
    site_request(&r, "GET", "/off", field);
    ck_assert_str_eq(r.body, "[||]");
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *line, *error;
} wrong[] = {
    {"userid yes;", "invalid value \"yes\""},
    {"userid_mark ab;", "value must be \"off\" or a single letter, digit or \"=\""},
    {"userid_mark !;", "value must be \"off\" or a single letter, digit or \"=\""},
    {"userid_service x;", "invalid number"},
    {"userid_flags httponly fast;", "invalid value \"fast\""},
    {"userid_expires x;", "invalid value"},
};

START_TEST(what_is_refused)
{
    char text[256];
    snprintf(text, sizeof text, "location / { %s }", wrong[_i].line);
    expect_conf_server(text, wrong[_i].error);
}
END_TEST

Suite *suite_userid(void)
{
    Suite *s = suite_create("userid");
    TCase *tc = site_case(s, "userid", 30);

    tcase_add_test(tc, a_new_visitor);
    tcase_add_loop_test(tc, who_comes_back, 0, sizeof sent / sizeof *sent);
    tcase_add_test(tc, attributes);
    tcase_add_test(tc, mark);
    tcase_add_test(tc, variables);
    tcase_add_loop_test(tc, what_is_refused, 0, sizeof wrong / sizeof *wrong);
    return s;
}
