/* test_h2_attack.c - clients of HTTP/2 that mean harm: streams begun to be reset, frames that move
 * nothing, compressed heads that grow, windows that stay shut, frames without an end. Another client
 * is served all the while, memory is bounded and comes back, and the answer is GOAWAY with one line in
 * the log. A player that seeks is no such client. RFC 9113, section 10.5.
 *
 * ATTACK: the size in percent of those that come with many connections. */
#include "h2_client.h"
#include "siege.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WAVE_MORE = 512,        /* KiB that the same once more may cost: what is measured comes and goes by pages */
    CONNECTION_MOST = 4096, /* KiB that one connection may cost, whatever it does */
    FILES_MOST = 1000       /* descriptors of the worker */
};

static void serve(const char *more)
{
    char server[2048];
    site_pattern("html/big", H2_BIG);
    snprintf(
        server, sizeof server,
        "http2 on; keepalive_requests 100000; location = /status { status; } location = /silent { return 444; } %s",
        more);
    siege_serve("worker_rlimit_nofile 1000; events { worker_connections 400; }", "", server);
}

/* Lines that say what was wrong with a connection. */
static unsigned complaints(void)
{
    char *log = site_read("logs/http.log", &(size_t){0});
    unsigned n = log ? count_text(log, "client sent invalid HTTP/2: ") : 0;
    free(log);
    return n;
}

static void expect_calmed(unsigned count)
{
    ck_assert_uint_eq((unsigned)site_metric("sluice_http2_calmed_connections_total"), count);
}

/* ---- a connection that does one thing again and again ---- */

struct flood {
    const char *what, *begin; /* a script, NULL: none */
    const char *step;         /* a script, @ is the number of a stream of its own */
    unsigned most;            /* steps before it must have ended */
    const char *code;
};

#define STALL   "stall; SETTINGS 0 INITIAL_WINDOW_SIZE=0;"
#define STALLED STALL "GET 1 /big; head 1;"
#define CALM    "ENHANCE_YOUR_CALM"

enum { FEW = 6000, MANY = 40000 }; /* the budget fills up meanwhile, in slow builds by more */

