/* test_h2_flow.c - RFC 9113, sections 5.2 and 6.9: windows of every size, used to the last byte and
 * never past it (h2_peer.c holds each frame against both); what a client sends is given back whatever
 * becomes of its stream. */
#include "h2_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW(n) "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=" #n ";"

static const struct h2_row rows[] = {
    {"6.9.1", "the window of the start", "stall; GET 1 /big", "1: open 65535"},
    {"6.9.1", "a window of 7", WINDOW(7) "GET 1 /big", "1: open 7"},
    {"6.9.1", "a window of 7, and then 3", WINDOW(7) "GET 1 /big; settle; WINDOW_UPDATE 1 =3", "1: open 10"},
    {"6.9.1", "byte by byte",
     WINDOW(0) "GET 1 /big; settle; WINDOW_UPDATE 1 =1; settle; WINDOW_UPDATE 1 =1; settle; WINDOW_UPDATE 1 =1",
     "1: open 3"},
    {"6.9.1", "a window of 1,000", WINDOW(1000) "GET 1 /big", "1: open 1000"},
    {"6.9.1", "a window of 0", WINDOW(0) "GET 1 /big", "1: open 0"},
    {"6.9.1", "a body as long as the window", WINDOW(7) "GET 1 /content", "1: 200 'content'"},
    {"6.9.1", "a body one byte longer", WINDOW(6) "GET 1 /content", "1: open 6"},
    {"6.9.1", "a head alone takes no window", WINDOW(0) "HEAD 1 /content; GET 3 /content {if-none-match: *}",
     "1: 200; 3: 304"},
    {"6.9.1", "an empty body takes no window", WINDOW(0) "GET 1 /empty", "1: 200 0 bytes"},
    {"6.9.1", "an error page takes window as anything does", WINDOW(5) "GET 1 /missing", "1: open 5"},
    {"6.9.1", "a range", WINDOW(5) "GET 1 /big {range: bytes=100-199}", "1: open 5"},
    {"6.9.1", "two streams share the connection's window", "stall; GET 1 /big; head 1; settle; GET 3 /content",
     "1: open 65535; 3: open 0"},
    {"6.9.1", "the connection's window opens",
     "stall; GET 1 /big; settle; GET 3 /content; WINDOW_UPDATE 1 =10; WINDOW_UPDATE 0 =17",
     "1: open 65545; 3: 200 'content'"},
    {"6.9.1", "the connection's window is less than a stream's", WINDOW(100000) "GET 1 /big", "1: open 65535"},
    {"6.9.1", "room for the stream alone", "stall; GET 1 /big; settle; WINDOW_UPDATE 1 =1000", "1: open 65535"},
    {"6.9.1", "room for the connection alone", "stall; GET 1 /big; settle; WINDOW_UPDATE 0 =1000", "1: open 65535"},
    {"6.9.1", "the connection's window, byte by byte, for two",
     "stall; GET 1 /big; settle; WINDOW_UPDATE 1 =5; GET 3 /content; WINDOW_UPDATE 0 =1; settle; WINDOW_UPDATE 0 =1; "
     "settle; WINDOW_UPDATE 0 =10",
     "1: open 65540; 3: 200 'content'"},
    {"6.9.1", "everything, in the end", WINDOW(7) "GET 1 /big; settle; drain", "1: 200 1048576 bytes"},
    {"6.9.1", "a stream that is stalled leaves the others alone",
     WINDOW(0) "GET 1 /big; head 1; GET 3 /content; WINDOW_UPDATE 3 =7", "1: open 0; 3: 200 'content'"},

    {"6.9.2", "SETTINGS open the windows of streams that are there",
     WINDOW(0) "GET 1 /big; head 1; SETTINGS 0 INITIAL_WINDOW_SIZE=9", "1: open 9"},
    {"6.9.2", "SETTINGS leave the connection's window alone",
     "stall; GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=100000", "1: open 65535"},
    {"6.9.2", "a negative window",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=0; settle; WINDOW_UPDATE 1 =1000",
     "1: open 1000"},
    {"6.9.2", "a negative window, opened by a byte",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=0; settle; WINDOW_UPDATE 1 =1001",
     "1: open 1001"},
    {"6.9.2", "a negative window, opened in two steps",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=10; settle; WINDOW_UPDATE 1 =500; settle; "
                  "WINDOW_UPDATE 1 =500",
     "1: open 1010"},
    {"6.9.2", "a negative window, opened by SETTINGS",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=0; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=1003",
     "1: open 1003"},
    {"6.9.2", "a negative window, and the rest",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=0; settle; drain", "1: 200 1048576 bytes"},
    {"6.9.2", "a new stream beside one of a negative window",
     WINDOW(1000) "GET 1 /big; settle; SETTINGS 0 INITIAL_WINDOW_SIZE=7; settle; GET 3 /content",
     "1: open 1000; 3: 200 'content'"},

    {"6.9.1", "a stream's window past 2^31-1",
     WINDOW(0) "GET 1 /big; head 1; WINDOW_UPDATE 1 =0x7fffffff; WINDOW_UPDATE 1 =0x7fffffff",
     "1: RST FLOW_CONTROL_ERROR or GOAWAY FLOW_CONTROL_ERROR"},
    {"6.9.1", "a stream's window at 2^31-1", WINDOW(0) "GET 1 /content; head 1; WINDOW_UPDATE 1 =0x7fffffff",
     "1: 200 'content'"},
    {"6.9.1", "the connection's window past 2^31-1", "WINDOW_UPDATE 0 =0x7fff0001", "GOAWAY FLOW_CONTROL_ERROR"},
    {"6.9.1", "the connection's window at 2^31-1", "WINDOW_UPDATE 0 =0x7fff0000", "goes on"},
    {"6.9.1", "the connection's window past 2^31-1 in two steps",
     "WINDOW_UPDATE 0 =0x70000000; WINDOW_UPDATE 0 =0x70000000", "GOAWAY FLOW_CONTROL_ERROR"},
    {"6.9.2", "a stream's window past 2^31-1 by SETTINGS",
     WINDOW(0) "GET 1 /big; head 1; WINDOW_UPDATE 1 =0x7ffffff0; SETTINGS 0 INITIAL_WINDOW_SIZE=0x7fffffff",
     "GOAWAY FLOW_CONTROL_ERROR or 1: RST FLOW_CONTROL_ERROR"}, /* the second is what libnghttp2 does */
};

static void pages(void)
{
    h2_pages();
    site_write("html/empty", "");
}

START_TEST(windows)
{
    h2_serve("");
    h2_try(&rows[_i], false);
}
END_TEST

/* The bytes themselves, through windows of odd sizes. */
START_TEST(bytes_through_odd_windows)
{
    static const uint32_t sizes[] = {1, 7, 1000, 16383, 16385, 65536};
    struct h2_client k;
    h2_serve("");
    h2_start(&k, site_port(0));
    k.h.gives_back = false;
    h2_window_update(&k.h, 0, 1 << 30);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t len = sizes[i] < 1000 ? sizes[i] * 50 : H2_BIG / 2;
        char range[64];
        h2_setting(&k.h, H2_INITIAL_WINDOW, sizes[i]);
        snprintf(range, sizeof range, "range: bytes=%u-%zu\n", i, i + len - 1);
        uint32_t stream = h2_get(&k, "/big", range);
        struct h2_stream *s = h2_await_head(&k, stream);
        for (size_t had = 0; s && !s->ended && !s->reset; had = s->len) {
            while (s->len == had && !s->ended && h2_pump(&k))
                ;
            if (!s->ended)
                h2_window_update(&k.h, stream, (uint32_t)(s->len - had));
        }
        ck_assert(s && s->ended);
        ck_assert_uint_eq(s->len, len);
        assert_pattern(s->body, s->len, i);
    }
    h2_close(&k);
}
END_TEST

