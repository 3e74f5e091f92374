/* test_keepalive.c - what happens to a connection between and around requests: keep-alive,
 * pipelining, bodies that are thrown away, Expect, and requests that arrive in any pieces. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void pages(void)
{
    site_write("html/a.txt", "hello\n");
    site_write("html/b.txt", "bye\n");
    site_pattern("html/big", 300000);
}

static void expect(struct site_client *c, int status, const char *body, const char *connection)
{
    struct site_response r;
    ck_assert_msg(client_receive(c, &r), "closed instead of %d", status);
    ck_assert_msg(r.status == status, "%d instead of %d:\n%s", r.status, status, r.head);
    if (body)
        ck_assert_str_eq(r.body, body);
    if (connection)
        assert_header(&r, "Connection", connection);
    site_response_free(&r);
}

START_TEST(http11_stays)
{
    site_serve("");
    struct site_client c;
    client_open(&c, site_port(0));
    for (int i = 0; i < 10; i++) {
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(&c, 200, "hello\n", "keep-alive");
    }
    ck_assert(client_stays_open(&c));
    client_say(&c, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 404, NULL, "keep-alive");
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(&c, 200, "hello\n", "close");
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

#define GET(target)             "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_WITH(target, field) "GET " target " HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"
#define HELLO                   200, "hello\n"
#define BYE                     200, "bye\n"

/* What is said on one connection, and what comes of it. */
static const struct conversation {
    const char *what, *conf;
    struct turn {
        const char *say; /* NULL: nothing, the answer is to what was said before */
        int status;
        const char *body, *connection;
    } turns[7];
    enum { STAYS, ENDS } then;
} conversations[] = {
    {"close", "", {{GET_WITH("/a.txt", "Connection: close"), HELLO, "close"}}, ENDS},
    {"Close", "", {{GET_WITH("/a.txt", "Connection: Close"), HELLO, "close"}}, ENDS},
    {"CLOSE", "", {{GET_WITH("/a.txt", "Connection: CLOSE"), HELLO, "close"}}, ENDS},
    {"other options",
     "",
     {{GET_WITH("/a.txt", "Connection: Upgrade, foo\r\nUpgrade: h2c"), HELLO, "keep-alive"}},
     STAYS},
    {"HTTP/1.0", "", {{"GET /a.txt HTTP/1.0\r\n\r\n", HELLO, "close"}}, ENDS},
    {"HTTP/1.0 with keep-alive",
     "",
     {{"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HELLO, "keep-alive"},
      {"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HELLO, "keep-alive"},
      {"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HELLO, "keep-alive"},
      {"GET /a.txt HTTP/1.0\r\n\r\n", HELLO, "close"}},
     ENDS},
    {"close within a pipeline",
     "",
     {{GET("/a.txt") GET_WITH("/b.txt", "Connection: close") GET("/a.txt"), HELLO, "keep-alive"}, {NULL, BYE, "close"}},
     ENDS},
    {"an error within a pipeline",
     "",
     {{GET("/a.txt") "BAD\r\n\r\n" GET("/a.txt"), HELLO, "keep-alive"}, {NULL, 400, NULL, "close"}},
     ENDS},
    {"keepalive_requests",
     "keepalive_requests 3;",
     {{GET("/a.txt"), HELLO, "keep-alive"}, {GET("/a.txt"), HELLO, "keep-alive"}, {GET("/a.txt"), HELLO, "close"}},
     ENDS},
    {"keepalive_timeout 0", "keepalive_timeout 0;", {{GET("/a.txt"), HELLO, "close"}}, ENDS},
    {"an empty line before a request",
     "",
     {{"\r\n" GET("/a.txt"), HELLO, "keep-alive"}, {"\r\n" GET("/b.txt"), BYE, "keep-alive"}},
     STAYS},
    {"bodies are discarded",
     "client_max_body_size 1m;",
     {{GET_WITH("/a.txt", "Content-Length: 28") "GET /b.txt HTTP/1.1\r\n\r\nabcde", HELLO, "keep-alive"},
      {GET_WITH("/b.txt", "Content-Length: 0"), BYE, "keep-alive"},
      {GET_WITH("/a.txt", "Transfer-Encoding: chunked") "5\r\nabcde\r\nA;name=value\r\n0123456789\r\n0\r\n"
                                                        "Trailer: x\r\n\r\n" GET("/b.txt"),
       HELLO, "keep-alive"},
      {NULL, BYE, "keep-alive"},
      {GET_WITH("/a.txt", "Transfer-Encoding: chunked") "0\r\n\r\n", HELLO, "keep-alive"}},
     STAYS},
    {"the body of an error is discarded",
     "",
     {{"POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde" GET("/b.txt"), 405, NULL, NULL},
      {NULL, BYE, NULL}},
     STAYS},
};

START_TEST(conversation)
{
    const struct conversation *talk = &conversations[_i];
    site_serve(talk->conf);
    struct site_client c;
    client_open(&c, site_port(0));
    for (const struct turn *t = talk->turns; t->status; t++) {
        struct site_response r;
        if (t->say)
            client_say(&c, "%s", t->say);
        ck_assert_msg(client_receive(&c, &r), "%s: closed instead of %d", talk->what, t->status);
        ck_assert_msg(r.status == t->status, "%s: %d instead of %d:\n%s", talk->what, r.status, t->status, r.head);
        if (t->body)
            ck_assert_str_eq(r.body, t->body);
        if (t->connection)
            assert_header(&r, "Connection", t->connection);
        site_response_free(&r);
    }
    ck_assert_msg(talk->then == ENDS ? client_ends(&c) : client_stays_open(&c), "%s: in the end", talk->what);
    client_close(&c);
}
END_TEST

START_TEST(pipelined_16_deep)
{
    site_serve("");
    struct site_client c;
    client_open(&c, site_port(0));
    char text[4096] = "";
    for (int i = 0; i < 16; i++)
        strcat(text, i % 4 == 3   ? "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                     : i % 4 == 2 ? "HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n"
                     : i % 4      ? "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                                  : "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int round = 0; round < 5; round++) {
        client_say(&c, "%s", text);
        for (int i = 0; i < 16; i++) {
            struct site_response r;
            if (i % 4 != 2) {
                expect(&c, i % 4 == 3 ? 404 : 200, i % 4 == 3 ? NULL : i % 4 ? "bye\n" : "hello\n", NULL);
                continue;
            }
            ck_assert(client_receive_head(&c, &r));
            ck_assert_int_eq(r.status, 200);
            assert_header(&r, "Content-Length", "300000");
            site_response_free(&r);
        }
    }
    ck_assert(client_stays_open(&c));
    client_close(&c);
}
END_TEST

START_TEST(pipelined_large_bodies)
{
    site_serve("");
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 8192);
    for (int i = 0; i < 8; i++)
        client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\nRange: bytes=%d-\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
                   i + 1);
    for (int i = 0; i < 8; i++) {
        ck_assert(client_head(&c, &r));
        ck_assert_int_eq(r.status, 206);
        client_expect_pattern(&c, i + 1, 300000 - i - 1);
        site_response_free(&r);
        expect(&c, 200, "hello\n", NULL);
    }
    client_close(&c);
}
END_TEST

START_TEST(half_closed_client_is_answered)
{
    site_serve("");
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    client_end_sending(&c);
    struct site_response r;
    ck_assert(client_head(&c, &r));
    client_expect_pattern(&c, 0, 300000);
    site_response_free(&r);
    expect(&c, 200, "hello\n", NULL);
    client_close(&c);
}
END_TEST

START_TEST(keepalive_timeout)
{
    site_serve("keepalive_timeout 1s 17s;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_header(&r, "Keep-Alive", "timeout=17");
    site_response_free(&r);
    ck_assert(client_stays_open(&c));
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

START_TEST(keepalive_time)
{
    site_serve("keepalive_time 1s;");
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 200, "hello\n", "keep-alive");
    sleep_msec(1200);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 200, "hello\n", "close");
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

/* ---- bodies ---- */

START_TEST(large_body_in_pieces)
{
    site_serve("client_max_body_size 10m;");
    struct site_client c;
    client_open(&c, site_port(0));
    char *bytes = calloc(1, 3000000);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    ck_assert_uint_eq(client_send(&c, bytes, 3000000), 3000000);
    free(bytes);
    expect(&c, 200, "hello\n", "keep-alive");
    client_say(&c, "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 200, "bye\n", "keep-alive");
    client_close(&c);
}
END_TEST

/* The client sends all of a body that is too large before it looks: it must still find the answer
 * (lingering close). */
START_TEST(too_large_bodies)
{
    site_serve("client_max_body_size 1000;");
    struct site_client c;
    char *bytes = malloc(200000);
    memset(bytes, 'x', 200000);
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    client_send(&c, bytes, 200000);
    expect(&c, 413, NULL, "close");
    ck_assert(client_ends(&c));
    client_close(&c);
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        client_say(&c, "1f4\r\n");
        client_send(&c, bytes, 500);
        client_say(&c, "\r\n");
    }
    struct site_response r;
    ck_assert(client_receive(&c, &r));
    /* A response may already be on its way when the limit is passed; then the connection ends
     * behind it. */
    ck_assert_msg(r.status == 413 || r.status == 200, "%d", r.status);
    site_response_free(&r);
    client_say(&c, "0\r\n\r\nGET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    if (!on_nginx())
        ck_assert(client_ends(&c));
    client_close(&c);
    free(bytes);
}
END_TEST

START_TEST(body_size_unlimited)
{
    site_serve("client_max_body_size 0;");
    struct site_client c;
    char *bytes = calloc(1, 2000000);
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    client_send(&c, bytes, 2000000);
    expect(&c, 200, "hello\n", "keep-alive");
    client_close(&c);
    free(bytes);
}
END_TEST

static const char *const bad_chunks[] = {
    "5\nabcde\r\n0\r\n\r\n",
    "5\r\nabcdeX\r\n0\r\n\r\n",
    "x\r\n",
    "-1\r\n",
    "5 \rabcde",
    "ffffffffffffffffff\r\nabc",
    "5\r\nabcde\n0\r\n\r\n",
    "0x5\r\nabcde\r\n0\r\n\r\n",
    "5\r\nabcde\r\n0\r\n: x\r\n\r\n",
    "5\r\nabcde\r\n0\r\nA: b\r\n c\r\n\r\n",
    "0\r\n\rX",
    " 5\r\nabcde\r\n0\r\n\r\n",
};

static void expect_no_more(struct site_client c)
{
    struct site_response r;
    ck_assert(client_receive(&c, &r));
    ck_assert_msg(r.status == 400 || r.status == 413 || (r.status == 200 && !strcmp(r.body, "hello\n")), "%d",
                  r.status);
    bool ok = r.status == 200;
    site_response_free(&r);
    if (ok && client_receive(&c, &r)) {
        ck_assert_int_eq(r.status, 400);
        site_response_free(&r);
    }
    ck_assert(client_ends(&c));
    client_close(&c);
}

/* What follows a broken body is never taken for a request, wherever it is cut in two. */
START_TEST(broken_chunks_close)
{
    static const char head[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct site_client c[64];
    size_t len = strlen(bad_chunks[_i]);
    if (on_nginx() && (_i == 0 || _i >= 6)) /* it takes a bare LF, and looks less closely at trailers */
        return;
    site_serve("");
    for (size_t at = 0; at < len; at++) {
        client_open(&c[at], site_port(0));
        client_say(&c[at], "%s%.*s", head, (int)at, bad_chunks[_i]);
    }
    sleep_msec(15);
    for (size_t at = 0; at < len; at++)
        client_say(&c[at], "%s\r\n\r\nGET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n", bad_chunks[_i] + at);
    for (size_t at = 0; at < len; at++)
        expect_no_more(c[at]);
}
END_TEST

START_TEST(expect_continue)
{
    site_serve("");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    ck_assert(client_head(&c, &r));
    /* Either the body is asked for, or the answer comes without it. */
    ck_assert(r.status == 100 || r.status == 200);
    if (r.status == 100) {
        ck_assert_str_eq(r.head, "HTTP/1.1 100 Continue\r\n\r\n");
        site_response_free(&r);
        client_say(&c, "abcde");
        expect(&c, 200, "hello\n", NULL);
    } else {
        client_body(&c, &r);
        client_say(&c, "abcde");
        site_response_free(&r);
    }
    client_say(&c, "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 200, "bye\n", NULL);
    client_close(&c);
    /* An HTTP/1.0 client knows no 100; a body that is too large is not asked for. */
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nabcde");
    expect(&c, 200, "hello\n", NULL);
    client_close(&c);
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
    expect(&c, 413, NULL, "close");
    client_close(&c);
}
END_TEST

/* ---- in any pieces ---- */

static const char *const whole[] = {
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nX-Long: some value, with: colons\r\n\r\n",
    "\r\nGET /%61.txt?q=1 HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive\r\n\r\n",
    "GET http://a/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nabcde\r\n0\r\nT: u\r\n\r\n",
    ("GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n00\r\nContent-Length: 40\r\nHost: b\r\nConnection: close\r\n\r\n"), /* a trailer frames nothing */
    "GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\nIf-None-Match: \"x\"\r\n\r\n",
};

/* All first halves go out, then, when the server has seen them, all second halves. */
START_TEST(split_at_every_byte)
{
    const char *text = whole[_i];
    size_t len = strlen(text);
    struct site_client c[256];
    site_serve("");
    ck_assert_uint_lt(len, 256);
    for (size_t at = 1; at < len; at++) {
        client_open(&c[at], site_port(0));
        client_send(&c[at], text, at);
    }
    sleep_msec(30);
    for (size_t at = 1; at < len; at++) {
        client_send(&c[at], text + at, len - at);
        client_say(&c[at], "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (size_t at = 1; at < len; at++) {
        struct site_response r;
        ck_assert_msg(client_receive(&c[at], &r), "split at %zu: closed", at);
        ck_assert_msg(r.status == 200, "split at %zu: %d", at, r.status);
        ck_assert_str_eq(r.body, "hello\n");
        site_response_free(&r);
        expect(&c[at], 200, "bye\n", "keep-alive");
        client_close(&c[at]);
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    site_serve("");
    struct site_client c;
    client_open(&c, site_port(0));
    for (size_t i = 0; i < strlen(whole[_i]); i++) {
        client_send(&c, whole[_i] + i, 1);
        sleep_msec(1);
    }
    expect(&c, 200, "hello\n", "keep-alive");
    client_say(&c, "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&c, 200, "bye\n", "keep-alive");
    client_close(&c);
}
END_TEST

Suite *suite_keepalive(void)
{
    Suite *s = suite_create("keepalive");
    TCase *tc = site_case_with(s, "keepalive", 30, pages);
    tcase_add_test(tc, http11_stays);
    tcase_add_loop_test(tc, conversation, 0, sizeof conversations / sizeof *conversations);
    tcase_add_test(tc, pipelined_16_deep);
    tcase_add_test(tc, pipelined_large_bodies);
    tcase_add_test(tc, half_closed_client_is_answered);
    tcase_add_test(tc, keepalive_timeout);
    tcase_add_test(tc, keepalive_time);
    TCase *body = site_case_with(s, "body", 30, pages);
    tcase_add_test(body, large_body_in_pieces);
    tcase_add_test(body, too_large_bodies);
    tcase_add_test(body, body_size_unlimited);
    tcase_add_loop_test(body, broken_chunks_close, 0, sizeof bad_chunks / sizeof *bad_chunks);
    tcase_add_test(body, expect_continue);
    TCase *pieces = site_case_with(s, "pieces", 30, pages);
    tcase_add_loop_test(pieces, split_at_every_byte, 0, sizeof whole / sizeof *whole);
    tcase_add_loop_test(pieces, byte_by_byte, 0, sizeof whole / sizeof *whole);
    return s;
}
