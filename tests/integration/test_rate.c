/* test_rate.c - limit_rate and limit_rate_after: the right bytes, not too fast, whatever they come
 * from, and without work in between. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 300000, RATE = 500000, PIECE = RATE / 4 };

static const char *const ways[] = {
    "io_method sendfile;",
    "io_method mmap;",
    "io_method buffered;",
    "io_method direct;",
    "io_method memory;",
    "io_method direct; output_buffers 4 64k;",
    "open_file_cache max=9; open_file_cache_content 512k;",
};
enum { WAYS = sizeof ways / sizeof *ways };

static void serve(const char *way, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text,
             "log_format rate '$request_uri $status $body_bytes_sent $limit_rate $request_completion';\n"
             "server { listen 127.0.0.1:@PORT@; access_log logs/rate rate; location = /pid { return 200 $pid; } "
             "location / { root @DISK@/data; %s } %s }",
             on_nginx() ? "" : way, more);
    site_conf_http(text);
    site_start();
}

/* No byte is ever ahead of the rate: each arrives when the time for it has come, give or take a
 * piece, and what the clock of a turn is behind. */
static void expect_paced(struct site_client *c, int64_t asked, off_t at, off_t len, off_t free)
{
    off_t got = 0;
    while (got < len) {
        if (c->len == 0)
            ck_assert(client_fill(c));
        off_t n = (off_t)c->len < len - got ? (off_t)c->len : len - got;
        client_expect_pattern(c, at + got, n);
        got += n;
        int64_t msec = now_msec() - asked + 20;
        off_t may = free + (on_nginx() ? RATE : PIECE) + msec * RATE / 1000;
        ck_assert_msg(got <= may, "%lld bytes after %lld ms, not %lld", (long long)got, (long long)msec,
                      (long long)may);
    }
}

static int64_t ask(struct site_client *c, const char *target, const char *fields, int status)
{
    struct site_response r;
    client_open(c, site_port(0));
    int64_t asked = now_msec();
    client_say(c, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, fields);
    ck_assert(client_head(c, &r));
    ck_assert_int_eq(r.status, status);
    site_response_free(&r);
    return asked;
}

START_TEST(every_source)
{
    char more[128];
    site_pattern(site_data("f"), SIZE);
    snprintf(more, sizeof more, "%s limit_rate %d;", ways[_i], RATE);
    serve(more, "");
    struct site_client c;
    int64_t asked = ask(&c, "/f", "", 200);
    expect_paced(&c, asked, 0, SIZE, 0);
    ck_assert_int_ge(now_msec() - asked, on_nginx() ? 0 : (SIZE - PIECE) * 1000LL / RATE - 20);
    client_close(&c);
    asked = ask(&c, "/f", "Range: bytes=1001-101000\r\n", 206);
    expect_paced(&c, asked, 1001, 100000, 0);
    client_close(&c);
}
END_TEST

START_TEST(after)
{
    char more[128];
    site_pattern(site_data("f"), SIZE);
    snprintf(more, sizeof more, "limit_rate %d; limit_rate_after 200000;", RATE);
    serve(ways[0], "");
    site_stop(SIGTERM);
    serve(more, "");
    struct site_client c;
    int64_t asked = ask(&c, "/f", "", 200);
    expect_paced(&c, asked, 0, SIZE, 200000);
    client_close(&c);
}
END_TEST

/* Texts and listings, which would otherwise leave behind their head; and requests one after the
 * other. */