/* ---- what a client sends ---- */

static void post(struct h2_client *k, uint32_t stream, const char *path, const char *fields)
{
    h2_request(&k->h, stream, false, "POST", path, fields);
    k->highest = stream;
}

/* DATA of 1,000 bytes, padded by 200, as the windows permit; until `len` went, or the stream is closed.
 * How much went. */
static size_t upload(struct h2_client *k, uint32_t stream, size_t len)
{
    char payload[1201] = {(char)200};
    struct h2_stream *s = h2_stream(&k->h, stream);
    size_t sent = 0;
    while (sent < len && !s->ended && !s->reset) {
        if (k->h.room < (int64_t)sizeof payload || s->room < (int64_t)sizeof payload) {
            ck_assert_msg(h2_pump(k), "the connection ends after %zu bytes", sent);
            continue;
        }
        sent += 1000;
        h2_frame(&k->h, H2_DATA, H2_PADDED | (sent >= len ? H2_END_STREAM : 0), stream, payload, sizeof payload);
        h2_flush(k);
    }
    return sent;
}

/* Streams whose windows have closed in the middle hold nothing of their files. */
START_TEST(stalled_streams_hold_no_buffers)
{
    enum { STREAMS = 50, SOME = 1000 };
    struct h2_client k;
    uint32_t streams[STREAMS];
    h2_serve("location = /status { status; }");
    h2_start(&k, site_port(0));
    k.h.gives_back = false;
    h2_setting(&k.h, H2_INITIAL_WINDOW, SOME);
    for (unsigned i = 0; i < STREAMS; i++)
        streams[i] = h2_get(&k, "/big", "");
    for (unsigned i = 0; i < STREAMS; i++)
        while (h2_stream(&k.h, streams[i])->len < SOME)
            ck_assert_msg(h2_pump(&k), "%u: %s", i, h2_told(&k));
    ck_assert(site_metric("sluice_direct_buffers_bytes") == 0);
    h2_close(&k);
}
END_TEST

