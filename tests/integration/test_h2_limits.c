/* test_h2_limits.c - HTTP/2 within limits of time, number and rate, and whose turn it is: directives that
 * HTTP/1 has, too, and the priorities of RFC 9218, told by the order of bytes. */
#include "h2_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HUGE = 100 << 20, ROOM = 0x7fff0000 };

static void pages(void)
{
    h2_pages();
    site_pattern_at("html/huge", HUGE - 1, 1);
    site_pattern("html/small", 1024);
}

/* ---- an end that is announced ---- */

/* GOAWAY without an error, and that connection ends. */
static void expect_goaway(struct h2_client *k, unsigned answered)
{
    h2_await_end(k);
    ck_assert_msg(k->h.goaways > 0 && k->h.goaway_code == 0, "%s", h2_told(k));
    for (size_t i = 0; i < answered; i++)
        ck_assert_msg(k->h.streams[i]->ended && k->h.streams[i]->status == 200, "%s", h2_told(k));
    ck_assert_uint_eq(k->h.goaway_last, answered * 2 - 1);
}

static const struct ending {
    const char *conf;
    unsigned requests;
} endings[] = {
    {"keepalive_requests 3;", 3},
    {"keepalive_time 1ms;", 1},
    {"keepalive_timeout 0;", 1},
    {"keepalive_timeout 1s;", 2},
};

START_TEST(ends)
{
    struct h2_client k;
    h2_serve(endings[_i].conf);
    h2_start(&k, site_port(0));
    sleep_msec(2);
    for (unsigned i = 0; i < endings[_i].requests; i++)
        h2_expect_get(&k, "/content", 200, "content");
    expect_goaway(&k, endings[_i].requests);
    h2_close(&k);
}
END_TEST

/* Nothing is asked for. */
START_TEST(asks_nothing)
{
    struct h2_client k;
    h2_serve("client_header_timeout 1s;");
    h2_start(&k, site_port(0));
    h2_await_end(&k);
    ck_assert_msg(k.h.goaways == 1 && k.h.goaway_code == 0, "%s", h2_told(&k));
    h2_close(&k);
    free(log_await("logs/error.log", "client timed out (110: Connection timed out) while waiting for request"));
}
END_TEST

/* ---- rates ---- */

/* A byte now and then keeps send_timeout away. */
START_TEST(takes_too_little)
{
    struct h2_client k;
    h2_serve("send_timeout 4s; send_min_rate 10k 1s;");
    h2_start(&k, site_port(0));
    h2_run(&k, "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=1; GET 1 /big; head 1");
    struct h2_stream *s = h2_stream(&k.h, 1);
    while (!s->reset && !s->ended) {
        h2_window_update(&k.h, 1, 1);
        h2_pump_within(&k, 0);
        sleep_msec(50); /* the rate */
    }
    ck_assert_msg(s->reset && !strcmp(h2_error_name(s->code), "CANCEL"), "%s", h2_told(&k));
    h2_run(&k, "SETTINGS 0 INITIAL_WINDOW_SIZE=1000");
    h2_expect_get(&k, "/content", 200, "content");
    h2_close(&k);
    free(log_await("logs/error.log", "which is less than send_min_rate"));
}
END_TEST

/* ---- trailers ---- */

START_TEST(many_trailers)
{
    char conf[4096];
    size_t len = 0;
    for (unsigned i = 0; i < 40; i++)
        len += (size_t)snprintf(conf + len, sizeof conf - len, "add_trailer X-T%u v%u;\n", i, i);
    struct h2_client k;
    h2_serve(conf);
    h2_start(&k, site_port(0));
    struct h2_stream *s = h2_await(&k, h2_get(&k, "/content", ""));
    ck_assert_msg(s && s->ended && s->status == 200 && s->trailers, "%s", h2_told(&k));
    ck_assert_str_eq(h2_field(s->trailers, "x-t0"), "v0");
    ck_assert_str_eq(h2_field(s->trailers, "x-t39"), "v39");
    h2_close(&k);
}
END_TEST

/* ---- whose turn it is: RFC 9218 ---- */

static void ignore(struct h2 *h, struct h2_stream *s, const char *bytes, size_t len)
{
    (void)h, (void)s, (void)bytes, (void)len;
}

static const struct turn {
    const char *huge, *small; /* fields */
    const char *then;         /* a script */
} turns[] = {
    {"priority: u=7\n", "priority: u=0\n", ""},
    {"priority: u=7, i\n", "priority: u=6\n", ""},
    {"", "", ""}, /* what is large shares */
    {"priority: u=3\n", "priority: u=3\n", "PRIORITY_UPDATE 0 =3 'u=0'"},
};

/* A response of 1 KiB is asked for when 1 MiB of the other one has come: it is there when no more of that has
 * come than buffers hold. */
