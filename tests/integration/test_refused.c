/* test_refused.c - what the access log says of requests that are refused, too slow, or cut off:
 * what was understood, and nothing else. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED "Host: named\r\nX: y\r\nCookie: c=1\r\n"

/* What was understood before a request was refused is in its line, and nothing else: status,
 * method, path, query, host, server, version, length of what was understood, a field, a cookie. */
static const struct {
    const char *head, *line;
    enum { REFUSED, TIMED_OUT, LEFT } end;
} refused[] = {
    /* Of the request line. */
    {"GE", "408 - - - first first - 0 - -", TIMED_OUT},
    {"GET /p", "408 GET - - first first - 0 - -", TIMED_OUT},
    {"GET /p?q=1 HTTP/1", "408 GET /p q=1 first first - 0 - -", TIMED_OUT},
    {"GET /p?q=1 HTTP/1", "400 GET /p q=1 first first - 0 - -", LEFT},
    {"\x16\x03\x01\x02\r\n", "400 - - - first first - 0 - -", REFUSED},
    {"G?T /p HTTP/1.1\r\n" NAMED "\r\n", "400 - - - first first - 0 - -", REFUSED},
    {"GET  /p HTTP/1.1\r\n" NAMED "\r\n", "400 GET - - first first - 0 - -", REFUSED},
    {"GET /p\x7f HTTP/1.1\r\n" NAMED "\r\n", "400 GET - - first first - 0 - -", REFUSED},
    {"GET /p HTTP/x.1\r\n" NAMED "\r\n", "400 GET /p - first first - 0 - -", REFUSED},
    {"GET /p HTTP/1.1 \r\n" NAMED "\r\n", "400 GET /p - first first - 0 - -", REFUSED},
    {"GET /p\r\n", "400 GET /p - first first - 0 - -", REFUSED},
    {"GET /p HTTP/0.9\r\n" NAMED "\r\n", "400 GET /p - named second HTTP/0.9 51 y 1", REFUSED},
    {"GET /p HTTP/2.1\r\n" NAMED "\r\n", "505 GET /p - named second HTTP/2.1 51 y 1", REFUSED},
    {"GET /p HTTP/1.0\r\n" NAMED "Content-Length: x\r\n\r\n", "400 GET /p - named second HTTP/1.0 70 y 1", REFUSED},
    {"FOO /p HTTP/1.1\r\n" NAMED "\r\n", "501 FOO /p - named second HTTP/1.1 51 y 1", REFUSED},
    {"GET /%zz HTTP/1.1\r\n" NAMED "\r\n", "400 GET  - named second HTTP/1.1 53 y 1", REFUSED},
    {"GET /../p?q=1 HTTP/1.1\r\n" NAMED "\r\n", "400 GET  q=1 named second HTTP/1.1 58 y 1", REFUSED},
    {"GET ftp://a/p HTTP/1.1\r\n" NAMED "\r\n", "400 GET - - named second HTTP/1.1 58 y 1", REFUSED},
    {"CONNECT /p HTTP/1.1\r\n" NAMED "\r\n", "400 CONNECT - - named second HTTP/1.1 55 y 1", REFUSED},
    {"CONNECT named:1 HTTP/1.1\r\n" NAMED "\r\n", "405 CONNECT - - named second HTTP/1.1 60 y 1", REFUSED},
    /* Of the fields. */
    {"GET /p HTTP/1.1\r\nX: y\r\nHos", "408 GET /p - first first HTTP/1.1 23 y -", TIMED_OUT},
    {"GET /p HTTP/1.1\r\n" NAMED "Z: half", "408 GET /p - named second HTTP/1.1 49 y 1", TIMED_OUT},
    {"GET /p HTTP/1.1\r\n" NAMED "Z: half", "400 GET /p - named second HTTP/1.1 49 y 1", LEFT},
    {"GET /p HTTP/1.1\r\n" NAMED "a b: c\r\nX: z\r\n", "400 GET /p - named second HTTP/1.1 49 y 1", REFUSED},
    {"GET /p HTTP/1.1\r\n" NAMED "Z: \x01\r\nX: z\r\n", "400 GET /p - named second HTTP/1.1 49 y 1", REFUSED},
    {"GET /p HTTP/1.1\r\n" NAMED "Z: a\nX: z\r\n", "400 GET /p - named second HTTP/1.1 49 y 1", REFUSED},
    {"GET /p HTTP/1.1\r\n" NAMED " folded\r\n\r\n", "400 GET /p - named second HTTP/1.1 49 y 1", REFUSED},
    {"GET /p HTTP/1.1\r\nX: y\r\n\r\n", "400 GET /p - first first HTTP/1.1 25 y -", REFUSED},
    {"GET /p HTTP/1.1\r\nX: y\r\nHost: a/b\r\n\r\n", "400 GET /p - first first HTTP/1.1 36 y -", REFUSED},
    {"GET /p HTTP/1.1\r\n" NAMED "Host: b\r\n\r\n", "400 GET /p - named second HTTP/1.1 60 y 1", REFUSED},
    {"POST /p HTTP/1.1\r\n" NAMED "Transfer-Encoding: x\r\n\r\n", "501 POST /p - named second HTTP/1.1 74 y 1",
     REFUSED},
    {"GET /p HTTP/1.1\r\n" NAMED "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", "431 GET /p - named second HTTP/1.1 75 y 1",
     REFUSED},
    /* Of the body. */
    {"POST /p HTTP/1.1\r\n" NAMED "Content-Length: 9\r\n\r\nabc", "408 POST /p - named second HTTP/1.1 74 y 1",
     TIMED_OUT},
    {"POST /p HTTP/1.1\r\n" NAMED "Content-Length: 9\r\n\r\nabc", "400 POST /p - named second HTTP/1.1 74 y 1", LEFT},
    {"POST /p HTTP/1.1\r\n" NAMED "Content-Length: 99\r\n\r\nabc", "413 POST /p - named second HTTP/1.1 72 y 1",
     REFUSED},
    {"POST /p HTTP/1.1\r\n" NAMED "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     "400 POST /p - named second HTTP/1.1 80 y 1", REFUSED},
};

static void log_refused_to(const char *options)
{
    char conf[2048];
    snprintf(conf, sizeof conf,
             "log_format known '$status $request_method $uri $args $host $server_name $server_protocol $request_length "
             "$http_x $cookie_c';\n"
             "access_log logs/known known; client_header_timeout 200ms; client_body_timeout 200ms; max_headers 6;\n"
             "large_client_header_buffers 2 1k; client_header_buffer_size 1k; client_max_body_size 20; %s\n"
             "server { listen 127.0.0.1:@PORT@; server_name first; root @DIR@/html; }\n"
             "server { listen 127.0.0.1:@PORT@; server_name second named; root @DIR@/html; }\n",
             options);
    site_conf_http(conf);
    site_start();
}

START_TEST(lines_of_refused_requests)
{
    char expected[256];
    struct site_client c;
    struct site_response r;
    log_refused_to("");
    client_open(&c, site_port(0));
    client_say(&c, "%s", refused[_i].head);
    if (refused[_i].end != LEFT)
        while (client_receive(&c, &r))
            site_response_free(&r);
    client_close(&c);
    char *log = log_await("logs/known", "\n");
    snprintf(expected, sizeof expected, "%s\n", refused[_i].line);
    ck_assert_str_eq(log, expected);
    free(log);
}
END_TEST

/* The same where they come in one piece with a good one, or in many pieces. */
START_TEST(lines_of_large_heads)
{
    char line[1300], *large = memset(line, 'x', sizeof line);
    struct site_client c;
    struct site_response r;
    large[sizeof line - 1] = '\0';
    log_refused_to("");
    for (int pieces = 0; pieces < 2; pieces++) {
        const char *const starts[] = {"GET /p?", "GET /p HTTP/1.1\r\n" NAMED "Large: "};
        for (int i = 0; i < 2; i++) {
            client_open(&c, site_port(0));
            client_say(&c, "%s", starts[i]);
            for (int at = 0; at < 1300; at += 100)
                if (client_say(&c, "%.*s", pieces ? 100 : 1299, large) == 0 || !pieces)
                    break;
                else
                    sleep_msec(2);
            client_say(&c, "%s\r\n\r\n", i == 0 ? " HTTP/1.1\r\nHost: a" : "");
            ck_assert(client_receive(&c, &r));
            ck_assert_int_eq(r.status, i == 0 ? 414 : 431);
            site_response_free(&r);
            client_close(&c);
        }
    }
    char *log = log_await_count("logs/known", "\n", 4);
    ck_assert_uint_eq(count_text(log, "414 GET "), 2);
    ck_assert_uint_eq(count_text(log, "431 GET /p - named second HTTP/1.1 "), 2);
    ck_assert_uint_eq(count_text(log, " y 1\n"), 2);
    free(log);
}
END_TEST

Suite *suite_refused(void)
{
    Suite *s = suite_create("refused");
    TCase *tc = site_case(s, "refused", 30);
    if (on_nginx())
        return s; /* which reads some of it otherwise; tests/compare has what both agree in */
    tcase_add_loop_test(tc, lines_of_refused_requests, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, lines_of_large_heads);
    return s;
}
