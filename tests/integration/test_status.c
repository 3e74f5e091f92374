/* test_status.c - every status that a client or a configuration can provoke, and the short pages
 * that come with them. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The page as nginx prints it; its foot is what the Server field says. */
static void assert_page(const struct site_response *r, const char *title)
{
    char page[1024];
    snprintf(page, sizeof page,
             "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n"
             "<hr><center>%s</center>\r\n</body>\r\n</html>\r\n",
             title, title, site_header(r, "Server"));
    ck_assert_str_eq(r->body, page);
    assert_header(r, "Content-Type", "text/html");
    ck_assert_uint_eq(strtoul(site_header(r, "Content-Length"), NULL, 10), strlen(page));
}

static void assert_status_line(const struct site_response *r, const char *phrase)
{
    char line[128];
    snprintf(line, sizeof line, "HTTP/1.1 %s\r\n", phrase);
    ck_assert_msg(!strncmp(r->head, line, strlen(line)), "\"%.60s\" is not \"%s\"", r->head, phrase);
}

static const struct returned {
    int status;
    const char *line, *title;
} returned[] = {
    {400, "400 Bad Request", "400 Bad Request"},
    {401, "401 Unauthorized", "401 Authorization Required"},
    {402, "402 Payment Required", "402 Payment Required"},
    {403, "403 Forbidden", "403 Forbidden"},
    {404, "404 Not Found", "404 Not Found"},
    {405, "405 Not Allowed", "405 Not Allowed"},
    {406, "406 Not Acceptable", "406 Not Acceptable"},
    {409, "409 Conflict", "409 Conflict"},
    {410, "410 Gone", "410 Gone"},
    {411, "411 Length Required", "411 Length Required"},
    {412, "412 Precondition Failed", "412 Precondition Failed"},
    {413, "413 Request Entity Too Large", "413 Request Entity Too Large"},
    {414, "414 Request-URI Too Large", "414 Request-URI Too Large"},
    {415, "415 Unsupported Media Type", "415 Unsupported Media Type"},
    {416, "416 Requested Range Not Satisfiable", "416 Requested Range Not Satisfiable"},
    {421, "421 Misdirected Request", "421 Misdirected Request"},
    {429, "429 Too Many Requests", "429 Too Many Requests"},
    {500, "500 Internal Server Error", "500 Internal Server Error"},
    {501, "501 Not Implemented", "501 Not Implemented"},
    {502, "502 Bad Gateway", "502 Bad Gateway"},
    {503, "503 Service Temporarily Unavailable", "503 Service Temporarily Unavailable"},
    {504, "504 Gateway Time-out", "504 Gateway Time-out"},
    {505, "505 HTTP Version Not Supported", "505 HTTP Version Not Supported"},
    {507, "507 Insufficient Storage", "507 Insufficient Storage"},
};

