/* test_h2.c - HTTP/2 beside HTTP/1: which of both a plain connection speaks, and the directives. What
 * its frames say is in test_h2_frames.c and those beside it. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFACE  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
/* GET http://a/ by the static table: RFC 7541, appendix A. */
#define GET_ROOT "\0\0\6\1\5\0\0\0\1\x82\x86\x84\x41\1a"

static void pages(void)
{
    site_write("html/index.html", "root\n");
}

struct frame {
    size_t len;
    unsigned type, flags, stream;
    char content[65536];
};

/* False: the connection ends before it. */
static bool read_exactly(struct site_client *c, void *to, size_t len)
{
    while (c->len < len)
        if (!client_fill(c))
            return false;
    memcpy(to, c->in, len);
    memmove(c->in, c->in + len, c->len - len);
    c->len -= len;
    return true;
}

static bool next_frame(struct site_client *c, struct frame *f)
{
    unsigned char head[9];

    if (!read_exactly(c, head, sizeof head))
        return false;
    f->len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    f->type = head[3];
    f->flags = head[4];
    f->stream = (unsigned)(head[5] & 127) << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
    ck_assert_uint_le(f->len, sizeof f->content);
    return read_exactly(c, f->content, f->len);
}

/* The answer to GET_ROOT, after the server's SETTINGS. */
static void expect_root(struct site_client *c)
{
    struct frame f;

    ck_assert(next_frame(c, &f));
    ck_assert_uint_eq(f.type, 4);
    ck_assert_uint_eq(f.flags, 0);
    do
        ck_assert(next_frame(c, &f));
    while (f.stream == 0);
    ck_assert_uint_eq(f.type, 1);
    ck_assert_uint_eq(f.flags, 4);
    ck_assert_int_eq((unsigned char)f.content[0], 0x88); /* :status: 200 */
    ck_assert(next_frame(c, &f));
    ck_assert_uint_eq(f.type, 0);
    ck_assert_uint_eq(f.flags, 1);
    ck_assert_uint_eq(f.len, 5);
    ck_assert_mem_eq(f.content, "root\n", 5);
}

static const char both[] = PREFACE SETTINGS GET_ROOT;

START_TEST(prior_knowledge)
{
    struct site_client c;

    site_serve("http2 on;");
    client_open(&c, site_port(0));
    client_send(&c, both, sizeof both - 1);
    expect_root(&c);
    client_close(&c);
    free(log_await("logs/access.log", "\"GET / HTTP/2.0\" 200 5 "));
    expect_body("/", "root\n");
    free(log_await("logs/access.log", "\"GET / HTTP/1.1\" 200 5 "));
}
END_TEST

/* However the preface is cut. */
START_TEST(byte_by_byte)
{
    struct site_client c;

    site_serve("http2 on;");
    client_open(&c, site_port(0));
    for (size_t i = 0; i < sizeof both - 1; i++)
        ck_assert_uint_eq(client_send(&c, both + i, 1), 1);
    expect_root(&c);
    client_close(&c);
}
END_TEST

/* What only begins like a preface is HTTP/1. */
START_TEST(nearly)
{
    static const struct {
        const char *bytes;
        int status;
    } rows[] = {
        {"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405},
        {"PRI * HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"P", 0},
        {"PRI * HTTP/2.1\r\n\r\n", 505},
    };

    site_serve("http2 on;");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_client c;
        struct site_response r;

        client_open(&c, site_port(0));
        client_say(&c, "%s", rows[i].bytes);
        client_end_sending(&c);
        bool answered = client_receive(&c, &r);
        ck_assert_msg(answered == (rows[i].status > 0), "%s", rows[i].bytes);
        if (answered) {
            ck_assert_msg(r.status == rows[i].status, "%s: %d", rows[i].bytes, r.status);
            site_response_free(&r);
        }
        client_close(&c);
    }
}
END_TEST

/* The end comes with what is read last. */
START_TEST(ends_with_its_request)
{
    site_serve("http2 on;");
    for (size_t cut = 0; cut < sizeof both - 1; cut += 7) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_send(&c, both, cut);
        sleep_msec(1);
        client_send(&c, both + cut, sizeof both - 1 - cut);
        client_end_sending(&c);
        expect_root(&c);
        ck_assert(client_ends(&c));
        client_close(&c);
    }
}
END_TEST

