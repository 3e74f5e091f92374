/* test_charset.c - the charset of Content-Type, and texts recoded by charset_map. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPS                                                                                                           \
    "charset_map koi8-r windows-1251 { C1 E0 ; D7 E2; 80 88; }"                                                        \
    "charset_map koi8-r utf-8 { C1 D0B0; D7 D0B2 ; 88 E282AC; }"
#define TYPES "types { text/html html; text/plain txt; text/javascript js; application/x-bin bin; }"

enum { LARGE = 200000 };

static void pages(void)
{
    char *large = malloc(LARGE + 1);

    for (int i = 0; i < LARGE; i++)
        large[i] = i % 3 ? 'x' : '\xc1';
    site_write_bytes("html/large.txt", large, LARGE);
    free(large);
    site_write("html/koi.txt", "a\xc1\xd7\x80\xff\n");
    site_write("html/utf.txt", "a\xd0\xb0\xd0\xb2\xe2\x82\xac\xd0\xb1\n");
    site_write("html/a.html", "<p>\n");
    site_write("html/a.js", "x\n");
    site_write("html/a.bin", "bin\n");
    site_write("html/a.txt.gz", "packed");
}

static void expect_type(const char *target, const char *type)
{
    struct site_response r;
    site_get(&r, target);
    assert_header(&r, "Content-Type", type);
    site_response_free(&r);
}

static void expect_typed(const char *target, const char *type, const char *body)
{
    struct site_response r;
    site_get(&r, target);
    assert_header(&r, "Content-Type", type);
    ck_assert_msg(!strcmp(r.body, body), "%s: %s", target, r.body);
    site_response_free(&r);
}

START_TEST(names)
{
    site_serve_http(TYPES MAPS, "charset utf-8; gzip_static always;"
                                "location /more/ { alias @DIR@/html/; charset_types application/x-bin; }"
                                "location /all/ { alias @DIR@/html/; charset_types *; }"
                                "location /off/ { alias @DIR@/html/; charset off; }"
                                "location /var/ { alias @DIR@/html/; charset $arg_c; }"
                                "location /text { return 200 text; default_type text/plain; }"
                                "location /301 { return 301 /; } location /307 { return 307 /; }"
                                "location /typed { return 200 text; default_type \"text/plain; charset=x\"; }");
    expect_type("/koi.txt", "text/plain; charset=utf-8");
    expect_type("/a.html", "text/html; charset=utf-8");
    if (!on_nginx())
        expect_type("/a.js", "text/javascript; charset=utf-8"); /* as application/javascript */
    expect_type("/a.bin", "application/x-bin");
    expect_type("/a.txt", "text/plain; charset=utf-8"); /* packed */
    expect_type("/more/a.bin", "application/x-bin; charset=utf-8");
    expect_type("/more/koi.txt", "text/plain");
    expect_type("/more/a.html", "text/html; charset=utf-8");
    expect_type("/all/a.bin", "application/x-bin; charset=utf-8");
    expect_type("/off/koi.txt", "text/plain");
    expect_type("/var/koi.txt?c=ascii", "text/plain; charset=ascii");
    expect_type("/none", "text/html; charset=utf-8");
    expect_type("/text", "text/plain; charset=utf-8");
    expect_type("/typed", "text/plain; charset=x");
    expect_type("/301", "text/html");
    expect_type("/307", "text/html; charset=utf-8");
    struct site_response r;
    site_request(&r, "GET", "/koi.txt", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "Content-Type", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(between_bytes)
{
    site_serve_http(TYPES MAPS,
                    "source_charset koi8-r; charset windows-1251; location /back/ { alias @DIR@/html/; source_charset "
                    "windows-1251; charset "
                    "koi8-r; }  location /same/ { alias @DIR@/html/; source_charset windows-1251; }");
    expect_typed("/koi.txt", "text/plain; charset=windows-1251", "a\xe0\xe2\x88?\n");
    expect_typed("/back/koi.txt", "text/plain; charset=koi8-r", "a????\n");
    expect_typed("/same/koi.txt", "text/plain; charset=windows-1251", "a\xc1\xd7\x80\xff\n");
    expect_typed("/a.bin", "application/x-bin", "bin\n");
    struct site_response r;
    site_get(&r, "/koi.txt");
    assert_header(&r, "Content-Length", "6");
    assert_header(&r, "Accept-Ranges", "bytes");
    site_response_free(&r);
    site_request(&r, "GET", "/koi.txt", "Range: bytes=1-2\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_str_eq(r.body, "\xe0\xe2");
    site_response_free(&r);
    site_request(&r, "GET", "/koi.txt", "Range: bytes=0-1,2-3\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_ptr_nonnull(strstr(
        r.body,
        "\r\nContent-Type: text/plain; charset=windows-1251\r\nContent-Range: bytes 2-3/6\r\n\r\n\xe2\x88\r\n--"));
    site_response_free(&r);
    site_get(&r, "/large.txt");
    ck_assert_uint_eq(r.len, LARGE);
    for (int i = 0; i < LARGE; i++)
        ck_assert_int_eq(r.body[i], i % 3 ? 'x' : '\xe0');
    site_response_free(&r);
}
END_TEST

START_TEST(to_and_from_utf8)
{
    site_serve_http(
        TYPES MAPS,
        "source_charset koi8-r; charset utf-8; location /from/ { alias @DIR@/html/; source_charset utf-8; charset "
        "koi8-r; } "
        "location /gz/ { alias @DIR@/html/; gzip on; gzip_types *; gzip_min_length 0; }");
    expect_typed("/koi.txt", "text/plain; charset=utf-8", "a\xd0\xb0\xd0\xb2??\n");
    expect_typed("/from/utf.txt", "text/plain; charset=koi8-r", "a\xc1\xd7\x88&#1073;\n");
    struct site_response r;
    site_get(&r, "/koi.txt");
    ck_assert(r.chunked);
    assert_header(&r, "Accept-Ranges", NULL);
    site_response_free(&r);
    site_request(&r, "GET", "/koi.txt", "Range: bytes=1-2\r\n");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    site_get(&r, "/large.txt");
    ck_assert_uint_eq(r.len, LARGE + (LARGE + 2) / 3);
    for (size_t i = 0; i + 4 <= r.len; i += 4)
        ck_assert_int_eq(memcmp(r.body + i, "\xd0\xb0xx", 4), 0);
    site_response_free(&r);
    site_request(&r, "GET", "/gz/large.txt", "Accept-Encoding: gzip\r\n");
    assert_header(&r, "Content-Encoding", "gzip");
    assert_header(&r, "Content-Type", "text/plain; charset=utf-8");
    site_response_free(&r);
}
END_TEST

/* A charset that a variable names and no map leads to: sent as it is, and said in the log. */
START_TEST(no_map_at_run_time)
{
    site_serve_http(TYPES MAPS, "source_charset koi8-r; charset $arg_c;");
    expect_typed("/koi.txt?c=utf-8", "text/plain; charset=utf-8", "a\xd0\xb0\xd0\xb2??\n");
    expect_typed("/koi.txt?c=x-y", "text/plain", "a\xc1\xd7\x80\xff\n");
    char *log = log_await("logs/error.log", "no \"charset_map\" between the charsets \"koi8-r\" and \"x-y\"");
    free(log);
    if (on_nginx())
        return;
    struct site_response r;
    site_get(&r, "/koi.txt?c=a%0d%0ab"); /* not decoded, and could not split the head */
    ck_assert_ptr_null(strstr(r.head, "\nb"));
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *http, *error; /* NULL: it is fine */
} lines[] = {
    {"charset_map a b { 80 81; FF ff; }", NULL},
    {"charset_map a utf-8 { 80 D0B0; 81 E282AC; }", NULL},
    {"charset_map a a { }", "between the same charsets"},
    {"charset_map a b { } charset_map B A { }", "duplicate \"charset_map\""},
    {"charset_map a b { 80; }", "invalid parameters number"},
    {"charset_map a b { 80 81 82; }", "invalid parameters number"},
    {"charset_map a b { 100 80; }", "invalid value \"100\""},
    {"charset_map a b { xx 80; }", "invalid value \"xx\""},
    {"charset_map a b { 80 D0B0; }", "invalid value \"D0B0\""},
    {"charset_map a utf-8 { 80 D0; }", "invalid value \"D0\""},
    {"charset_map a utf-8 { 80 F09F9880; }", "invalid value \"F09F9880\""},
    {"source_charset a; charset b;", "no \"charset_map\" between the charsets \"a\" and \"b\""},
    {"charset a b;", "number of arguments"},
    {"override_charset on;", NULL},
};

START_TEST(configuration)
{
    char http[512];
    if (on_nginx())
        return;
    snprintf(http, sizeof http, "%s server { listen 127.0.0.1:@PORT@; }", lines[_i].http);
    expect_conf_http(http, lines[_i].error);
}
END_TEST

/* The same part of the head: who says that he serves it. */
START_TEST(server_tokens_text)
{
    site_serve_http(
        TYPES MAPS,
        "server_tokens \"Files/1 $host\"; location /none/ { server_tokens \"\"; }  location /build/ { server_tokens "
        "build; }"
        "location /off/ { server_tokens off; }");
    struct site_response r;
    if (on_nginx())
        return;
    site_get(&r, "/a.html");
    assert_header(&r, "Server", "Files/1 localhost");
    site_response_free(&r);
    site_get(&r, "/none-here");
    ck_assert_ptr_nonnull(strstr(r.body, "<center>Files/1 localhost</center>"));
    site_response_free(&r);
    site_get(&r, "/none/x");
    assert_header(&r, "Server", NULL);
    site_response_free(&r);
    site_get(&r, "/build/x");
    ck_assert(!strncmp(site_header(&r, "Server"), "sluice/", 7));
    site_response_free(&r);
    site_get(&r, "/off/x");
    assert_header(&r, "Server", "sluice");
    site_response_free(&r);
}
END_TEST

Suite *suite_charset(void)
{
    Suite *s = suite_create("charset");
    TCase *tc = site_case_with(s, "charset", 20, pages);
    tcase_add_test(tc, names);
    tcase_add_test(tc, between_bytes);
    tcase_add_test(tc, to_and_from_utf8);
    tcase_add_test(tc, no_map_at_run_time);
    tcase_add_loop_test(tc, configuration, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tc, server_tokens_text);
    return s;
}
