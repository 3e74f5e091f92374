/* test_conditional.c - If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since and
 * If-Range, alone and together: RFC 9110, sections 13.1 and 13.2.2. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MTIME = 1600000000 };

static char same[30], older[30], newer[30];

static void pages(void)
{
    site_write("html/a.txt", "hello\n");
    site_set_mtime("html/a.txt", MTIME);
    http_date(same, MTIME);
    http_date(older, MTIME - 10);
    http_date(newer, MTIME + 10);
}

/* $E: the file's entity tag; $S, $O, $N: its date, an older, a newer one. ; ends a line. */
static void expand_fields(char *out, const char *fields)
{
    for (; *fields; fields++) {
        const char *value = NULL;
        if (*fields == ';')
            value = "\r\n";
        else if (*fields == '$')
            value = fields[1] == 'E' ? "\"5f5e1000-6\"" : fields[1] == 'S' ? same : fields[1] == 'O' ? older : newer;
        if (*fields == '$')
            fields++;
        if (value)
            out += sprintf(out, "%s", value);
        else
            *out++ = *fields;
    }
    *out = '\0';
}

static int conditional(const char *method, const char *fields, struct site_response *r)
{
    char lines[1024];
    expand_fields(lines, fields);
    site_request(r, method, "/a.txt", lines);
    return r->status;
}

static const struct row {
    const char *fields;
    int status, on_nginx; /* nginx's answer where it differs; 0: the same */
} rows[] = {
    {"", 200, 0},
    {"If-None-Match: $E;", 304, 0},
    {"If-None-Match: W/$E;", 304, 0},
    {"If-None-Match: \"other\";", 200, 0},
    {"If-None-Match: \"other\", $E;", 304, 0},
    {"If-None-Match: \"a,b\" ,, W/$E , \"c\";", 304, 0},
    {"If-None-Match: *;", 304, 0},
    {"If-None-Match: ;", 200, 0}, /* an empty list matches nothing */
    {"If-Modified-Since: $S;", 304, 0},
    {"If-Modified-Since: $N;", 200, 0}, /* if_modified_since exact is the default */
    {"If-Modified-Since: $O;", 200, 0},
    {"If-Modified-Since: nonsense;", 200, 0},
    {"If-Match: $E;", 200, 0},
    {"If-Match: *;", 200, 0},
    {"If-Match: \"other\";", 412, 0},
    {"If-Match: \"other\", $E;", 200, 0},
    {"If-Match: W/$E;", 412, 0}, /* strong comparison */
    {"If-Unmodified-Since: $S;", 200, 0},
    {"If-Unmodified-Since: $N;", 200, 0},
    {"If-Unmodified-Since: $O;", 412, 0},
    {"If-Unmodified-Since: nonsense;", 200, 412},
    /* An entity tag beats the date beside it. */
    {"If-None-Match: $E;If-Modified-Since: $O;", 304, 200},
    {"If-None-Match: \"other\";If-Modified-Since: $S;", 200, 0},
    {"If-Match: $E;If-Unmodified-Since: $O;", 200, 412},
    {"If-Match: \"other\";If-Unmodified-Since: $N;", 412, 0},
    /* What must hold comes before what would save the body. */
    {"If-Match: \"other\";If-None-Match: $E;", 412, 0},
    {"If-Match: $E;If-None-Match: $E;", 304, 0},
    {"If-Unmodified-Since: $O;If-Modified-Since: $S;", 412, 0},
    {"If-Unmodified-Since: $S;If-None-Match: $E;", 304, 0},
    /* Range comes last. */
    {"If-None-Match: $E;Range: bytes=1-2;", 304, 0},
    {"If-Match: \"other\";Range: bytes=1-2;", 412, 0},
    {"If-Match: $E;Range: bytes=1-2;", 206, 0},
    {"If-None-Match: $E;Range: bytes=100-;", 304, 0},
    {"If-Range: $E;Range: bytes=1-2;", 206, 0},
    {"If-Range: \"other\";Range: bytes=1-2;", 200, 0},
    {"If-Range: W/$E;Range: bytes=1-2;", 200, 0},
    {"If-Range: $S;Range: bytes=1-2;", 206, 0},
    {"If-Range: $O;Range: bytes=1-2;", 200, 0},
    {"If-Range: $N;Range: bytes=1-2;", 200, 0},
    {"If-Range: $E;", 200, 0},
    {"If-Range: \"other\";Range: bytes=100-;", 200, 0},
};

static void check_row(const struct row *row)
{
    struct site_response r;
    int expected = on_nginx() && row->on_nginx ? row->on_nginx : row->status;
    int status = conditional("GET", row->fields, &r);
    ck_assert_msg(status == expected, "%s: %d, expected %d", row->fields, status, expected);
    if (status == 200)
        ck_assert_str_eq(r.body, "hello\n");
    if (status == 206)
        ck_assert_str_eq(r.body, "el");
    site_response_free(&r);
}

START_TEST(get_rows)
{
    site_serve("");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i]);
}
END_TEST