START_TEST(off)
{
    site_serve("");
    ck_assert_int_eq(site_status_of_bytes(both, sizeof both - 1), 505);
}
END_TEST

/* Behind a PROXY header, in one segment with it and in a second one. */
START_TEST(behind_proxy_header)
{
    static const char header[] = "PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n";

    site_conf_http("log_format who '$proxy_protocol_addr $request';\naccess_log @DIR@/logs/access.log who;\n"
                   "server { listen 127.0.0.1:@PORT@ proxy_protocol; http2 on; root @DIR@/html; }");
    site_start();
    for (int i = 0; i < 2; i++) {
        char all[256];
        struct site_client c;

        client_open(&c, site_port(0));
        memcpy(all, header, sizeof header - 1);
        memcpy(all + sizeof header - 1, both, sizeof both - 1);
        size_t cut = i == 0 ? 0 : sizeof header - 1 + 5;
        client_send(&c, all, cut);
        client_send(&c, all + cut, sizeof header + sizeof both - 2 - cut);
        expect_root(&c);
        client_close(&c);
    }
    free(log_await_count("logs/access.log", "192.0.2.7 GET / HTTP/2.0", 2));
}
END_TEST

START_TEST(directives)
{
    struct site_run run;
    static const struct {
        const char *line, *said;
    } obsolete[] = {
        {"http2_idle_timeout 3m;",
         "the \"http2_idle_timeout\" directive is obsolete, use the \"keepalive_timeout\" directive instead"},
        {"http2_max_field_size 4k;", "use the \"large_client_header_buffers\" directive instead"},
        {"http2_max_requests 10;", "use the \"keepalive_requests\" directive instead"},
        {"http2_push off;", "the \"http2_push\" directive is obsolete, ignored"},
        {"http2_push_preload on;", "the \"http2_push_preload\" directive is obsolete, ignored"},
    };

    expect_conf_server("http2 on; http2_max_concurrent_streams 10; http2_chunk_size 8k; http2_body_preread_size 64k;",
                       NULL);
    expect_conf_http("http2_recv_buffer_size 256k; server { listen 127.0.0.1:@PORT@; }", NULL);
    expect_conf_server("http2 maybe;", "invalid value \"maybe\" in \"http2\" directive, it must be \"on\" or \"off\"");
    expect_conf_server("http2_max_concurrent_streams 0;", "http2_max_concurrent_streams");
    expect_conf_server("http2_recv_buffer_size 256k;", "\"http2_recv_buffer_size\" directive is not allowed here");
    expect_conf_server("http3 on;", "HTTP/3");
    for (size_t i = 0; i < sizeof obsolete / sizeof *obsolete; i++) {
        site_conf_server(obsolete[i].line);
        site_check(&run);
        ck_assert_int_eq(run.status, 0);
        ck_assert_msg(strstr(run.err, obsolete[i].said), "%s: %s", obsolete[i].line, run.err);
    }
    site_conf_http("server { listen 127.0.0.1:@PORT@ http2; }");
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    ck_assert(strstr(run.err, "the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead"));
}
END_TEST

Suite *suite_h2(void)
{
    Suite *s = suite_create("h2");
    TCase *t = site_case_with(s, "h2", 30, pages);

    tcase_add_plain_test(t, prior_knowledge, "a preface on a plain connection");
    tcase_add_plain_test(t, byte_by_byte, "a preface on a plain connection");
    tcase_add_plain_test(t, ends_with_its_request, "a preface on a plain connection");
    tcase_add_plain_test(t, nearly, "a preface on a plain connection");
    tcase_add_plain_test(t, off, "a preface on a plain connection");
    tcase_add_tcp_test(t, behind_proxy_header, "a PROXY header before the transport's own bytes");
    tcase_add_test(t, directives);
    return s;
}
