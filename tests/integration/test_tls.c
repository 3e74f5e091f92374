/* test_tls.c - what is TLS's own once keys are agreed on: bytes exact from every source, records that
 * hold several requests or a part of one, new keys in mid-response, ends. A suite of its own client
 * by libssl, whatever HARNESS_TRANSPORT says. RFC 8446. */
#include "harness.h"
#include "transport_tls.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORD = 16384, LARGE = 3 * 1024 * 1024 + 17, HUGE = 24 * 1024 * 1024 };

static const char site[] =
    "open_file_cache max=100; open_file_cache_content 64k; directio 100m; client_max_body_size 1000;\n"
    "location /memory/ { alias @DISK@/data/; }\n"
    "location /sendfile/ { alias @DISK@/data/; open_file_cache_content off; }\n"
    "location /mapped/ { alias @DISK@/data/; open_file_cache_content off; io_method mmap; }\n"
    "location /buffered/ { alias @DISK@/data/; open_file_cache_content off; sendfile off; }\n"
    "location /direct/ { alias @DISK@/data/; directio 1; output_buffers 2 128k; }\n"
    "location /threads/ { alias @DISK@/data/; directio 1; aio threads; }\n"
    "location /chunked/ { alias @DISK@/data/; add_trailer X-End yes; }\n"
    "location /zipped/ { alias @DISK@/data/; gzip on; gzip_types *; gzip_min_length 1; }\n"
    "location /status { status; } location /moved { return 301 /x; }\n"
    "location /transport { return 200 $transport|$scheme; }\n";

static const char *const sources[] = {"memory", "sendfile", "mapped", "buffered", "direct", "threads"};
enum { SOURCES = sizeof sources / sizeof *sources };

static void serve(void)
{
    site_pattern(site_data("large"), LARGE);
    serve_over_tls("", "", site);
}

static void open_client(struct site_client *c)
{
    client_open_tls(c, site_port(0), 0);
}

static void ask(struct site_client *c, const char *folder, const char *name, const char *fields)
{
    client_say(c, "GET /%s/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", folder, name, fields);
}

static void expect_page(struct site_client *c, const char *target, const char *body)
{
    struct site_response r;

    client_say(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, body);
    site_response_free(&r);
}

/* Closed as it should be, and nothing of it in the log above info. */
static void expect_end(struct site_client *c)
{
    ck_assert(client_ends(c));
    ck_assert_msg(c->error == 0, "%s", strerror(c->error));
    client_close(c);
}

/* ---- bytes ---- */

static const off_t sizes[] = {0,
                              1,
                              300,
                              RECORD - 300,
                              RECORD - 1,
                              RECORD,
                              RECORD + 1,
                              2 * RECORD - 200,
                              4 * RECORD,
                              4 * RECORD + 1,
                              5 * RECORD - 100,
                              5 * RECORD,
                              6 * RECORD + 1,
                              1024 * 1024};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* One connection for all of them: what is left of one record would spoil the next. */
START_TEST(bytes_of_every_source)
{
    struct site_client c;
    struct site_response r;
    char name[32];

    serve();
    open_client(&c);
    for (int i = 0; i < SIZES; i++) {
        snprintf(name, sizeof name, "f%d", i);
        site_pattern(site_data(name), sizes[i]);
        for (int again = 0; again < 2; again++) { /* the second time from open_file_cache */
            ask(&c, sources[_i], name, "");
            ck_assert(client_head(&c, &r));
            ck_assert_int_eq(r.status, 200);
            client_expect_pattern(&c, 0, sizes[i]);
            site_response_free(&r);
        }
    }
    client_close(&c);
}
END_TEST