START_TEST(head_rows)
{
    site_serve("");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_response r;
        int status = conditional("HEAD", rows[i].fields, &r);
        int expected = on_nginx() && rows[i].on_nginx ? rows[i].on_nginx : rows[i].status;
        /* Range is defined for GET alone; nginx answers HEAD with it all the same. */
        if (expected == 206)
            ck_assert(status == 200 || status == 206);
        else
            ck_assert_msg(status == expected, "HEAD %s: %d, expected %d", rows[i].fields, status, expected);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(every_date_form)
{
    site_serve("");
    /* RFC 9110, 5.6.7: recipients take all three. */
    static const char *const dates[] = {"Sun, 13 Sep 2020 12:26:40 GMT", "Sunday, 13-Sep-20 12:26:40 GMT",
                                        "Sun Sep 13 12:26:40 2020"};
    for (size_t i = 0; i < 3; i++) {
        char fields[128];
        struct site_response r;
        snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n", dates[i]);
        site_request(&r, "GET", "/a.txt", fields);
        ck_assert_msg(r.status == 304, "%s: %d", dates[i], r.status);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(fields_of_304)
{
    site_serve("expires 1h;");
    struct site_response r;
    site_request(&r, "GET", "/a.txt", "If-None-Match: \"5f5e1000-6\"\r\n");
    ck_assert_int_eq(r.status, 304);
    ck_assert(!strncmp(r.head, "HTTP/1.1 304 Not Modified\r\n", 27));
    assert_header(&r, "ETag", "\"5f5e1000-6\"");
    assert_header(&r, "Last-Modified", same);
    assert_header(&r, "Cache-Control", "max-age=3600");
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "Content-Type", NULL);
    assert_header(&r, "Accept-Ranges", NULL);
    ck_assert_ptr_nonnull(site_header(&r, "Date"));
    site_response_free(&r);
}
END_TEST

START_TEST(page_of_412)
{
    site_serve("");
    struct site_response r;
    site_request(&r, "GET", "/a.txt", "If-Match: \"other\"\r\n");
    ck_assert_int_eq(r.status, 412);
    ck_assert_ptr_nonnull(strstr(r.body, "<title>412 Precondition Failed</title>"));
    assert_header(&r, "Content-Type", "text/html");
    assert_header(&r, "ETag", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(validators_follow_the_file)
{
    site_serve("");
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_header(&r, "ETag", "\"5f5e1000-6\"");
    assert_header(&r, "Last-Modified", same);
    site_response_free(&r);
    site_write("html/a.txt", "hello, world\n");
    site_set_mtime("html/a.txt", MTIME + 10);
    site_get(&r, "/a.txt");
    assert_header(&r, "ETag", "\"5f5e100a-d\"");
    assert_header(&r, "Last-Modified", newer);
    ck_assert_str_eq(r.body, "hello, world\n");
    site_response_free(&r);
}
END_TEST

START_TEST(etag_off)
{
    site_serve("etag off;");
    check_row(&(struct row){"If-None-Match: $E;", 200, 0});
    check_row(&(struct row){"If-None-Match: *;", 304, 0});
    check_row(&(struct row){"If-Match: $E;", 412, 0});
    check_row(&(struct row){"If-Modified-Since: $S;", 304, 0});
    check_row(&(struct row){"If-Range: $E;Range: bytes=1-2;", 200, 0});
    check_row(&(struct row){"If-Range: $S;Range: bytes=1-2;", 206, 0});
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_header(&r, "ETag", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(if_modified_since_before)
{
    site_serve("if_modified_since before;");
    check_row(&(struct row){"If-Modified-Since: $S;", 304, 0});
    check_row(&(struct row){"If-Modified-Since: $N;", 304, 0});
    check_row(&(struct row){"If-Modified-Since: $O;", 200, 0});
}
END_TEST

START_TEST(if_modified_since_off)
{
    site_serve("if_modified_since off;");
    check_row(&(struct row){"If-Modified-Since: $S;", 200, 0});
    check_row(&(struct row){"If-Modified-Since: $N;", 200, 0});
}
END_TEST

START_TEST(missing_file_ignores_conditions)
{
    site_serve("");
    struct site_response r;
    site_request(&r, "GET", "/none", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
    site_request(&r, "GET", "/none", "If-Match: *\r\n");
    ck_assert(r.status == 404 || r.status == 412);
    site_response_free(&r);
}
END_TEST

START_TEST(connection_lives_on_after_304_and_412)
{
    site_serve("");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"5f5e1000-6\"\r\n\r\n"
                   "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    static const int expected[] = {304, 412, 200};
    for (size_t i = 0; i < (on_nginx() ? 2 : 3); i++) { /* nginx closes after 412 */
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, expected[i]);
        assert_header(&r, "Connection", "keep-alive");
        site_response_free(&r);
    }
    ck_assert(on_nginx() || client_stays_open(&c));
    client_close(&c);
}
END_TEST

Suite *suite_conditional(void)
{
    Suite *s = suite_create("conditional");
    TCase *tc = site_case_with(s, "conditional", 20, pages);
    tcase_add_test(tc, get_rows);
    tcase_add_test(tc, head_rows);
    tcase_add_test(tc, every_date_form);
    tcase_add_test(tc, fields_of_304);
    tcase_add_test(tc, page_of_412);
    tcase_add_test(tc, validators_follow_the_file);
    tcase_add_test(tc, etag_off);
    tcase_add_test(tc, if_modified_since_before);
    tcase_add_test(tc, if_modified_since_off);
    tcase_add_test(tc, missing_file_ignores_conditions);
    tcase_add_test(tc, connection_lives_on_after_304_and_412);
    return s;
}