static const struct flood floods[] = {
    /* CVE-2023-44487 */
    {"rapid reset", NULL, "GET @ /big; RST_STREAM @ =8", FEW, CALM},
    {"rapid reset of requests with a body", NULL, "POST @ /a; RST_STREAM @ =8", FEW, CALM},
    {"rapid reset in the middle of a body", NULL, "POST @ /a; DATA @ 1000*61; RST_STREAM @ =8", FEW, CALM},
    {"rapid reset of stalled streams", STALL, "GET @ /big; settle; RST_STREAM @ =8", FEW, CALM},
    /* CVE-2025-8671: what makes the server reset them */
    {"windows that overflow", STALL, "GET @ /big; WINDOW_UPDATE @ =0x7fffffff; WINDOW_UPDATE @ =0x7fffffff", FEW, CALM},
    {"windows that overflow by SETTINGS", STALL "WINDOW_UPDATE 0 =10",
     "SETTINGS 0 INITIAL_WINDOW_SIZE=0; GET @ /big; WINDOW_UPDATE @ =1000; SETTINGS 0 INITIAL_WINDOW_SIZE=0x7fffffff",
     FEW, CALM "|FLOW_CONTROL_ERROR"},
    {"windows opened by 0", STALL, "GET @ /big; WINDOW_UPDATE @ =0", FEW, CALM "|PROTOCOL_ERROR"},
    {"DATA of half-closed streams", STALL, "GET @ /big; DATA @ 'x'", FEW, CALM "|STREAM_CLOSED"},
    {"HEADERS of half-closed streams", STALL, "GET @ /big; HEADERS @ END_STREAM END_HEADERS {a: b}", FEW,
     CALM "|STREAM_CLOSED"},
    {"PRIORITY of a wrong length", STALL, "GET @ /big; PRIORITY @ 00000000", FEW, CALM "|FRAME_SIZE_ERROR"},
    {"streams that depend on themselves", STALL, "HEADERS @ PRIORITIZED END_STREAM END_HEADERS =@ 10 82 86 84 41 01 61",
     FEW, CALM "|PROTOCOL_ERROR"},
    {"bodies that are too long", NULL, "POST @ /a {content-length: 1}; DATA @ 'xx'", FEW, CALM},
    {"malformed fields", NULL, "GET @ /a {Upper: x}", FEW, CALM},
    {"fields without a name", NULL, "HEADERS @ END_STREAM END_HEADERS 82 86 84 41 01 61 00 00 01 61", FEW, CALM},
    {"trailers that end nothing", NULL, "POST @ /a; HEADERS @ END_HEADERS {a: b}", FEW, CALM},
    {"requests that are not answered", NULL, "GET @ /silent", FEW, CALM},
    {"streams that are refused", STALL "STREAMS", "GET @ /big", FEW, CALM},
    {"streams that are refused and reset", STALL "STREAMS", "GET @ /big; RST_STREAM @ =8", FEW, CALM},
    /* CVE-2019-9512, 9515, 9518, 9513, 9511 and their kin */
    {"PING", NULL, "PING 0 'flooding'", MANY, CALM},
    {"PING that answers nothing", NULL, "PING 0 ACK 'flooding'", MANY, CALM},
    {"SETTINGS", NULL, "SETTINGS 0", MANY, CALM},
    {"SETTINGS with values", NULL, "SETTINGS 0 HEADER_TABLE_SIZE=0 HEADER_TABLE_SIZE=4096 UNKNOWN=1", MANY, CALM},
    {"SETTINGS that move windows", STALLED, "SETTINGS 0 INITIAL_WINDOW_SIZE=0", MANY, CALM},
    {"SETTINGS that answer nothing", NULL, "SETTINGS 0 ACK", MANY, CALM "|PROTOCOL_ERROR"},
    {"empty DATA", "POST 1 /a", "DATA 1", MANY, CALM},
    {"DATA of padding alone", "POST 1 /a", "DATA 1 PADDED 04 00000000", MANY, CALM},
    {"DATA by the byte", "POST 1 /a", "DATA 1 'x'", MANY, CALM},
    {"DATA by the byte, padded", "POST 1 /a", "DATA 1 PADDED 02 61 0000", MANY, CALM},
    {"PRIORITY", NULL, "PRIORITY 1 =0 10", MANY, CALM},
    {"PRIORITY of many streams", NULL, "PRIORITY @ =0 10", MANY, CALM},
    {"PRIORITY_UPDATE", STALLED, "PRIORITY_UPDATE 0 =1 'u=1'", MANY, CALM},
    {"PRIORITY_UPDATE of many streams", NULL, "PRIORITY_UPDATE 0 =@ 'u=1'", MANY, CALM "|PROTOCOL_ERROR"},
    {"WINDOW_UPDATE of the connection", NULL, "WINDOW_UPDATE 0 =1", MANY, CALM},
    {"WINDOW_UPDATE of a stream", STALL "POST 1 /a", "WINDOW_UPDATE 1 =1", MANY, CALM},
    {"WINDOW_UPDATE of a closed stream", "GET 1 /a; await 1", "WINDOW_UPDATE 1 =1", MANY, CALM},
    {"windows of a byte", STALLED "WINDOW_UPDATE 0 =1000000", "WINDOW_UPDATE 1 =1", MANY, CALM},
    {"RST_STREAM of a closed stream", "GET 1 /a; await 1", "RST_STREAM 1 =8", MANY, CALM},
    {"unknown frames", NULL, "0x40 0 'what?'", MANY, CALM},
    {"GOAWAY", STALLED, "GOAWAY 0 =0 =0", MANY, CALM},
    {"DATA of a closed stream", "GET 1 /a; await 1", "DATA 1 'x'", MANY, CALM "|STREAM_CLOSED"},
    {"HEADERS of a closed stream", "GET 1 /a; await 1", "HEADERS 1 END_STREAM END_HEADERS 82 86 84 41 01 61", MANY,
     CALM "|STREAM_CLOSED"},
    {"numbers of streams that were left out", "GET 90001 /a; await 90001",
     "HEADERS @ END_STREAM END_HEADERS 82 86 84 41 01 61", MANY, CALM "|PROTOCOL_ERROR"},
    /* CVE-2024-28182 */
    {"empty CONTINUATION", "HEADERS 1 {a: b}", "CONTINUATION 1", FEW, CALM},
    {"CONTINUATION without end", "HEADERS 1 {a: b}", "CONTINUATION 1 {name: value}", FEW, CALM},
    {"CONTINUATION of a closed stream", "GET 1 /a; await 1; HEADERS 1 {a: b}", "CONTINUATION 1 {name: value}", FEW,
     CALM},
};

