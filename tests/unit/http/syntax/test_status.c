/* test_status.c - reason phrases and pages as nginx 1.22 sends them. */
#include "unit.h"

#include "http/syntax/status.h"

#include <errno.h>
#include <stdio.h>

/* `length`: of nginx's page with "nginx/1.22.1" in its foot; 0: no page. */
static const struct {
    int code;
    const char *line, *title;
    size_t length;
} rows[] = {
    {200, "200 OK", NULL, 0},
    {201, "201 Created", NULL, 0},
    {204, "204 No Content", NULL, 0},
    {206, "206 Partial Content", NULL, 0},
    {299, "299 ", NULL, 0},
    {300, "300 ", NULL, 0},
    {301, "301 Moved Permanently", "301 Moved Permanently", 169},
    {302, "302 Moved Temporarily", "302 Found", 145},
    {303, "303 See Other", "303 See Other", 153},
    {304, "304 Not Modified", NULL, 0},
    {307, "307 Temporary Redirect", "307 Temporary Redirect", 171},
    {308, "308 Permanent Redirect", "308 Permanent Redirect", 171},
    {400, "400 Bad Request", "400 Bad Request", 157},
    {401, "401 Unauthorized", "401 Authorization Required", 179},
    {402, "402 Payment Required", "402 Payment Required", 167},
    {403, "403 Forbidden", "403 Forbidden", 153},
    {404, "404 Not Found", "404 Not Found", 153},
    {405, "405 Not Allowed", "405 Not Allowed", 157},
    {406, "406 Not Acceptable", "406 Not Acceptable", 163},
    {407, "407 ", NULL, 0},
    {408, "408 Request Time-out", "408 Request Time-out", 167},
    {409, "409 Conflict", "409 Conflict", 151},
    {410, "410 Gone", "410 Gone", 143},
    {411, "411 Length Required", "411 Length Required", 165},
    {412, "412 Precondition Failed", "412 Precondition Failed", 173},
    {413, "413 Request Entity Too Large", "413 Request Entity Too Large", 183},
    {414, "414 Request-URI Too Large", "414 Request-URI Too Large", 177},
    {415, "415 Unsupported Media Type", "415 Unsupported Media Type", 179},
    {416, "416 Requested Range Not Satisfiable", "416 Requested Range Not Satisfiable", 197},
    {417, "417 ", NULL, 0},
    {418, "418 ", NULL, 0},
    {421, "421 Misdirected Request", "421 Misdirected Request", 173},
    {429, "429 Too Many Requests", "429 Too Many Requests", 169},
    {431, "431 Request Header Fields Too Large", "431 Request Header Fields Too Large", 197},
    {451, "451 ", NULL, 0},
    {494, "400 Bad Request", "400 Request Header Or Cookie Too Large", 233},
    {495, "400 Bad Request", "400 The SSL certificate error", 215},
    {496, "400 Bad Request", "400 No required SSL certificate was sent", 237},
    {497, "400 Bad Request", "400 The plain HTTP request was sent to HTTPS port", 255},
    {499, "499 ", NULL, 0},
    {500, "500 Internal Server Error", "500 Internal Server Error", 177},
    {501, "501 Not Implemented", "501 Not Implemented", 165},
    {502, "502 Bad Gateway", "502 Bad Gateway", 157},
    {503, "503 Service Temporarily Unavailable", "503 Service Temporarily Unavailable", 197},
    {504, "504 Gateway Time-out", "504 Gateway Time-out", 167},
    {505, "505 HTTP Version Not Supported", "505 HTTP Version Not Supported", 187},
    {507, "507 Insufficient Storage", "507 Insufficient Storage", 175},
    {599, "599 ", NULL, 0},
    {999, "999 ", NULL, 0},
};

START_TEST(test_rows)
{
    struct text line = status_line(rows[_i].code);
    ck_assert_msg(text_equal(line, text_of(rows[_i].line)), "%d: %.*s", rows[_i].code, TEXT_ARG(line));

    struct arena arena;
    arena_init(&arena, 1024);
    struct text page = status_page(rows[_i].code, TEXT("nginx/1.22.1"), &arena);
    ck_assert_msg(page.len == rows[_i].length, "%d: %zu, not %zu", rows[_i].code, page.len, rows[_i].length);
    ck_assert_int_eq(page.at != NULL, rows[_i].length > 0);
    if (page.at) {
        char start[200];
        sprintf(start, "<html>\r\n<head><title>%s</title></head>\r\n", rows[_i].title);
        ck_assert(text_starts(page, text_of(start)));
    }
    arena_fini(&arena);
}
END_TEST

START_TEST(test_pages)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct text page = status_page(404, TEXT("sluice/1.2"), &arena);
    ck_assert_str_eq(
        page.at,
        "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
        "<center><h1>404 Not Found</h1></center>\r\n<hr><center>sluice/1.2</center>\r\n</body>\r\n</html>\r\n");
    page = status_page(494, TEXT("sluice"), &arena);
    ck_assert_str_eq(page.at,
                     "<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n<body>\r\n"
                     "<center><h1>400 Bad Request</h1></center>\r\n"
                     "<center>Request Header Or Cookie Too Large</center>\r\n<hr><center>sluice</center>\r\n"
                     "</body>\r\n</html>\r\n");
    arena_fini(&arena);
}
END_TEST

START_TEST(test_codes_without_end)
{
    static const int odd[] = {-1, 0, 99, 1000, 2000000000};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        ck_assert_uint_eq(status_line(odd[i]).len, 4);
    for (int code = 100; code < 1000; code++) {
        char digits[16];
        sprintf(digits, "%d ", code >= 494 && code <= 497 ? 400 : code);
        ck_assert(text_starts(status_line(code), text_of(digits)));
    }
}
END_TEST

START_TEST(test_errno)
{
    static const struct {
        int error, status;
    } cases[] = {{ENOENT, 404}, {ENOTDIR, 404}, {ENAMETOOLONG, 404}, {EACCES, 403}, {ELOOP, 403},  {EXDEV, 403},
                 {EMFILE, 503}, {ENFILE, 503},  {ENOMEM, 503},       {EIO, 500},    {EINVAL, 500}, {ESTALE, 500}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(status_of_errno(cases[i].error), cases[i].status);
        ck_assert_int_eq(status_of_errno(-cases[i].error), cases[i].status);
    }
}
END_TEST

Suite *suite_http_status(void)
{
    Suite *s = suite_create("http/status");
    TCase *t = tcase_create("status");
    tcase_add_loop_test(t, test_rows, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(t, test_pages);
    tcase_add_test(t, test_codes_without_end);
    tcase_add_test(t, test_errno);
    suite_add_tcase(s, t);
    return s;
}
