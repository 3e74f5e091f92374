/* test_parse.c - requests that two parsers could read differently are refused: 400 (or what fits
 * better) and the connection ends, whole or in two pieces split anywhere. RFC 9112; the inputs are
 * those that llhttp or nginx let through. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE "GET /a.txt HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define NEXT "GET /b.txt HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct refused {
    const char *text;
    size_t len;
    int status;
    bool nginx_takes_it;
} refused[] = {
#define BAD(text)                                                                                                      \
    {                                                                                                                  \
        text, sizeof(text) - 1, 400, false                                                                             \
    }
#define NGINX_TAKES(text)                                                                                              \
    {                                                                                                                  \
        text, sizeof(text) - 1, 400, true                                                                              \
    }
#define REFUSED(text, as)                                                                                              \
    {                                                                                                                  \
        text, sizeof(text) - 1, as, false                                                                              \
    }
#define OURS(text, as)                                                                                                 \
    {                                                                                                                  \
        text, sizeof(text) - 1, as, true                                                                               \
    }
    /* Bare CR and LF. */
    BAD(LINE HOST "X: \rTransfer-Encoding: chunked\r\n\r\n"),
    BAD(LINE HOST "X: a\rb\r\n\r\n"),
    BAD(LINE HOST "\rX"),
    NGINX_TAKES("GET /a.txt HTTP/1.1\nHost: a\r\n\r\n"),
    NGINX_TAKES(LINE "Host: a\n\r\n"),
    NGINX_TAKES(LINE HOST "X: a\nY: b\r\n\r\n"),
    NGINX_TAKES(LINE HOST "\n"),
    BAD(LINE HOST "\rX: a\r\n\r\n"),
    /* Field names. */
    BAD(LINE "Host : a\r\n\r\n"),
    BAD(LINE HOST "X : a\r\n\r\n"),
    BAD(LINE HOST "X\t: a\r\n\r\n"),
    BAD(LINE HOST ": a\r\n\r\n"),
    BAD(LINE HOST "no colon\r\n\r\n"),
    BAD(LINE HOST "X Y: a\r\n\r\n"),
    NGINX_TAKES(LINE HOST "X(Y: a\r\n\r\n"),
    NGINX_TAKES(LINE HOST "X\x80: a\r\n\r\n"),
    /* Continuation lines. */
    BAD(LINE HOST "X: a\r\n b\r\n\r\n"),
    BAD(LINE HOST "X: a\r\n\tb\r\n\r\n"),
    BAD(LINE " Host: a\r\n\r\n"),
    BAD(LINE HOST "Content-Length:\r\n 5\r\n\r\n"),
    /* Control bytes. */
    BAD(LINE HOST "X: a\0b\r\n\r\n"),
    BAD("GET /a\0.txt HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES(LINE HOST "X: a\x01\r\n\r\n"),
    NGINX_TAKES(LINE HOST "X: a\x7f\r\n\r\n"),
    /* Request lines. */
    BAD("GET /a\t.txt HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES("GET  /a.txt HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /a.txt  HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /a.txt HTTP/1.1 \r\n" HOST "\r\n"),
    BAD("GET\t/a.txt HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /a.txt#frag HTTP/1.1\r\n" HOST "\r\n"),
    BAD("GET a.txt HTTP/1.1\r\n" HOST "\r\n"),
    BAD("GET\r\n" HOST "\r\n"),
    BAD(" GET /a.txt HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED("get /a.txt HTTP/1.1\r\n" HOST "\r\n", 501), /* a method nobody knows */
    BAD("GET ftp://a/a.txt HTTP/1.0x\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n"),
    OURS("CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 405),
    OURS("CONNECT [::1]:443 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405),
    OURS("CONNECT a.txt HTTP/1.1\r\n" HOST "\r\n", 400),
    OURS("CONNECT a: HTTP/1.1\r\n" HOST "\r\n", 400),
    OURS("CONNECT /a.txt HTTP/1.1\r\n" HOST "\r\n", 400),
    OURS("CONNECT http://a/a.txt HTTP/1.1\r\n" HOST "\r\n", 400),
    OURS("CONNECT * HTTP/1.1\r\n" HOST "\r\n", 400),
    OURS(LINE HOST "Proxy-Authorization: Basic a\r\nproxy-authorization: Basic a\r\n\r\n", 400),
    OURS(LINE HOST "Content-Range: bytes 0-1/2\r\nContent-Range: bytes 0-1/2\r\n\r\n", 400),
    OURS(LINE "Host: [v.x]\r\n\r\n", 400),
    REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    NGINX_TAKES("\r\n\r\n" LINE HOST "\r\n"), /* one empty line may stand before a request, not two */
    /* Versions. */
    NGINX_TAKES("GET /a.txt\r\n"),
    BAD("GET /a.txt HTTP/0.9\r\n" HOST "\r\n"),
    BAD("GET /a.txt RTSP/1.0\r\n" HOST "\r\n"),
    BAD("GET /a.txt ICE/1.0\r\n" HOST "\r\n"),
    BAD("GET /a.txt http/1.1\r\n" HOST "\r\n"),
    BAD("GET /a.txt HTTP/1.\r\n" HOST "\r\n"),
    BAD("GET /a.txt HTTP/a.b\r\n" HOST "\r\n"),
    NGINX_TAKES("GET /a.txt HTTP/1.01\r\n" HOST "\r\n"),
    REFUSED("GET /a.txt HTTP/2.0\r\n" HOST "\r\n", 505),
    /* Host. */
    BAD(LINE "\r\n"),
    BAD(LINE HOST "Host: b\r\n\r\n"),
    NGINX_TAKES(LINE HOST HOST "\r\n"),
    BAD("GET /a.txt HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    BAD(LINE "Host: a b\r\n\r\n"),
    BAD(LINE "Host: a/b\r\n\r\n"),
    BAD(LINE "Host:\r\n\r\n"),
    NGINX_TAKES(LINE "Host: a:b\r\n\r\n"),
    NGINX_TAKES(LINE "Host: a@b\r\n\r\n"),
    /* Framing. */
    BAD(LINE HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD(LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    BAD(LINE HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: 5, 5\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: +5\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: -5\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: 0x5\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: 5a\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length:\r\n\r\nabcde"),
    BAD(LINE HOST "Content-Length: 1 2\r\n\r\nabc"),
    BAD("GET /a.txt HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    REFUSED(LINE HOST "Transfer-Encoding: gzip\r\n\r\n", 501),
    REFUSED(LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    REFUSED(LINE HOST "Transfer-Encoding: xchunked\r\n\r\n", 501),
    REFUSED(LINE HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
};

enum { REFUSED_COUNT = sizeof refused / sizeof *refused };

static void serve(void)
{
    site_write("html/a.txt", "hello\n");
    site_write("html/b.txt", "bye\n");
    site_serve("");
}

/* Where a coding is both unknown and wrong in its place either status will do; nginx says 400 to
 * more. */
static bool is_right(int status, int expected)
{
    return status == expected || (status == 400 && (expected == 501 || on_nginx()));
}

static void expect_refusal(struct site_client *c, int i, size_t at)
{
    struct site_response r;
    const struct refused *row = &refused[i];
    ck_assert_msg(client_receive(c, &r), "row %d split at %zu: closed without an answer: %s", i, at, row->text);
    ck_assert_msg(is_right(r.status, row->status), "row %d split at %zu: %d instead of %d: %s", i, at, r.status,
                  row->status, row->text);
    assert_header(&r, "Connection", "close");
    ck_assert_msg(!strstr(r.body, "bye"), "row %d", i);
    site_response_free(&r);
    ck_assert_msg(client_ends(c), "row %d split at %zu: not closed: %s", i, at, row->text);
    client_close(c);
}

/* In one piece, with another request behind it that must never be answered. */
START_TEST(refused_whole)
{
    serve();
    for (int i = 0; i < REFUSED_COUNT; i++) {
        if (on_nginx() && refused[i].nginx_takes_it)
            continue;
        struct site_client c;
        client_open(&c, site_port(0));
        char bytes[1024];
        memcpy(bytes, refused[i].text, refused[i].len);
        memcpy(bytes + refused[i].len, NEXT, sizeof NEXT);
        client_send(&c, bytes, refused[i].len + sizeof NEXT - 1);
        expect_refusal(&c, i, 0);
    }
}
END_TEST

/* All first halves, a moment, all second halves, of one row at a time. */
START_TEST(refused_split)
{
    serve();
    for (int i = _i; i < REFUSED_COUNT; i += 8) {
        const struct refused *row = &refused[i];
        struct site_client c[256];
        if (on_nginx() && row->nginx_takes_it)
            continue;
        for (size_t at = 1; at < row->len; at++) {
            client_open(&c[at], site_port(0));
            client_send(&c[at], row->text, at);
        }
        sleep_msec(15);
        for (size_t at = 1; at < row->len; at++) {
            client_send(&c[at], row->text + at, row->len - at);
            client_send(&c[at], NEXT, sizeof NEXT - 1);
        }
        for (size_t at = 1; at < row->len; at++)
            expect_refusal(&c[at], i, at);
    }
}
END_TEST

/* Behind a good request on the same connection. */
START_TEST(refused_in_a_pipeline)
{
    serve();
    for (int i = 0; i < REFUSED_COUNT; i++) {
        if (on_nginx() && refused[i].nginx_takes_it)
            continue;
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, NEXT);
        client_send(&c, refused[i].text, refused[i].len);
        client_say(&c, NEXT);
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        expect_refusal(&c, i, 0);
    }
}
END_TEST

static const char *const taken[] = {
    LINE HOST "X:a\r\n\r\n",
    LINE HOST "X:  a  \t\r\n\r\n",
    LINE HOST "X:\r\n\r\n",
    LINE HOST "X: caf\xc3\xa9\r\n\r\n",
    LINE "host: a\r\n\r\n",
    LINE "HOST: a:8080\r\n\r\n",
    LINE "Host: [::1]:80\r\n\r\n",
    LINE "Host: [v1f.a:b]:80\r\n\r\n",
    LINE HOST "Proxy-Authorization: Basic a\r\nContent-Range: bytes 0-1/2\r\n\r\n",
    "GET http://[v1.x]/a.txt HTTP/1.1\r\n" HOST "\r\n",
    LINE HOST "A!#$%&'*+-.^_`|~09: odd but allowed\r\n\r\n",
    "GET /a.txt?a=b&c=%zz&d=?/ HTTP/1.1\r\n" HOST "\r\n",
    "GET http://a/a.txt HTTP/1.1\r\n" HOST "\r\n",
    "GET HTTP://A:80/a.txt HTTP/1.1\r\n" HOST "\r\n",
    "\r\n" LINE HOST "\r\n",
    LINE HOST "Content-Length: 0\r\n\r\n",
    LINE HOST "Content-Length: 00\r\n\r\n",
    LINE HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    LINE HOST "Transfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
};

START_TEST(odd_but_good)
{
    serve();
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, "%s%s", taken[i], NEXT);
        ck_assert_msg(client_receive(&c, &r), "closed: %s", taken[i]);
        ck_assert_msg(r.status == 200 && !strcmp(r.body, "hello\n"), "%d: %s", r.status, taken[i]);
        site_response_free(&r);
        ck_assert(client_receive(&c, &r));
        ck_assert_msg(r.status == 200 && !strcmp(r.body, "bye\n"), "after %s", taken[i]);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

START_TEST(very_many_fields)
{
    serve();
    size_t room = 40000, len = 0;
    char *text = malloc(room);
    len += (size_t)snprintf(text, room, LINE HOST);
    while (len < 31000)
        len += (size_t)snprintf(text + len, room - len, "a:b\r\n");
    len += (size_t)snprintf(text + len, room - len, "\r\n");
    int status = site_status_of_bytes(text, len);
    ck_assert_msg(status == 200 || status == 431 || (on_nginx() && status == 400), "%d", status);
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
    free(text);
}
END_TEST

/* Noise of every kind ends in an answer or an end, and never the server. */
START_TEST(noise)
{
    serve();
    unsigned seed = 99;
    for (int i = 0; i < 300; i++) {
        char bytes[400];
        size_t len = 1 + (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)rand_r(&seed);
        if (i % 2) {
            const char *base = refused[i % REFUSED_COUNT].text;
            size_t base_len = refused[i % REFUSED_COUNT].len;
            memcpy(bytes, base, base_len);
            bytes[(size_t)rand_r(&seed) % base_len] = (char)rand_r(&seed);
            len = base_len;
        }
        struct site_client c;
        client_open(&c, site_port(0));
        client_send(&c, bytes, len);
        client_close(&c);
    }
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
}
END_TEST

Suite *suite_parse(void)
{
    Suite *s = suite_create("parse");
    TCase *tc = site_case(s, "parse", 60);
    tcase_add_test(tc, refused_whole);
    tcase_add_loop_test(tc, refused_split, 0, 8);
    tcase_add_test(tc, refused_in_a_pipeline);
    tcase_add_test(tc, odd_but_good);
    tcase_add_test(tc, very_many_fields);
    tcase_add_test(tc, noise);
    return s;
}