/* 128 streams that get nothing. */
static void begin_streams(struct h2_client *k)
{
    h2_run(k, STALL);
    for (unsigned i = 0; i < 128; i++)
        h2_get(k, "/big", "");
    h2_settle(k);
}

static void begin(struct h2_client *k, const char *script)
{
    if (script && strstr(script, "STREAMS"))
        begin_streams(k);
    else if (script)
        h2_run(k, script);
}

/* `script` with the number in the place of each @. */
static void step(struct h2_client *k, const char *script, unsigned stream)
{
    char text[512];
    size_t len = 0;
    for (; *script && len < sizeof text - 12; script++) {
        if (*script == '@')
            len += (size_t)snprintf(text + len, 12, "%u", stream);
        else
            text[len++] = *script;
    }
    text[len] = '\0';
    h2_run(k, text);
}

static bool is_over(const struct h2_client *k)
{
    return k->ended || k->h.goaways > 0;
}

START_TEST(flood)
{
    const struct flood *f = &floods[_i];
    const struct h2_row row = {"10.5", f->what, f->step, f->code};
    struct h2_client k;
    char expected[100];

    serve("");
    siege_begin();
    h2_start(&k, site_port(0));
    k.row = &row;
    begin(&k, f->begin);
    unsigned first = k.highest == (uint32_t)-1 ? 1 : k.highest + 2, i = 0;
    if (first > 90000)
        first = 1;
    for (; i < f->most && !is_over(&k); i++) {
        step(&k, f->step, first + 2 * i);
        if (i % 16 == 15)
            h2_settle(&k);
    }
    snprintf(expected, sizeof expected, "GOAWAY %s", f->code);
    const char *said = h2_check(&k, expected);
    ck_assert_msg(!said, "%s: after %u of them: %s", f->what, i, said);
    bool calmed = !strcmp(h2_error_name(k.h.goaway_code), CALM);
    h2_close(&k);
    siege_end(f->what, CONNECTION_MOST);
    free(log_await("logs/http.log", "client sent invalid HTTP/2: "));
    ck_assert_uint_eq(complaints(), 1);
    expect_calmed(calmed);
}
END_TEST

/* ---- heads that grow: CVE-2026-49975 ---- */

/* HEADERS of `stream` whose block names the newest entry of the table `refs` times; with `entry`, that
 * is put there before. */
static void send_bomb(struct h2_client *k, unsigned stream, const char *name, size_t value_len, unsigned refs,
                      bool entry)
{
    struct h2_bytes block = {0};
    char value[4096];
    memset(value, 'v', value_len);
    value[value_len] = '\0';
    h2_put(&block,
           "\x82\x86\x01\x01"
           "a"
           "\x04\x02/a",
           9);
    if (entry)
        h2_put_field(&block, name, value, true);
    for (unsigned i = 0; i < refs; i++)
        h2_put(&block, "\xbe", 1);
    h2_frame(&k->h, H2_HEADERS, H2_END_STREAM | H2_END_HEADERS, stream, block.at, block.len);
    free(block.at);
}

static const struct bomb {
    const char *what, *name;
    size_t value;
    unsigned refs;
    const char *statuses;
} bombs[] = {
    {"long fields by one byte each", "x", 4000, 12000, "431"},
    {"cookie crumbs by one byte each", "cookie", 0, 16000, "431"},
    {"short fields by one byte each", "x", 1, 16000, "431"},
    {"as many fields as are taken", "x", 1, 500, "200"},
    {"fields as long as are taken", "x", 3500, 7, "200"},
};

/* On 128 streams of each connection, whose windows stay shut. What 10 connections may hold is in the
 * bound. */