START_TEST(ranges_of_every_source)
{
    static const off_t from[] = {0, 1, 511, 4096, RECORD - 1, 70001, LARGE - RECORD - 5};
    static const off_t lengths[] = {1, 512, RECORD, RECORD + 1, 200003};
    struct site_client c;
    struct site_response r;
    char field[80];

    serve();
    open_client(&c);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
            off_t len = from[i] + lengths[n] > LARGE ? LARGE - from[i] : lengths[n];
            snprintf(field, sizeof field, "Range: bytes=%jd-%jd\r\n", (intmax_t)from[i], (intmax_t)(from[i] + len - 1));
            ask(&c, sources[_i], "large", field);
            ck_assert(client_head(&c, &r));
            ck_assert_int_eq(r.status, 206);
            client_expect_pattern(&c, from[i], len);
            site_response_free(&r);
        }
    }
    client_close(&c);
}
END_TEST

START_TEST(chunks_and_codings)
{
    struct site_client c;
    struct site_response r;

    serve();
    open_client(&c);
    for (int i = 0; i < 3; i++) {
        ask(&c, "zipped", "large", "Accept-Encoding: gzip\r\n");
        ck_assert(client_receive(&c, &r));
        ck_assert(r.chunked);
        assert_header(&r, "Content-Encoding", "gzip");
        site_response_free(&r);
        ask(&c, "chunked", "large", "TE: trailers\r\n");
        ck_assert(client_head(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        client_close(&c);
        open_client(&c);
    }
    client_close(&c);
}
END_TEST

/* Small receive buffers, and small reads: every way in which a record can be half with the kernel. */
START_TEST(slow_reader)
{
    struct site_client c;
    struct site_response r;

    serve();
    client_open_tls(&c, site_port(0), 4096);
    for (int i = 0; i < 2; i++) {
        ask(&c, sources[_i], "large", "");
        ck_assert(client_head(&c, &r));
        site_response_free(&r);
        client_expect_pattern(&c, 0, LARGE);
    }
    client_close(&c);
}
END_TEST

/* ---- records ---- */

START_TEST(pipelined_in_one_record)
{
    enum { REQUESTS = 20 };
    char requests[REQUESTS * 100] = "";
    struct site_client c;
    struct site_response r;

    serve();
    site_pattern(site_data("a"), 700);
    for (int i = 0; i < REQUESTS; i++)
        sprintf(requests + strlen(requests), "GET /%s/a HTTP/1.1\r\nHost: a\r\n\r\n", sources[i % SOURCES]);
    open_client(&c);
    for (int round = 0; round < 2; round++) {
        client_send(&c, requests, strlen(requests));
        for (int i = 0; i < REQUESTS; i++) {
            ck_assert(client_receive(&c, &r));
            ck_assert_int_eq(r.status, 200);
            ck_assert_uint_eq(r.len, 700);
            assert_pattern(r.body, r.len, 0);
            site_response_free(&r);
        }
    }
    client_close(&c);
}
END_TEST

/* A byte each, and all of them in the socket at once: what libssl holds back no event tells of. */
START_TEST(requests_in_many_records)
{
    static const char request[] = "GET /memory/a HTTP/1.1\r\nHost: a\r\n\r\n";
    struct site_client c;
    struct site_response r;

    serve();
    site_pattern(site_data("a"), 700);
    open_client(&c);
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < sizeof request - 1; i++)
            ck_assert_uint_eq(client_send(&c, request + i, 1), 1);
    for (int round = 0; round < 5; round++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

/* Two requests of which the second comes in the same segment while the first is answered slowly. */
START_TEST(request_behind_a_large_response)
{
    struct site_client c;
    struct site_response r;

    serve();
    client_open_tls(&c, site_port(0), 4096);
    ask(&c, sources[_i], "large", "");
    ask(&c, sources[_i], "large", "Range: bytes=5-104\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, LARGE);
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 206);
    site_response_free(&r);
    client_expect_pattern(&c, 5, 100);
    client_close(&c);
}
END_TEST

/* The record of a request arrives in single bytes of ciphertext. */
START_TEST(half_records)
{
    struct raw_tls raw;
    char got[8192];

    serve();
    site_pattern(site_data("a"), 700);
    records_open(&raw, site_port(0));
    records_agree(&raw);
    for (int i = 0; i < 3; i++) {
        const char request[] = "GET /memory/a HTTP/1.1\r\nHost: a\r\n\r\n";
        SSL_write(raw.ssl, request, sizeof request - 1);
        records_flush(&raw, 1);
        size_t len = records_read(&raw, got, sizeof got, 700);
        ck_assert(memmem(got, len, "200 OK", 6));
        assert_pattern(got + len - 700, 700, 0);
    }
    records_close(&raw);
}
END_TEST

/* ---- new keys ---- */

static unsigned server_updates;

static void on_message(int is_sent, int version, int type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
    (void)version, (void)ssl, (void)arg;
    if (!is_sent && type == SSL3_RT_HANDSHAKE && len > 0 && *(const unsigned char *)bytes == SSL3_MT_KEY_UPDATE)
        server_updates++;
}

static void update_keys(struct site_client *c)
{
    ck_assert_int_eq(SSL_key_update(client_ssl(c), SSL_KEY_UPDATE_REQUESTED), 1);
    SSL_do_handshake(client_ssl(c));
}

/* In mid-response, with the server's socket full: its record under way is finished, the bytes stay
 * exact, the answer comes while the response still does, and the next request is served. */
START_TEST(key_update_in_mid_response)
{
    struct site_client c;
    struct site_response r;

    site_pattern(site_data("large"), LARGE);
    serve_over_tls_with(" sndbuf=16k", "", "", site); /* or all of it would wait in the kernel */
    server_updates = 0;
    client_open_tls(&c, site_port(0), 4096);
    SSL_set_msg_callback(client_ssl(&c), on_message);
    ask(&c, sources[_i], "large", "");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 100000);
    update_keys(&c);
    client_expect_pattern(&c, 100000, 100000);
    update_keys(&c);
    client_expect_pattern(&c, 200000, LARGE - 200000);
    ck_assert_uint_ge(server_updates, 1);
    ask(&c, sources[_i], "large", "Range: bytes=7-1006\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 7, 1000);
    client_close(&c);
}
END_TEST

/* Between requests, many of them, and nothing read in between. */
START_TEST(key_updates_without_end)
{
    enum { UPDATES = 3000 };
    struct site_client c, other;
    int updates = 0;

    serve();
    client_open_tls(&c, site_port(0), 4096);
    expect_page(&c, "/transport", "tls|https");
    for (; updates < UPDATES; updates++) {
        SSL_key_update(client_ssl(&c), SSL_KEY_UPDATE_REQUESTED);
        if (SSL_do_handshake(client_ssl(&c)) != 1)
            break;
    }
    open_client(&other);
    expect_page(&other, "/transport", "tls|https");
    client_close(&other);
    while (client_has_input(&c, 200))
        c.len = 0;
    if (updates == UPDATES)
        expect_page(&c, "/transport", "tls|https");
    client_close(&c);
}
END_TEST

/* ---- ends ---- */

/* The client has said its last word, and still gets its response: with close_notify, with FIN alone,
 * with both. */
START_TEST(response_after_the_clients_end)
{
    struct site_client c;
    struct site_response r;

    serve();
    for (int how = 0; how < 3; how++) {
        client_open_tls(&c, site_port(0), 4096);
        ask(&c, sources[_i], "large", "");
        ck_assert(client_head(&c, &r));
        site_response_free(&r);
        if (how != 1)
            SSL_shutdown(client_ssl(&c));
        if (how != 0)
            shutdown(c.channel.fd, SHUT_WR);
        client_expect_pattern(&c, 0, LARGE);
        expect_end(&c);
    }
}
END_TEST

START_TEST(close_notify_before_fin)
{
    static const char *const last[] = {
        "GET /memory/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /direct/large HTTP/1.0\r\n\r\n",
        "GET /moved HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "HEAD /memory/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "BAD\r\n\r\n",
    };
    struct site_client c;

    serve();
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        open_client(&c);
        client_say(&c, "%s", last[i]);
        while (client_fill(&c))
            ;
        ck_assert_msg(c.error == 0, "%s: %s", last[i], strerror(c.error));
        ck_assert_uint_gt(c.len, 0);
        client_close(&c);
    }
}
END_TEST

/* A response that is cut must not look whole to a client that reads to the end. */
START_TEST(no_close_notify_where_a_response_is_cut)
{
    struct site_client c;
    struct site_response r;

    site_pattern(site_data("short"), HUGE);
    serve();
    client_open_tls(&c, site_port(0), 4096);
    ask(&c, sources[_i], "short", "");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    ck_assert_int_eq(truncate(site_data("short"), 1000), 0);
    while (client_fill(&c))
        c.len = 0;
    ck_assert_int_ne(c.error, 0);
    client_close(&c);
    free(log_await("logs/error.log", "was truncated while it was sent"));
    site_allow_alerts();
}
END_TEST

/* 413 with all of the body still on its way, or in the socket. */
START_TEST(refused_body_is_read_to_the_end)
{
    enum { BODY = 2 * 1024 * 1024 };
    struct site_client c;
    struct site_response r;
    char *body = calloc(1, BODY);

    serve();
    open_client(&c);
    client_say(&c, "PUT /memory/large HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
    client_send(&c, body, BODY);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 413);
    site_response_free(&r);
    expect_end(&c);
    free(body);
}
END_TEST

START_TEST(reload_in_mid_download)
{
    struct site_client c, next;
    struct site_response r;

    serve();
    client_open_tls(&c, site_port(0), 4096);
    ask(&c, sources[_i], "large", "");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    pid_t before = site_worker();
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "start worker process ", 2));
    open_client(&next);
    expect_page(&next, "/transport", "tls|https");
    client_close(&next);
    ck_assert_int_eq(kill(before, 0), 0);
    client_expect_pattern(&c, 0, LARGE);
    client_close(&c);
    site_await_workers(1);
}
END_TEST