/* A body far longer than all windows, its padding counted, is taken to its end or refused; then
 * nothing is missing from the connection's window. */
START_TEST(a_body_beyond_the_windows)
{
    static const char *const fields[] = {"", "content-length: 900000\n", "expect: 100-continue\n"};
    struct h2_client k;
    h2_serve("client_max_body_size 10m;");
    h2_start(&k, site_port(0));
    h2_settle(&k);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t stream = i * 2 + 1;
        int64_t before = k.h.room;
        post(&k, stream, "/content", fields[i]);
        size_t sent = upload(&k, stream, 900000);
        struct h2_stream *s = h2_await(&k, stream);
        ck_assert_msg(s && s->status == 405, "%zu bytes went; %s", sent, h2_told(&k));
        h2_settle(&k);
        ck_assert_int_ge(k.h.room * 2, before); /* given back in steps */
    }
    h2_expect_get(&k, "/content", 200, "content");
    h2_close(&k);
}
END_TEST

/* Streams that the server refuses, or that the client resets, while DATA is under way: 20 times what
 * the connection's window holds. */
START_TEST(given_back_after_a_reset)
{
    struct h2_client k;
    char payload[16384] = "x";
    h2_serve("");
    h2_start(&k, site_port(0));
    h2_settle(&k);
    for (unsigned i = 0; i < 80; i++) {
        uint32_t stream = i * 2 + 1;
        bool ours = i % 2;
        post(&k, stream, "/content", ours ? "" : "content-length: 1\n");
        struct h2_stream *s = h2_stream(&k.h, stream);
        for (unsigned n = 0; n < 3; n++) { /* the first one is already too long, the others are late */
            while (k.h.room < (int64_t)sizeof payload)
                ck_assert_msg(h2_pump(&k), "%u: %s", i, h2_told(&k));
            if (s->room >= (int64_t)sizeof payload)
                h2_frame(&k.h, H2_DATA, 0, stream, payload, sizeof payload);
            h2_flush(&k);
        }
        if (ours)
            h2_reset(&k.h, stream, 8);
        h2_settle(&k);
        ck_assert_msg(k.h.goaways == 0, "%u: %s", i, h2_told(&k));
    }
    h2_expect_get(&k, "/content", 200, "content");
    h2_close(&k);
}
END_TEST

/* More than the server permitted. */
START_TEST(past_the_servers_window)
{
    struct h2_client k;
    char payload[16384] = "x";
    h2_serve("client_max_body_size 100m;");
    h2_start(&k, site_port(0));
    h2_settle(&k);
    ck_assert_int_gt(k.h.room, 0);
    h2_setting(&k.h, H2_INITIAL_WINDOW, 0); /* no answer, and no room either */
    k.h.gives_back = false;
    post(&k, 1, "/content", "");
    struct h2_stream *s = h2_stream(&k.h, 1);
    int64_t most = (s->room > k.h.room ? s->room : k.h.room) * 8;
    for (int64_t sent = 0; sent < most && !s->reset && !k.ended; sent += (int64_t)sizeof payload) {
        for (unsigned n = 0; n < 64; n++) /* in one go, so that nothing is given back between */
            h2_frame(&k.h, H2_DATA, 0, 1, payload, sizeof payload);
        h2_pump_within(&k, 0);
    }
    while (!s->reset && h2_pump(&k))
        ;
    ck_assert_msg((s->reset && s->code == 3) || (k.h.goaways && k.h.goaway_code == 3), "%s", h2_told(&k));
    h2_close(&k);
}
END_TEST

Suite *suite_h2_flow(void)
{
    Suite *s = suite_create("h2_flow");
    if (!needs_plain("h2_flow", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case_with(s, "windows", 20, pages);
    tcase_add_loop_test(tc, windows, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, bytes_through_odd_windows);
    tcase_add_test(tc, stalled_streams_hold_no_buffers);
    tcase_add_test(tc, a_body_beyond_the_windows);
    tcase_add_test(tc, given_back_after_a_reset);
    tcase_add_test(tc, past_the_servers_window);
    return s;
}