START_TEST(bomb)
{
    const struct bomb *b = &bombs[_i];
    unsigned count = siege_percent(100), answered = 0, refused = 0;
    struct h2_client *k = calloc(count, sizeof *k);

    serve("send_timeout 60s;");
    siege_begin();
    for (unsigned i = 0; i < count; i++) {
        h2_start(&k[i], site_port(0));
        h2_run(&k[i], STALL);
        for (unsigned n = 0; n < 128 && !is_over(&k[i]); n++) {
            send_bomb(&k[i], 2 * n + 1, b->name, b->value, b->refs, n == 0);
            if (n % 8 == 7)
                h2_settle(&k[i]);
        }
        for (size_t n = 0; n < k[i].h.count; n++) {
            const struct h2_stream *st = k[i].h.streams[n];
            answered += st->status == atoi(b->statuses);
            refused += st->reset && !strcmp(h2_error_name(st->code), "REFUSED_STREAM");
        }
    }
    printf("%s: of %u streams, %u have %s, %u were refused\n", b->what, count * 128, answered, b->statuses, refused);
    ck_assert_uint_gt(answered, 0);
    ck_assert_uint_eq(answered + refused, count * 128);
    for (unsigned i = 0; i < count; i++)
        h2_close(&k[i]);
    free(k);
    siege_end(b->what, 2048 + (long)count * 1536);
}
END_TEST

/* ---- windows ---- */

/* All streams of all connections, with a file of 1 MiB each that is not sent. What would take more than half of
 * the worker's descriptors is refused, so that others are served; the rest ends at send_timeout. */
START_TEST(stalled)
{
    unsigned count = siege_percent(200), reset = 0, refused = 0;
    struct h2_client *k = calloc(count, sizeof *k);

    serve("send_timeout 2s;");
    unsigned before = descriptors(site_worker());
    siege_begin();
    for (unsigned i = 0; i < count; i++) {
        h2_start(&k[i], site_port(0));
        begin_streams(&k[i]);
    }
    printf("%u streams without a window: %u descriptors\n", count * 128, descriptors(site_worker()) - before);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned n = 0; n < 128; n++) {
            struct h2_stream *st = h2_await(&k[i], 2 * n + 1);
            reset += st && st->reset && !strcmp(h2_error_name(st->code), "CANCEL");
            refused += st && st->reset && !strcmp(h2_error_name(st->code), "REFUSED_STREAM");
        }
        h2_close(&k[i]);
    }
    free(k);
    printf("%u ended at send_timeout, %u were refused\n", reset, refused);
    ck_assert_uint_eq(reset + refused, count * 128);
    ck_assert_uint_ge(reset, FILES_MOST / 2);
    ck_assert(count * 128 <= FILES_MOST / 2 + count || refused > 0);
    siege_end("streams without a window", 2048 + (long)count * 1536);
}
END_TEST

static void stall_all(unsigned count)
{
    struct h2_client *k = calloc(count, sizeof *k);
    for (unsigned i = 0; i < count; i++) {
        h2_start(&k[i], site_port(0));
        begin_streams(&k[i]);
    }
    for (unsigned i = 0; i < count; i++)
        h2_close(&k[i]);
    free(k);
}

/* What pools and allocator keep of one attack serves the next. */
START_TEST(second_wave_needs_no_more)
{
    long peak[3];

    serve("send_timeout 60s;");
    siege_begin();
    for (unsigned i = 0; i < 3; i++) {
        stall_all(4);
        peak[i] = siege_memory("VmHWM:");
    }
    printf("peak of three waves: %ld, %ld, %ld KiB\n", peak[0], peak[1], peak[2]);
    if (!site_is_instrumented()) /* a sanitizer keeps what is freed for a while */
        ck_assert_int_le(peak[2], peak[0] + WAVE_MORE);
    siege_end("three waves of stalled streams", 4 * CONNECTION_MOST);
}
END_TEST

/* The client has ended its side, and can open no window any more. */
START_TEST(stalled_and_gone)
{
    struct h2_client k;
    serve("send_timeout 60s;");
    siege_begin();
    h2_start(&k, site_port(0));
    begin_streams(&k);
    client_end_sending(&k.c);
    h2_await_end(&k);
    h2_close(&k);
    siege_end("streams without a window, of a client that has ended", CONNECTION_MOST);
}
END_TEST

/* CVE-2019-9517: windows are open, and nothing is read. */
START_TEST(unread)
{
    unsigned count = siege_percent(200);
    struct h2_client *k = calloc(count, sizeof *k);

    serve("send_timeout 2s;");
    siege_begin();
    for (unsigned i = 0; i < count; i++) {
        h2_start(&k[i], site_port(0));
        h2_run(&k[i], "SETTINGS 0 INITIAL_WINDOW_SIZE=0x7fffffff; WINDOW_UPDATE 0 =0x7fff0000");
        for (unsigned n = 0; n < 128; n++)
            h2_request(&k[i].h, 2 * n + 1, true, "GET", "/big", "");
        client_send(&k[i].c, k[i].h.out.at, k[i].h.out.len);
        k[i].h.out.len = 0;
    }
    free(log_await_count("logs/http.log", "client timed out", count));
    for (unsigned i = 0; i < count; i++)
        h2_close(&k[i]);
    free(k);
    siege_end("windows that are open, of clients that do not read", 2048 + (long)count * 3072);
}
END_TEST