START_TEST(short_answers)
{
    char text[4001];
    memset(text, 'x', 4000);
    text[4000] = '\0';
    char more[8192];
    snprintf(more, sizeof more, "location /t { limit_rate 2000; return 200 %s; }", text);
    char whole[9000];
    snprintf(whole, sizeof whole, "server { listen 127.0.0.1:@PORT@; %s }", more);
    site_conf_http(whole);
    site_start();
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    int64_t asked = now_msec();
    client_say(&c, "GET /t HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_uint_eq(r.len, 4000);
    ck_assert_int_ge(now_msec() - asked, 980);
    site_response_free(&r);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(variables)
{
    site_pattern(site_data("f"), SIZE);
    serve("limit_rate $arg_rate; limit_rate_after $arg_after;",
          "location /off/ { limit_rate 0; alias @DISK@/data/; }"
          "location /set/ { set $limit_rate $arg_by; if ($arg_if) { limit_rate 500000; } alias @DISK@/data/; }");
    struct site_client c;
    int64_t asked = ask(&c, "/f?rate=500000", "", 200);
    expect_paced(&c, asked, 0, SIZE, 0);
    client_close(&c);
    asked = ask(&c, "/f?rate=500000&after=200000", "", 200);
    expect_paced(&c, asked, 0, SIZE, 200000);
    client_close(&c);
    asked = ask(&c, "/set/f?by=500000", "", 200);
    expect_paced(&c, asked, 0, SIZE, 0);
    client_close(&c);
    asked = ask(&c, "/set/f?if=1", "", 200);
    expect_paced(&c, asked, 0, SIZE, 0);
    client_close(&c);
    struct site_response r;
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, SIZE);
    site_response_free(&r);
    site_get(&r, "/f?rate=quick");
    ck_assert_uint_eq(r.len, SIZE);
    site_response_free(&r);
    site_get(&r, "/off/f");
    ck_assert_uint_eq(r.len, SIZE);
    site_response_free(&r);
    free(log_await("logs/error.log", "invalid size \"quick\""));
    char *log = log_await_count("logs/rate", "\n", 7);
    ck_assert_ptr_nonnull(strstr(log, "/f?rate=500000 200 300000 500000 OK\n"));
    ck_assert_ptr_nonnull(strstr(log, "/f 200 300000 0 OK\n"));
    ck_assert_ptr_nonnull(strstr(log, "/off/f 200 300000 0 OK\n"));
    free(log);
}
END_TEST

START_TEST(several_ranges)
{
    char more[128];
    site_pattern(site_data("f"), SIZE);
    snprintf(more, sizeof more, "%s limit_rate %d;", ways[_i], RATE);
    serve(more, "");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    int64_t asked = now_msec();
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=0-99999,150000-249999\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 206);
    ck_assert_int_ge(now_msec() - asked, on_nginx() ? 0 : (200000 - PIECE) * 1000LL / RATE - 20);
    const char *part = strstr(r.body, "\r\n\r\n") + 4;
    assert_pattern(part, 100000, 0);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

static pid_t worker_pid(void)
{
    struct site_response r;
    site_get(&r, "/pid");
    pid_t pid = atoi(r.body);
    site_response_free(&r);
    return pid;
}

/* The worker's voluntary switches: each time it had nothing to do. */
static unsigned long wakes(pid_t pid)
{
    char *status = site_read(site_path("/proc/%d/status", (int)pid), &(size_t){0});
    unsigned long n = strtoul(strstr(status, "voluntary_ctxt_switches:") + 24, NULL, 10);
    free(status);
    return n;
}

/* Many at the same time, others beside them; and the worker sleeps meanwhile. */
START_TEST(many)
{
    enum { CLIENTS = 100 };
    site_pattern(site_data("f"), SIZE);
    site_pattern(site_data("g"), 1000);
    serve("limit_rate $arg_rate;", "");
    pid_t worker = worker_pid();
    struct site_client c[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        ask(&c[i], "/f?rate=500000", "", 200);
    unsigned long before = wakes(worker);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(site_status_of("/g"), 200);
    for (int i = 0; i < 10; i++)
        client_reset(&c[i]); /* in the middle of it */
    for (int i = 10; i < CLIENTS; i++) {
        client_expect_pattern(&c[i], 0, SIZE);
        client_close(&c[i]);
    }
    /* Each wakes it a few times for bytes, and as often because the client takes them. */
    ck_assert_uint_lt(wakes(worker) - before, CLIENTS * 30);
}
END_TEST

/* One whose rate is very low: it is still no reason to wake up. */
START_TEST(almost_stopped)
{
    site_pattern(site_data("f"), SIZE);
    serve("limit_rate 1;", "");
    pid_t worker = worker_pid();
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 1);
    unsigned long before = wakes(worker);
    client_expect_pattern(&c, 1, 1);
    ck_assert_uint_lt(wakes(worker) - before, 60);
    client_close(&c);
}
END_TEST

/* ---- send_min_rate ---- */

enum { LARGE = 8 << 20 };

/* Takes `bytes` every `msec`, until the end or until all is there; returns what came. */
static off_t take_slowly(struct site_client *c, size_t bytes, int msec, off_t most)
{
    char piece[65536];
    off_t got = 0;
    for (ssize_t n = 1; n > 0 && got < most; sleep_msec(msec)) {
        n = client_read(c, piece, bytes, true);
        got += n > 0 ? n : 0;
    }
    return got;
}

static void open_small(struct site_client *c, int rcvbuf)
{
    client_open_sized(c, site_port(0), rcvbuf);
    client_say(c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
}

START_TEST(too_slow)
{
    char more[256];
    site_pattern(site_data("f"), LARGE);
    snprintf(more, sizeof more, "%s send_min_rate 200k 1s;", ways[_i]);
    serve(more, "");
    struct site_client stuck, slow;
    open_small(&stuck, 8192);
    open_small(&slow, 8192);
    ck_assert_int_lt(take_slowly(&slow, 1000, 50, LARGE),
                     LARGE); /* 20 kB/s: it is send_timeout that would not end it */
    free(log_await_count("logs/error.log", site_text("which is less than send_min_rate, client: @PEER@"), 2));
    free(log_await_count("logs/rate", "/f 200 ", 2)); /* cut, and logged */
    client_close(&stuck);
    client_close(&slow);
}
END_TEST

START_TEST(fast_enough)
{
    char more[256];
    site_pattern(site_data("f"), LARGE);
    snprintf(more, sizeof more, "%s send_min_rate 100k 1s;", ways[_i]);
    serve(more, "");
    struct site_client c;
    open_small(&c, 65536);
    ck_assert_int_ge(take_slowly(&c, 60000, 10, LARGE),
                     LARGE); /* a few MB/s, and the server waits for it most of the time */
    client_close(&c);
}
END_TEST

/* Slowed down by the server, it is not too slow. */
START_TEST(limited_is_not_slow)
{
    site_pattern(site_data("f"), 200000);
    serve("limit_rate 50000; send_min_rate 1m 1s;", "");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 200000);
    client_close(&c);
}
END_TEST

START_TEST(wrong_rates)
{
    static const char *const wrong[] = {"x", "1k 0", "1k 10ms", "1k 1x", "4g"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct site_run run;
        site_conf_server(site_path("/send_min_rate %s;", wrong[i]) + 1);
        site_check(&run);
        ck_assert_int_eq(run.status, 1);
        ck_assert_ptr_nonnull(strstr(run.err, "invalid value in \"send_min_rate\" directive"));
    }
}
END_TEST

Suite *suite_rate(void)
{
    Suite *s = suite_create("rate");
    TCase *tc = site_case(s, "rate", 30);
    tcase_add_loop_test(tc, every_source, 0, WAYS);
    tcase_add_test(tc, after);
    tcase_add_test(tc, short_answers);
    tcase_add_test(tc, variables);
    tcase_add_loop_test(tc, several_ranges, 0, 4);
    tcase_add_test(tc, many);
    tcase_add_test(tc, almost_stopped);
    if (on_nginx())
        return s;
    tc = site_case(s, "min_rate", 30);
    tcase_add_loop_test(tc, too_slow, 0, 4);
    tcase_add_loop_test(tc, fast_enough, 0, 4);
    tcase_add_test(tc, limited_is_not_slow);
    tcase_add_test(tc, wrong_rates);
    return s;
}
