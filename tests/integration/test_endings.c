/* test_endings.c - endings a client can trust: a response that is the last one says so, what says
 * nothing of the kind is not the last, and no answer is cut by a reset while its client still has
 * to read it, whatever that sends meanwhile. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

enum { QUEUED = 40000, LIMIT = 2000 }; /* bytes that the kernel takes at once; client_max_body_size */

static void serve(const char *more)
{
    char text[4096];
    site_write("html/a.txt", "hello\n");
    site_pattern("html/f", QUEUED);
    site_write("html/gone.html", "gone\n");
    site_write("html/dir/index.html", "dir\n");
    snprintf(text, sizeof text,
             "client_max_body_size 2000; large_client_header_buffers 2 2k; client_header_timeout 1s;\n"
             "location /paged/ { alias @DIR@/html/; error_page 403 404 405 412 413 416 /gone.html; }\n"
             "location /moved { return 301 /a.txt; } location /nothing { return 204; }\n"
             "location /bad { return 400; } location /broken { return 500; } location /busy { return 503; }\n"
             "location /secret { internal; } location /silent { return 444; }\n%s",
             more);
    site_serve(text);
}

/* ---- Connection: close ---- */

/* Answered for good, or the next request is served: as the response says. */
static void expect_as_said(struct site_client *c, const struct site_response *r, const char *what)
{
    const char *said = site_header(r, "Connection");
    struct site_response next;
    ck_assert_msg(said && site_header_count(r, "Connection") == 1, "%s: nothing said in\n%s", what, r->head);
    if (!strcmp(said, "close")) {
        ck_assert_msg(client_ends(c), "%s: says close, and stays or says more", what);
        ck_assert_msg(c->error == 0, "%s: %s", what, strerror(c->error));
        return;
    }
    ck_assert_str_eq(said, "keep-alive");
    client_say(c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert_msg(client_receive(c, &next), "%s: says keep-alive, and closes", what);
    ck_assert_int_eq(next.status, 200);
    ck_assert_str_eq(next.body, "hello\n");
    assert_header(&next, "Connection", "close");
    site_response_free(&next);
    ck_assert(client_ends(c));
}

#define LONG_256                                                                                                       \
    "/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                 \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc"
#define LONG_2K LONG_256 LONG_256 LONG_256 LONG_256 LONG_256 LONG_256 LONG_256 LONG_256

static const struct row {
    int status;
    const char *bytes;
} rows[] = {
    {200, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"},
    {200, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {200, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345"},
    {200, "GET /a.txt HTTP/1.0\r\n\r\n"},
    {200, "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
    {204, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"},
    {206, "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\n\r\n"},
    {206, "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0,2-2\r\n\r\n"},
    {301, "GET /moved HTTP/1.1\r\nHost: a\r\n\r\n"},
    {301, "GET /dir HTTP/1.1\r\nHost: a\r\n\r\n"},
    {304, "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n"},
    {400, "GET /a.txt HTTP/1.1\r\n\r\n"},
    {400, "GET /a.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {400, "nonsense\r\n\r\n"},
    {400, "GET /a.txt HTTP/1.1\r\nHost: a\r\nbad header: x\r\n\r\n"},
    {400, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {400, "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n\r\n"},
    {400, "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {404, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"},
    {404, "GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"},
    {404, "GET /paged/none HTTP/1.1\r\nHost: a\r\n\r\n"},
    {404, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET "},
    {405, "POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
    {405, "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n"},
    {405, "POST /paged/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET"},
    {408, "GET /a.txt HTTP/1.1\r\nHost: a\r\n"},
    {412, "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n"},
    {412, "GET /paged/a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n"},
    {413, "POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n"},
    {413, "POST /paged/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n"},
    {413, "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" LONG_2K},
    {414, "GET " LONG_2K LONG_256 " HTTP/1.1\r\nHost: a\r\n\r\n"},
    {416, "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=6-\r\n\r\n"},
    {416, "GET /paged/a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=6-\r\n\r\n"},
    {431, "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: " LONG_2K LONG_256 "\r\n\r\n"},
    {500, "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n"},
    {501, "GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"},
    {503, "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n"},
    {505, "GET /a.txt HTTP/2.0\r\nHost: a\r\n\r\n"},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(the_last_response_says_so)
{
    serve("");
    for (size_t i = 0; i < ROWS; i++) {
        struct site_client c;
        struct site_response r;
        char what[64];
        snprintf(what, sizeof what, "row %zu: %.40s", i, rows[i].bytes);
        client_open(&c, site_port(0));
        client_say(&c, "%s", rows[i].bytes);
        ck_assert_msg(client_receive(&c, &r), "%s: closed", what);
        /* What could not be understood is 400, where a server knows no better word for it. */
        ck_assert_msg(r.status == rows[i].status || (rows[i].status > 500 && r.status == 400), "%s: %d", what,
                      r.status);
        if (r.status == 416)
            assert_header(&r, "Content-Range", "bytes */6");
        expect_as_said(&c, &r, what);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

static const char *const last_by[] = {"keepalive_requests 3;", "keepalive_timeout 0;", "keepalive_time 0;",
                                      "location /f { keepalive_timeout 0; }"};

START_TEST(limits_are_said)
{
    serve(last_by[_i]);
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0;; i++) {
        client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        bool last = !strcmp(site_header(&r, "Connection"), "close");
        site_response_free(&r);
        ck_assert_int_eq(last, i == (_i == 0 ? 2 : 0));
        if (last)
            break;
    }
    ck_assert(client_ends(&c));
    ck_assert_int_eq(c.error, 0);
    client_close(&c);
}
END_TEST

/* ---- no reset ---- */

/* The answer has gone to the kernel, the client has not read it and sends on. */
static void expect_all_of_it(struct site_client *c)
{
    struct site_response r;
    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, QUEUED);
    assert_pattern(r.body, r.len, 0);
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
    ck_assert_msg(client_ends(c), "more than one answer");
    ck_assert_msg(c->error == 0, "%s", strerror(c->error));
}

START_TEST(the_next_request_crosses_the_end)
{
    serve(last_by[_i]);
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    unsigned before = _i == 0 ? 2 : 0;
    for (unsigned i = 0; i < before; i++) {
        struct site_response r;
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c, &r));
        site_response_free(&r);
    }
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    free(log_await("logs/access.log", "\"GET /f HTTP/1.1\" 200 40000 "));
    for (int i = 0; i < 5; i++) {
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        sleep_msec(2); /* each has its chance to meet a socket that is closed */
    }
    expect_all_of_it(&c);
    client_close(&c);
}
END_TEST

/* Bodies that are refused: all of it is sent before anything is read. */
static const char *const refused[] = {
    "POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n",
    "POST /paged/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n",
    "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n",
    "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: what\r\n\r\n",
    "POST /a.txt HTTP/1.1\r\nhost: a\r\nhost: b\r\nContent-Length: 8388608\r\n\r\n",
    "GET " LONG_2K LONG_256 " HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: " LONG_2K LONG_256 "\r\n\r\n",
    "no request\r\n\r\n",
    "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
    "POST /broken HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n",
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(large_body_before_the_answer)
{
    static char block[65536];
    serve("");
    memset(block, 'x', sizeof block);
    for (size_t i = 0; i < REFUSED; i++) {
        struct site_client c;
        struct site_response r;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "%s", refused[i]);
        size_t sent = 0;
        while (sent < 8 * (size_t)MIB)
            ck_assert_msg(client_send(&c, block, sizeof block) == sizeof block, "row %zu: cut after %zu bytes", i,
                          sent),
                sent += sizeof block;
        ck_assert_msg(client_receive(&c, &r), "row %zu: no answer", i);
        ck_assert_int_ge(r.status, 400);
        assert_header(&r, "Connection", "close");
        site_response_free(&r);
        ck_assert(client_ends(&c));
        ck_assert_msg(c.error == 0, "row %zu: %s", i, strerror(c.error));
        client_close(&c);
    }
}
END_TEST

/* 444 ends the connection without an answer, but not without those to earlier requests. */
START_TEST(silence_after_an_answer)
{
    static const char ask[] = "GET /f HTTP/1.1\r\nHost: a\r\n\r\n",
                      silent[] = "GET /silent HTTP/1.1\r\nHost: a\r\n\r\n";
    serve("");
    for (int together = 0; together < 2; together++) {
        struct site_client c;
        struct site_response r;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "%s%s", ask, together ? silent : "");
        if (!together) {
            free(log_await("logs/access.log", "\"GET /f HTTP/1.1\" 200 40000 "));
            client_say(&c, "%s", silent);
        }
        for (int i = 0; i < 5; i++) {
            client_say(&c, "%s", ask);
            sleep_msec(2);
        }
        ck_assert(client_receive(&c, &r));
        assert_pattern(r.body, r.len, 0);
        ck_assert_uint_eq(r.len, QUEUED);
        site_response_free(&r);
        ck_assert(client_ends(&c));
        ck_assert_msg(c.error == 0, "%s", strerror(c.error));
        client_close(&c);
    }
    free(log_await_count("logs/access.log", "\"GET /silent HTTP/1.1\" 444 0 ", 2));
}
END_TEST

/* ---- clients that go ---- */

/* What the client has sent when it goes, and whether it waits for an answer first. */
static const struct stage {
    const char *bytes;
    bool waits;
} stages[] = {
    {"", false},
    {"G", false},
    {"GET /big HTTP/1.1\r\nHost: a\r\n", false},
    {"GET /big HTTP/1.1\r\nHost: a\r\n\r\n", false},
    {"GET /big HTTP/1.1\r\nHost: a\r\n\r\n", true},
    {"GET /direct/big HTTP/1.1\r\nHost: a\r\n\r\n", false},
    {"GET /direct/big HTTP/1.1\r\nHost: a\r\n\r\n", true},
    {"GET /mmap/big HTTP/1.1\r\nHost: a\r\n\r\n", true},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", true},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /b", true},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /big HTTP/1.1\r\nHost: a\r\n\r\n",
     true},
    {"GET /list/ HTTP/1.1\r\nHost: a\r\n\r\n", false},
    {"POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc", false},
    {"POST /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", true},
    {"POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false},
    {"POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nabc", true}, /* lingers */
    {"nonsense\r\n\r\n", true},
};
enum { STAGES = sizeof stages / sizeof *stages, GOODBYES = 3, TIMES = 4 };

static void come_and_go(const struct stage *s, int goodbye)
{
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "%s", s->bytes);
    if (s->waits)
        ck_assert(client_fill(&c));
    if (goodbye == 0)
        client_reset(&c);
    else if (goodbye == 1)
        client_end_sending(&c); /* as much as is sent is taken for granted, then it goes */
    client_close(&c);
}

START_TEST(clients_go_at_every_stage)
{
    site_pattern(site_data("big"), 12 * MIB);
    site_mkdir("html/list");
    serve("location /list/ { autoindex on; } location = /big { root @DISK@/data; }\n"
          "location /direct/ { alias @DISK@/data/; io_method direct; }\n"
          "location /mmap/ { alias @DISK@/data/; io_method mmap; }\n");
    pid_t pid = site_worker();
    unsigned before = 0;
    for (int round = 0; round < TIMES; round++) {
        for (int i = 0; i < STAGES * GOODBYES; i++)
            come_and_go(&stages[i / GOODBYES], i % GOODBYES);
        ck_assert_int_eq(site_status_of("/a.txt"), 200);
        if (round == 0) { /* pools and readers have opened what they keep */
            int64_t settled = now_msec() + scaled(8000);
            for (unsigned is = descriptors(pid); is != before && now_msec() < settled; is = descriptors(pid)) {
                before = is;
                sleep_msec(100);
            }
        }
    }
    for (int64_t deadline = now_msec() + scaled(8000); descriptors(pid) > before; sleep_msec(10))
        ck_assert_msg(now_msec() < deadline, "%u descriptors, before %u", descriptors(pid), before);
}
END_TEST

Suite *suite_endings(void)
{
    Suite *s = suite_create("endings");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "endings", 60);
    tcase_add_test(t, the_last_response_says_so);
    tcase_add_loop_test(t, limits_are_said, 0, 4);
    tcase_add_loop_test(t, the_next_request_crosses_the_end, 0, 4);
    tcase_add_test(t, large_body_before_the_answer);
    tcase_add_test(t, silence_after_an_answer);
    tcase_add_test(t, clients_go_at_every_stage);
    return s;
}