/* ---- what has no end ---- */

static const struct slow {
    const char *what, *bytes; /* a script on a connection where nothing was sent */
    const char *drop;         /* and again and again */
} slow[] = {
    {"no SETTINGS", "bytes 'PRI * HTTP/2.0' 0d0a0d0a 'SM' 0d0a0d0a", NULL},
    {"half a head of a frame", "PREFACE; bytes 000008", NULL},
    {"half a frame", "PREFACE; bytes 000008 06 00 00000000 'half'", NULL},
    {"a frame in drops", "PREFACE; bytes 003000 40 00 00000000", "bytes 'x'"},
    {"half a header block", "PREFACE; HEADERS 1 {a: b}", NULL},
    {"a header block in drops", "PREFACE; bytes 003000 01 05 00000001", "bytes 'x'"},
};

/* client_header_timeout ends each of them, whatever comes in drops. */
START_TEST(slowly)
{
    const struct slow *s = &slow[_i];
    unsigned count = siege_percent(100);
    struct h2_client *k = calloc(count, sizeof *k);

    serve("client_header_timeout 1s;");
    siege_begin();
    for (unsigned i = 0; i < count; i++) {
        const char *script = s->bytes;
        h2_open(&k[i], site_port(0));
        k[i].h.answers = false; /* in the middle of a frame */
        if (!strncmp(script, "PREFACE;", 8)) {
            h2_begin(&k[i].h);
            script += 8;
        }
        h2_run(&k[i], script);
    }
    for (unsigned ended = 0; ended < count;) {
        for (unsigned i = 0; i < count; i++) {
            if (k[i].ended)
                continue;
            if (s->drop && k[i].h.goaways == 0)
                h2_run(&k[i], s->drop);
            h2_pump_within(&k[i], 20);
            ended += k[i].ended;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        ck_assert_msg(k[i].h.goaways == 1, "%s: %s", s->what, h2_told(&k[i]));
        h2_close(&k[i]);
    }
    free(k);
    siege_end(s->what, 2048 + (long)count * 200);
    free(log_await_count("logs/http.log", "client timed out", count));
}
END_TEST

/* ---- no attacks ---- */

/* A player that seeks: streams of a large file, each reset when some of it has come. At once what a minute
 * may bring, and then ten a second. */
START_TEST(seeks)
{
    struct h2_client k;

    serve("");
    siege_begin();
    h2_start(&k, site_port(0));
    for (unsigned i = 0; i < 430; i++) {
        char range[64];
        snprintf(range, sizeof range, "range: bytes=%u-\n", i * 100);
        uint32_t stream = h2_get(&k, "/big", range);
        struct h2_stream *st = h2_await_head(&k, stream);
        ck_assert_msg(st && st->status == 206, "%u: %s", i, h2_told(&k));
        h2_reset(&k.h, stream, 8);
        if (i >= 400)
            sleep_msec(100);
    }
    h2_expect_get(&k, "/a", 200, "content");
    ck_assert_uint_eq(k.h.goaways, 0);
    h2_close(&k);
    siege_end("seeking", CONNECTION_MOST);
    ck_assert_uint_eq(complaints(), 0);
    expect_calmed(0);
}
END_TEST

Suite *suite_h2_attack(void)
{
    Suite *s = suite_create("h2_attack");
    if (!needs_plain("h2_attack", "its client does not agree on h2 in a handshake"))
        return s;
    TCase *tc = site_case(s, "attacks", 60);
    tcase_add_loop_test(tc, flood, 0, sizeof floods / sizeof *floods);
    tcase_add_loop_test(tc, bomb, 0, sizeof bombs / sizeof *bombs);
    tcase_add_test(tc, stalled);
    tcase_add_test(tc, second_wave_needs_no_more);
    tcase_add_test(tc, stalled_and_gone);
    tcase_add_test(tc, unread);
    tcase_add_loop_test(tc, slowly, 0, sizeof slow / sizeof *slow);
    tcase_add_test(tc, seeks);
    return s;
}