/* ---- what is told ---- */

START_TEST(transport_and_counters)
{
    struct site_client c;
    struct site_response r;

    serve();
    open_client(&c);
    expect_page(&c, "/transport", "tls|https");
    client_say(&c, "GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    static const char *const lines[] = {"sluice_tls_handshakes_total{result=\"ok\"} 1\n",
                                        "sluice_tls_handshakes_total{result=\"failed\"} 0\n",
                                        "sluice_tls_connections_total{protocol=\"TLSv1.3\"} 1\n",
                                        "sluice_tls_connections_total{protocol=\"TLSv1.2\"} 0\n",
                                        "sluice_tls_sessions_resumed_total 0\n",
                                        "sluice_tls_records_total 1\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(strstr(r.body, lines[i]), "no %s in\n%s", lines[i], r.body);
    site_response_free(&r);
    expect_end(&c);
}
END_TEST

Suite *suite_tls(void)
{
    Suite *s = suite_create("tls");
    TCase *tc = site_case(s, "tls", 60);

    tcase_add_loop_test(tc, bytes_of_every_source, 0, SOURCES);
    tcase_add_loop_test(tc, ranges_of_every_source, 0, SOURCES);
    tcase_add_test(tc, chunks_and_codings);
    tcase_add_loop_test(tc, slow_reader, 0, SOURCES);
    tcase_add_test(tc, pipelined_in_one_record);
    tcase_add_test(tc, requests_in_many_records);
    tcase_add_loop_test(tc, request_behind_a_large_response, 0, SOURCES);
    tcase_add_test(tc, half_records);
    tcase_add_loop_test(tc, key_update_in_mid_response, 0, SOURCES);
    tcase_add_test(tc, key_updates_without_end);
    tcase_add_loop_test(tc, response_after_the_clients_end, 0, SOURCES);
    tcase_add_test(tc, close_notify_before_fin);
    tcase_add_loop_test(tc, no_close_notify_where_a_response_is_cut, 1, SOURCES);
    tcase_add_test(tc, refused_body_is_read_to_the_end);
    tcase_add_loop_test(tc, reload_in_mid_download, 0, SOURCES);
    tcase_add_test(tc, transport_and_counters);
    return s;
}