START_TEST(pages_of_every_error)
{
    char conf[4096] = "";
    for (size_t i = 0; i < sizeof returned / sizeof *returned; i++)
        snprintf(conf + strlen(conf), sizeof conf - strlen(conf), "location = /%d { return %d; }\n", returned[i].status,
                 returned[i].status);
    site_serve(conf);
    for (size_t i = 0; i < sizeof returned / sizeof *returned; i++) {
        char target[16];
        struct site_response r;
        snprintf(target, sizeof target, "/%d", returned[i].status);
        site_get(&r, target);
        ck_assert_int_eq(r.status, returned[i].status);
        assert_status_line(&r, returned[i].line);
        assert_page(&r, returned[i].title);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(pages_of_redirects)
{
    site_serve(
        "location = /301 { return 301 /to; } location = /302 { return 302 http://a.b/c; }\n"
        "location = /303 { return 303 /to; } location = /307 { return 307 /to; } location = /308 { return 308 /to; }\n"
        "location = /bare { return https://x.y/z; }\n");
    static const char *const lines[] = {"301 Moved Permanently", "302 Moved Temporarily", "303 See Other",
                                        "307 Temporary Redirect", "308 Permanent Redirect"};
    static const char *const titles[] = {"301 Moved Permanently", "302 Found", "303 See Other",
                                         "307 Temporary Redirect", "308 Permanent Redirect"};
    const char *location = site_text("@SCHEME@://localhost@:PORT@/to");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct site_response r;
        site_get(&r, site_path("/%.3s", lines[i]));
        assert_status_line(&r, lines[i]);
        assert_header(&r, "Location", r.status == 302 ? "http://a.b/c" : location);
        assert_page(&r, titles[i]);
        site_response_free(&r);
    }
    struct site_response r;
    site_get(&r, "/bare");
    ck_assert_int_eq(r.status, 302);
    assert_header(&r, "Location", "https://x.y/z");
    site_response_free(&r);
}
END_TEST

START_TEST(ok_and_not_found)
{
    site_write("html/a.txt", "hello\n");
    site_write("html/index.html", "<p>index</p>");
    site_serve("");
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_status_line(&r, "200 OK");
    ck_assert_str_eq(r.body, "hello\n");
    site_response_free(&r);
    site_get(&r, "/");
    ck_assert_str_eq(r.body, "<p>index</p>");
    site_response_free(&r);
    site_get(&r, "/none");
    ck_assert_int_eq(r.status, 404);
    assert_page(&r, "404 Not Found");
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/a.txt/more"), 404);
    ck_assert_int_eq(site_status_of("/none/more"), 404);
    ck_assert_int_eq(site_status_of("/a.txt/"), 404);
    free(log_await("logs/error.log", "html/none\" failed (2: No such file or directory)"));
}
END_TEST

START_TEST(name_too_long)
{
    site_serve("");
    char target[400] = "/";
    memset(target + 1, 'a', 300);
    ck_assert_int_eq(site_status_of(target), 404);
}
END_TEST

START_TEST(forbidden)
{
    site_mkdir("html/empty");
    site_write("html/secret.txt", "x");
    ck_assert_int_eq(chmod(site_path("html/secret.txt"), 0), 0);
    site_serve("");
    struct site_response r;
    site_get(&r, "/empty/");
    ck_assert_int_eq(r.status, 403);
    assert_page(&r, "403 Forbidden");
    site_response_free(&r);
    char *log = log_await("logs/error.log", "html/empty/\" is forbidden");
    ck_assert_ptr_nonnull(strstr(log, "[error]"));
    free(log);
    /* Workers have given up root; if the whole server is not root, neither can read it. */
    ck_assert_int_eq(site_status_of("/secret.txt"), 403);
    log = log_await("logs/error.log", "(13: Permission denied)");
    free(log);
}
END_TEST

START_TEST(methods)
{
    site_write("html/a.txt", "hello\n");
    site_mkdir("html/dir");
    site_serve("");
    static const char *const refused[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "FOO"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct site_response r;
        site_request(&r, refused[i], "/a.txt", "");
        /* RFC 9110, 9.1: 501 for a method that the server does not know. */
        int expected = strcmp(refused[i], "FOO") || on_nginx() ? 405 : 501;
        ck_assert_msg(r.status == expected, "%s: %d", refused[i], r.status);
        assert_page(&r, expected == 405 ? "405 Not Allowed" : "501 Not Implemented");
        site_response_free(&r);
    }
    struct site_response r;
    site_request(&r, "HEAD", "/a.txt", "");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Length", "6");
    site_response_free(&r);
    site_request(&r, "HEAD", "/none", "");
    ck_assert_int_eq(r.status, 404);
    ck_assert_ptr_nonnull(site_header(&r, "Content-Length"));
    site_response_free(&r);
}
END_TEST

static int status_of_text(const char *text)
{
    return site_status_of_bytes(text, strlen(text));
}

START_TEST(bad_requests_close)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 400);
    assert_page(&r, "400 Bad Request");
    assert_header(&r, "Connection", "close");
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/1.1\r\n\r\n"), 400);
    ck_assert_int_eq(status_of_text("GET a.txt HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    ck_assert_int_eq(status_of_text("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    ck_assert_int_eq(status_of_text("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    ck_assert_int_eq(status_of_text("GET /../ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}
END_TEST

START_TEST(versions)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/1.0\r\n\r\n"), 200);
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/3.0\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_status_line(&r, "505 HTTP Version Not Supported");
    assert_page(&r, "505 HTTP Version Not Supported");
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(too_large_heads)
{
    site_write("html/a.txt", "hello\n");
    site_serve("client_header_buffer_size 1k; large_client_header_buffers 4 8k;");
    char *text = malloc(70000);
    char *fill = malloc(9001);
    memset(fill, 'a', 9000);
    fill[9000] = '\0';
    snprintf(text, 70000, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", fill);
    ck_assert_int_eq(status_of_text(text), 414);
    snprintf(text, 70000, "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", fill);
    ck_assert_int_eq(status_of_text(text), on_nginx() ? 400 : 431);
    /* Up to the limit it is served, also across several buffers. */
    fill[7000] = '\0';
    snprintf(text, 70000, "GET /a.txt?%s HTTP/1.1\r\nHost: a\r\n\r\n", fill);
    ck_assert_int_eq(status_of_text(text), 200);
    snprintf(text, 70000, "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: %s\r\nY: %s\r\n\r\n", fill, fill);
    ck_assert_int_eq(status_of_text(text), 200);
    /* More in all than the buffers hold. */
    snprintf(text, 70000,
             "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: %s\r\nY: %s\r\nZ: %s\r\nA: %s\r\nB: %s\r\nC: %s\r\n\r\n", fill, fill,
             fill, fill, fill, fill);
    ck_assert_int_eq(status_of_text(text), on_nginx() ? 400 : 431);
    free(fill);
    free(text);
}
END_TEST

static int status_of_head(int port, const char *line, size_t len, unsigned fields)
{
    char text[32768];
    size_t at = (size_t)snprintf(text, sizeof text, "%sHost: a\r\n", line);
    for (unsigned i = 0; i < fields; i++) {
        memcpy(text + at, "X: ", 3);
        memset(text + at + 3, 'a', len - 3);
        memcpy(text + at + len, "\r\n", 2);
        at += len + 2;
    }
    memcpy(text + at, "\r\n", 2);
    struct site_client c;
    struct site_response r;
    client_open(&c, port);
    client_send(&c, text, at + 2);
    ck_assert(client_receive(&c, &r));
    int status = r.status;
    client_close(&c);
    site_response_free(&r);
    return status;
}

/* The limits lie at the same byte whether a head comes in one read or in many. */
START_TEST(heads_at_the_limit)
{
    site_write("html/a.txt", "hello\n");
    site_conf_http("root @DIR@/html; large_client_header_buffers 3 4k;\n"
                   "server { listen 127.0.0.1:@PORT@; client_header_buffer_size 1k; }\n"
                   "server { listen 127.0.0.1:@PORT1@; client_header_buffer_size 64k; }\n");
    site_start();
    static const char line[] = "GET /a.txt HTTP/1.1\r\n";
    size_t rest = 3 * 4096 - (sizeof line - 1 + strlen("Host: a\r\n") + strlen("\r\n")); /* for fields */
    for (int i = 0; i < 2; i++) {
        int port = site_port(i);
        ck_assert_int_eq(status_of_head(port, line, 4096, 1), 200);
        ck_assert_int_eq(status_of_head(port, line, 4097, 1), 431);
        ck_assert_int_eq(status_of_head(port, line, 4098, 1), 431);
        ck_assert_int_eq(status_of_head(port, line, rest / 4 - 2, 4), 200);
        ck_assert_int_eq(status_of_head(port, line, rest / 4 - 1, 4), 431);
    }
    static char target[5000];
    for (int i = 0; i < 2; i++) {
        for (int over = 0; over < 2; over++) {
            size_t fill = 4096 - strlen("GET /a.txt? HTTP/1.1") + (size_t)over;
            memcpy(target, "GET /a.txt?", 11);
            memset(target + 11, 'q', fill);
            strcpy(target + 11 + fill, " HTTP/1.1\r\n");
            ck_assert_int_eq(status_of_head(site_port(i), target, 10, 1), over ? 414 : 200);
        }
    }
}
END_TEST

START_TEST(request_bodies)
{
    site_write("html/a.txt", "hello\n");
    site_serve("client_max_body_size 10;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_status_line(&r, "413 Request Entity Too Large");
    assert_page(&r, "413 Request Entity Too Large");
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
    client_close(&c);
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"), 200);
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
    ck_assert_int_eq(status_of_text("GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501);
}
END_TEST

START_TEST(range_not_satisfiable)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    struct site_response r;
    site_request(&r, "GET", "/a.txt", "Range: bytes=6-\r\n");
    assert_status_line(&r, "416 Requested Range Not Satisfiable");
    assert_page(&r, "416 Requested Range Not Satisfiable");
    assert_header(&r, "Content-Range", "bytes */6");
    site_response_free(&r);
}
END_TEST

START_TEST(redirect_cycle)
{
    site_serve("location / { try_files /no/such @again; } location @again { try_files /no/such /again; }");
    struct site_response r;
    site_get(&r, "/x");
    ck_assert_int_eq(r.status, 500);
    assert_page(&r, "500 Internal Server Error");
    site_response_free(&r);
    free(log_await("logs/error.log", "internal redirection cycle while"));
}
END_TEST

START_TEST(return_without_answer)
{
    site_serve("location = /drop { return 444; }");
    const char text[] = "GET /drop HTTP/1.1\r\nHost: a\r\n\r\n";
    ck_assert_int_eq(site_status_of_bytes(text, sizeof text - 1), 0);
}
END_TEST

/* `error` 0: the end of the stream. `before`: an answer to an earlier request has come. */
static void expect_end(const char *target, int error, bool before)
{
    struct site_client c;
    struct site_response r;

    client_open(&c, site_port(0));
    if (before) {
        client_say(&c, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert_msg(client_ends(&c), "%s", target);
    ck_assert_msg(c.error == error, "%s: %s", target, strerror(c.error));
    client_close(&c);
}

START_TEST(silence_by_a_reset)
{
    site_write("html/a", "a");
    site_conf_http("limit_req_zone $remote_addr zone=z:1m rate=1r/m; limit_req_status 444;\n"
                   "server { listen @PORT@; reset_timedout_connection on;\n"
                   "location /a { return 200 a; } location /drop { return 444; }\n"
                   "location /408 { return 408; } location /499 { return 499; }\n"
                   "location /try { root @DIR@/html; try_files /none =444; }\n"
                   "location /limited { limit_req zone=z; root @DIR@/html; try_files /a =404; }\n"
                   "location /page { error_page 404 = /drop; return 404; }\n"
                   "location /fin/ { reset_timedout_connection off;\n"
                   "location /fin/drop { return 444; } location /fin/try { try_files /none =444; } } }\n");
    site_start();
    for (int before = 0; before < 2; before++) {
        expect_end("/drop", ECONNRESET, before);
        expect_end("/try", ECONNRESET, before);
        expect_end("/page", ECONNRESET, before);
        expect_end("/408", 0, before);
        expect_end("/499", 0, before);
        expect_end("/fin/drop", 0, before);
        expect_end("/fin/try", 0, before);
    }
    ck_assert_int_eq(site_status_of("/limited"), 200);
    expect_end("/limited", ECONNRESET, false);
    free(log_await_count("logs/access.log", " 444 0 ", 11));
}
END_TEST

START_TEST(return_with_text)
{
    site_serve("location = /a { return 200 \"all well\"; } location = /b { default_type text/x-b; return 404 no; }\n"
               "location = /c { return 204; } location = /d { return 200; }");
    struct site_response r;
    site_get(&r, "/a");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "all well");
    assert_header(&r, "Content-Type", "text/plain");
    assert_header(&r, "Content-Length", "8");
    site_response_free(&r);
    site_get(&r, "/b");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "no");
    assert_header(&r, "Content-Type", "text/x-b");
    site_response_free(&r);
    site_get(&r, "/c");
    ck_assert_int_eq(r.status, 204);
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "Content-Type", NULL);
    site_response_free(&r);
    site_get(&r, "/d");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Length", "0");
    site_response_free(&r);
}
END_TEST

Suite *suite_status(void)
{
    Suite *s = suite_create("status");
    TCase *tc = site_case(s, "status", 20);
    tcase_add_test(tc, pages_of_every_error);
    tcase_add_test(tc, pages_of_redirects);
    tcase_add_test(tc, ok_and_not_found);
    tcase_add_test(tc, name_too_long);
    tcase_add_test(tc, forbidden);
    tcase_add_test(tc, methods);
    tcase_add_test(tc, bad_requests_close);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, too_large_heads);
    if (!on_nginx()) /* whose buffers hold a little less, and in another order */
        tcase_add_test(tc, heads_at_the_limit);
    tcase_add_test(tc, request_bodies);
    tcase_add_test(tc, range_not_satisfiable);
    tcase_add_test(tc, redirect_cycle);
    tcase_add_test(tc, return_without_answer);
    if (needs_plain("silence_by_a_reset", "the reset comes without close_notify"))
        tcase_add_tcp_test(tc, silence_by_a_reset, "a reset");
    tcase_add_test(tc, return_with_text);
    return s;
}
