/* test_fields.c - request fields whose names are doubtful, how many there may be, and browsers
 * whose connections do not stay open. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void pages(void)
{
    site_write("html/f", "f");
}

#define SHOW "location / { return 200 \"$http_x_a|$http_x_b\"; }"

static const struct named {
    const char *conf, *fields, *answer;
} named[] = {
    {"", "X-A: 1\r\nX-B: 2\r\n", "1|2"},
    {"", "X_A: 1\r\nX-B: 2\r\n", "|2"},
    {"", "X-B: 2\r\nX_A: 1\r\n", "|2"},
    {"", "X_A: 9\r\nX-A: 1\r\n", "1|"},
    {"underscores_in_headers on;", "X_A: 1\r\nX-B: 2\r\n", "1|2"},
    {"ignore_invalid_headers off;", "X_A: 1\r\nX-B: 2\r\n", "1|2"},
    {"", "X.A: 1\r\nX-B: 2\r\n", "|2"},
    {"underscores_in_headers on;", "X.A: 1\r\nX-B: 2\r\n", "|2"},
};

START_TEST(odd_names)
{
    char conf[256];
    struct site_response r;

    snprintf(conf, sizeof conf, "%s " SHOW, named[_i].conf);
    site_serve(conf);
    site_request(&r, "GET", "/", named[_i].fields);
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, named[_i].answer);
    site_response_free(&r);
    if (!*named[_i].conf && _i > 0)
        free(log_await("logs/error.log", "client sent invalid header line: \"X"));
}
END_TEST

/* Fields that frame a message stay what they are, and errors stay errors, whatever is
 * configured. */
START_TEST(framing_stays_strict)
{
    static const char *const requests[] = {
        "GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "GET /f HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\nx",
        "GET /f HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: h\r\nX(Y: x\r\n\r\n",
        "GET /f HTTP/1.1\r\nHost: h\r\nX_Y\r\n\r\n",
    };
    site_serve("ignore_invalid_headers off; underscores_in_headers on;");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        ck_assert_msg(on_nginx() || site_status_of_bytes(requests[i], strlen(requests[i])) == 400, "%s", requests[i]);
    /* No Content-Length: the next request follows at once. */
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /f HTTP/1.1\r\nHost: h\r\nContent_Length: 30\r\n\r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

START_TEST(as_many_as_allowed)
{
    struct site_response r;

    if (on_nginx())
        return;
    site_serve("max_headers 4;");
    site_request(&r, "GET", "/f", ""); /* with what the harness sends anyway */
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    site_request(&r, "GET", "/f", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n");
    ck_assert_int_eq(r.status, 431);
    site_response_free(&r);
}
END_TEST

static const struct browser {
    const char *conf, *method, *agent;
    bool stays;
} browsers[] = {
    {"", "GET", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", true},
    {"", "POST", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", false},
    {"", "POST", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", true},
    {"", "POST", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", true},
    {"", "POST", "Mozilla/4.0 (compatible; MSIE 5.5; Windows 98)", false},
    {"", "POST", "Mozilla/4.0 (compatible; MSIE 6.0; X11; Linux) Opera 8", true},
    {"", "POST", "MSIE 6", true},
    {"keepalive_disable none;", "POST", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", true},
    {"", "GET", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/5.0 Safari/533", true},
    {"keepalive_disable safari;", "GET", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/5.0 Safari/533", false},
    {"keepalive_disable safari;", "GET", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Chrome/99 Safari/533", true},
    {"keepalive_disable safari;", "GET", "Mozilla/5.0 (iPhone) Version/5.0 Safari/533", true},
    {"keepalive_disable msie6 safari;", "GET", "Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/5.0 Safari/533", false},
};

START_TEST(browsers_that_do_not_stay)
{
    const struct browser *b = &browsers[_i];
    struct site_client c;
    struct site_response r;
    char conf[256];

    snprintf(conf, sizeof conf, "%s location = /r { return 200 x; }", b->conf);
    site_serve(conf);
    client_open(&c, site_port(0));
    client_say(&c, "%s /r HTTP/1.1\r\nHost: h\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n", b->method, b->agent);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(site_header(&r, "Connection"), b->stays ? "keep-alive" : "close");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* A worker that leaves waits for idle connections as long as they were promised. */
START_TEST(kept_open_at_a_reload)
{
    struct site_client promised, other;
    struct site_response r;

    if (on_nginx())
        return;
    site_serve("location = /long { keepalive_min_timeout 20s; return 200 x; } location = /short { return 200 x; }");
    client_open(&promised, site_port(0));
    client_open(&other, site_port(0));
    client_say(&promised, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
    client_say(&other, "GET /short HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert(client_receive(&promised, &r));
    site_response_free(&r);
    ck_assert(client_receive(&other, &r));
    site_response_free(&r);
    site_kill(SIGHUP);
    ck_assert(client_ends(&other));
    client_say(&promised, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert(client_receive(&promised, &r));
    ck_assert_str_eq(site_header(&r, "Connection"), "close");
    site_response_free(&r);
    client_close(&promised);
    client_close(&other);
}
END_TEST

Suite *suite_fields(void)
{
    Suite *s = suite_create("fields");
    TCase *t = site_case_with(s, "fields", 30, pages);
    tcase_add_loop_test(t, odd_names, 0, sizeof named / sizeof *named);
    tcase_add_test(t, framing_stays_strict);
    tcase_add_test(t, as_many_as_allowed);
    tcase_add_loop_test(t, browsers_that_do_not_stay, 0, sizeof browsers / sizeof *browsers);
    tcase_add_test(t, kept_open_at_a_reload);
    return s;
}
