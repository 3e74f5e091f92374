/* test_framing.c - where one response ends and the next begins, and that none waits for a later
 * request. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *filler(size_t len, char c)
{
    char *text = malloc(len + 1);
    memset(text, c, len);
    text[len] = '\0';
    return text;
}

/* After whatever came, the next response is the one that was asked for. */
static void expect_next_ok(struct site_client *c)
{
    struct site_response r;
    client_say(c, "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "fine");
    site_response_free(&r);
}

START_TEST(no_content_has_no_content)
{
    site_conf_server("location = /ok { return 200 fine; }\n"
                     "location = /text { return 204 hello; }\n"
                     "location / { error_page 404 =204 /page.txt; }\n");
    site_write("html/page.txt", "never seen");
    site_start();
    static const char *const targets[] = {"/text", "/missing"};
    for (size_t i = 0; i < 2; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        ck_assert(client_head(&c, &r));
        ck_assert_int_eq(r.status, 204);
        assert_header(&r, "Content-Length", NULL);
        site_response_free(&r);
        expect_next_ok(&c);
        client_close(&c);
    }
}
END_TEST

/* A finished response goes out although the request behind it waits for its body. */
START_TEST(response_does_not_wait_for_the_next_body)
{
    site_serve("location = /ok { return 200 fine; }\n");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
                   "POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "fine");
    site_response_free(&r);
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 100);
    site_response_free(&r);
    client_say(&c, "12345");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    expect_next_ok(&c);
    client_close(&c);
}
END_TEST

/* The buffer has grown for a large head; a body behind a small one comes with it. */
START_TEST(body_behind_a_grown_buffer)
{
    site_serve("client_header_buffer_size 256; large_client_header_buffers 4 8k;\n"
               "location = /ok { return 200 fine; }\n");
    struct site_client c;
    struct site_response r;
    char *large = filler(6000, 'x'), *body = filler(7000, 'b');
    client_open(&c, site_port(0));
    client_say(
        &c,
        "GET /ok HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\nPOST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 7000\r\n\r\n%s",
        large, body);
    for (int i = 0; i < 2; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    expect_next_ok(&c);
    client_close(&c);
    free(large);
    free(body);
}
END_TEST

/* A head of 12 KB in three writes: the buffer moves under the parser. */
START_TEST(head_that_grows)
{
    site_serve("client_header_buffer_size 1k; large_client_header_buffers 4 8k;\n"
               "location = /ok { return 200 fine; }\n");
    struct site_client c;
    struct site_response r;
    char *part = filler(4000, 'x');
    client_open(&c, site_port(0));
    client_say(&c, "GET /ok HTTP/1.1\r\nHost: a\r\nA: %s\r\n", part);
    sleep_msec(50);
    client_say(&c, "B: %s\r\n", part);
    sleep_msec(50);
    client_say(&c, "C: %s\r\n\r\n", part);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    expect_next_ok(&c);
    client_close(&c);
    free(part);
}
END_TEST

START_TEST(request_uri_of_absolute_form)
{
    site_serve("return 200 $request_uri;\n");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET http://h?x HTTP/1.1\r\nHost: h\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "?x");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(refused_head_request_has_no_body)
{
    site_serve("return 200 x;\n");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    ck_assert(client_receive_head(&c, &r));
    ck_assert_int_eq(r.status, 400);
    site_response_free(&r);
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

/* More requests than one turn takes, hot ones among missing ones: each gets its answer, in
 * order. */
START_TEST(long_pipeline_of_hot_and_missing)
{
    enum { REQUESTS = 600 };
    site_conf_server("open_file_cache max=100; location = /ok { return 200 fine; }\n");
    site_write("html/hot.txt", "hot");
    site_start();
    struct site_client c;
    client_open(&c, site_port(0));
    for (int round = 0; round < 3; round++) {
        char *all = malloc((size_t)REQUESTS * 64), *to = all;
        for (int i = 0; i < REQUESTS; i++)
            to += i % 7 ? sprintf(to, "GET /hot.txt HTTP/1.1\r\nHost: a\r\n\r\n")
                        : sprintf(to, "GET /missing%d_%d HTTP/1.1\r\nHost: a\r\n\r\n", round, i);
        client_send(&c, all, (size_t)(to - all));
        for (int i = 0; i < REQUESTS; i++) {
            struct site_response r;
            ck_assert(client_receive(&c, &r));
            ck_assert_int_eq(r.status, i % 7 ? 200 : 404);
            site_response_free(&r);
        }
        free(all);
        if (round == 0) { /* keepalive_requests is 1000 */
            client_close(&c);
            client_open(&c, site_port(0));
        } else if (round == 1) {
            client_close(&c);
            client_open(&c, site_port(0));
        }
    }
    client_close(&c);
}
END_TEST

START_TEST(error_page_for_refused_requests)
{
    site_serve("client_max_body_size 10; error_page 413 /large.txt; location = /large.txt { return 413 own; }\n");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 413);
    ck_assert_str_eq(r.body, "own");
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

START_TEST(keepalive_of_the_location)
{
    site_serve("location = /ok { return 200 fine; }\n"
               "location = /last { keepalive_timeout 0; return 200 last; }\n");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    expect_next_ok(&c);
    client_say(&c, "GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

START_TEST(field_values_cannot_be_split)
{
    site_serve("location / { add_header ETag $uri; add_header X-U $uri; return 200 x; }\n");
    struct site_response r;
    site_get(&r, "/a%0d%0aSet-Cookie:%20b");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Set-Cookie", NULL);
    site_response_free(&r);
}
END_TEST

Suite *suite_framing(void)
{
    Suite *s = suite_create("framing");
    TCase *tc = site_case(s, "framing", 60);
    tcase_add_test(tc, no_content_has_no_content);
    tcase_add_test(tc, response_does_not_wait_for_the_next_body);
    tcase_add_test(tc, body_behind_a_grown_buffer);
    tcase_add_test(tc, head_that_grows);
    tcase_add_test(tc, request_uri_of_absolute_form);
    tcase_add_test(tc, refused_head_request_has_no_body);
    tcase_add_test(tc, long_pipeline_of_hot_and_missing);
    tcase_add_test(tc, error_page_for_refused_requests);
    tcase_add_test(tc, keepalive_of_the_location);
    tcase_add_test(tc, field_values_cannot_be_split);
    return s;
}