START_TEST(overtakes)
{
    const struct turn *t = &turns[_i];
    struct h2_client k;
    struct site_client c;
    h2_serve("");
    client_open_sized(&c, site_port(0), 65536);
    h2_open_over(&k, &c);
    k.h.on_data = ignore;
    h2_begin(&k.h);
    h2_setting(&k.h, H2_INITIAL_WINDOW, 0x7fffffff);
    h2_window_update(&k.h, 0, ROOM);
    h2_request(&k.h, 1, true, "GET", "/huge", t->huge);
    while (k.h.received < 1 << 20)
        ck_assert(h2_pump(&k));
    uint64_t asked = k.h.received;
    h2_request(&k.h, 3, true, "GET", "/small", t->small);
    h2_run(&k, t->then);
    struct h2_stream *s = h2_await(&k, 3);
    ck_assert_msg(s && s->ended, "%s", h2_told(&k));
    uint64_t between = s->number - asked - 1024;
    printf("%s%s: %ju KiB before it\n", t->huge, t->small, (uintmax_t)between / 1024);
    ck_assert_uint_le(between, HUGE / 25);
    h2_close(&k);
}
END_TEST

/* Of two that are asked for at once, the more urgent one is over first, whatever their sizes. */
START_TEST(urgency_before_size)
{
    struct h2_client k;
    h2_serve("");
    h2_open(&k, site_port(0));
    k.h.on_data = ignore;
    h2_begin(&k.h);
    h2_setting(&k.h, H2_INITIAL_WINDOW, 0x7fffffff);
    h2_window_update(&k.h, 0, ROOM);
    h2_request(&k.h, 1, true, "GET", "/huge", "priority: u=0\nrange: bytes=0-16777215\n");
    h2_request(&k.h, 3, true, "GET", "/small", "priority: u=7\n");
    struct h2_stream *small = h2_await(&k, 3);
    ck_assert_msg(small && small->ended, "%s", h2_told(&k));
    uint64_t at = small->number;
    struct h2_stream *huge = h2_await(&k, 1);
    ck_assert_msg(huge && huge->ended, "%s", h2_told(&k));
    printf("the small one ends %jd KiB behind the large one\n", ((intmax_t)at - (intmax_t)huge->number) / 1024);
    ck_assert_uint_gt(at, huge->number);
    h2_close(&k);
}
END_TEST

/* ---- another way in ---- */

START_TEST(unix_socket)
{
    struct h2_client k;
    struct site_client c;
    site_conf_http("server { listen 127.0.0.1:@PORT@; listen unix:@DIR@/s; http2 on; root @DIR@/html; }");
    site_start();
    client_open_unix(&c, site_path("s"));
    h2_open_over(&k, &c);
    h2_begin(&k.h);
    h2_expect_get(&k, "/content", 200, "content");
    h2_close(&k);
    free(log_await("logs/access.log", "unix: - - "));
}
END_TEST

/* ---- what is counted ---- */

START_TEST(counts)
{
    struct h2_client k;
    h2_serve("http2_max_concurrent_streams 1; location = /status { status; } "
             "location = /json { status json; } location = /stub { stub_status; }");
    h2_start(&k, site_port(0));
    h2_run(&k, "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET 1 /content; head 1; GET 3 /content; await 3");
    ck_assert(site_metric("sluice_http2_streams") == 1);
    ck_assert(site_metric("sluice_http2_refused_streams_total") == 1);
    h2_run(&k, "RST_STREAM 1 =8; settle");
    ck_assert(site_metric("sluice_http2_streams") == 0);
    ck_assert(site_metric("sluice_http2_connections_total") == 1);
    ck_assert(site_metric("sluice_http2_requests_total") == 1);
    ck_assert(site_metric("sluice_http2_resets_total") == 1);
    ck_assert(site_metric("sluice_http2_calmed_connections_total") == 0);
    h2_run(&k, "SETTINGS 0 INITIAL_WINDOW_SIZE=65535; drain");
    struct h2_stream *json = h2_await(&k, h2_get(&k, "/json", ""));
    ck_assert_msg(json && strstr(json->body, "\"http2\":{\"connections\":1,\"requests\":2,\"streams\":1,\"resets\":1,"
                                             "\"refused\":1,\"calmed\":0}"),
                  "%s", h2_told(&k));
    struct h2_stream *stub = h2_await(&k, h2_get(&k, "/stub", "")); /* it counts as one that is being answered */
    ck_assert_msg(stub && strstr(stub->body, "Reading: 0 Writing: 1 Waiting: "), "%s", h2_told(&k));
    h2_close(&k);
}
END_TEST

Suite *suite_h2_limits(void)
{
    Suite *s = suite_create("h2_limits");
    if (!needs_plain("h2_limits", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case_with(s, "limits", 30, pages);
    tcase_add_loop_test(tc, ends, 0, sizeof endings / sizeof *endings);
    tcase_add_test(tc, asks_nothing);
    tcase_add_test(tc, takes_too_little);
    tcase_add_test(tc, many_trailers);
    tcase_add_loop_test(tc, overtakes, 0, sizeof turns / sizeof *turns);
    tcase_add_test(tc, urgency_before_size);
    tcase_add_test(tc, unix_socket);
    tcase_add_test(tc, counts);
    return s;
}
