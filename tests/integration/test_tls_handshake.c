/* test_tls_handshake.c - what comes before the first request on an address that is for TLS: hellos in
 * pieces, clients that leave or stay silent at any step, plain HTTP, garbage; and the ways to such
 * an address. Whatever a client does is logged at info. RFC 8446, section 6. */
#include "harness.h"
#include "transport_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO_MOST = 4096 };

static void serve(const char *http, const char *server)
{
    site_write("html/a.txt", "hello\n");
    serve_over_tls("", http, server);
}

static void expect_served(void)
{
    struct site_client c;
    struct site_response r;

    client_open_tls(&c, site_port(0), 0);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "hello\n");
    site_response_free(&r);
    ck_assert(client_ends(&c));
    client_close(&c);
}

static void expect_page(struct raw_tls *raw)
{
    static const char request[] = "GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char got[4096];

    SSL_write(raw->ssl, request, sizeof request - 1);
    records_flush(raw, 0);
    size_t len = records_read(raw, got, sizeof got, 6);
    ck_assert(memmem(got, len, "200 OK", 6));
    ck_assert_mem_eq(got + len - 6, "hello\n", 6);
}

/* The first bytes that a client would send. */
static size_t hello(char *to)
{
    struct raw_tls raw;

    records_open(&raw, site_port(0));
    SSL_do_handshake(raw.ssl);
    int len = BIO_read(raw.out, to, HELLO_MOST);
    ck_assert_int_gt(len, 100);
    records_close(&raw);
    return (size_t)len;
}

static void expect_nothing_above_info(void)
{
    static const char *const words[] = {"[emerg]", "[alert]", "[crit]", "[error]", "[warn]"};
    char *log = site_read("logs/error.log", NULL);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_msg(!strstr(log, words[i]), "%s", log);
    free(log);
}

static void await_descriptors(unsigned most)
{
    for (int64_t end = now_msec() + scaled(8000); descriptors(site_worker()) > most; sleep_msec(5))
        ck_assert_msg(now_msec() < end, "%u descriptors, not %u", descriptors(site_worker()), most);
}

/* ---- pieces ---- */

/* Of the handshake, and of the request behind it. */
START_TEST(handshake_in_pieces)
{
    static const size_t steps[] = {1, 2, 3, 5, 7, 100};
    struct raw_tls raw;

    serve("", "");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        records_open(&raw, site_port(0));
        raw.step = steps[i];
        records_agree(&raw);
        expect_page(&raw);
        records_close(&raw);
    }
    expect_nothing_above_info();
}
END_TEST

/* The request comes with the client's last flight: libssl has read it before the handshake is
 * done. */
START_TEST(request_with_the_last_flight)
{
    static const char request[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct raw_tls raw;
    char got[4096];

    serve("", "");
    records_open(&raw, site_port(0));
    while (SSL_do_handshake(raw.ssl) != 1) {
        records_flush(&raw, 0);
        ck_assert(records_pump(&raw));
    }
    SSL_write(raw.ssl, request, sizeof request - 1);
    records_flush(&raw, 0); /* Finished and the request in one segment */
    ck_assert_uint_gt(records_read(&raw, got, sizeof got, 6), 6);
    records_close(&raw);
}
END_TEST

/* ---- who leaves ---- */

static void leave(int fd, bool resets)
{
    if (resets)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
    close(fd);
}

static int connect_plainly(void)
{
    struct channel ch;

    ck_assert_int_eq(channel_connect_tcp(&ch, site_port(0), 0), 0);
    return ch.fd;
}

/* At each byte of the hello, and with the server's flight read or not. */
START_TEST(clients_leave_at_every_step)
{
    char bytes[HELLO_MOST];

    serve("", "");
    expect_served();
    unsigned before = descriptors(site_worker());
    size_t len = hello(bytes);
    for (size_t n = 0; n <= len; n += n < 12 || n > len - 3 ? 1 : 37) {
        int fd = connect_plainly();
        ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
        leave(fd, _i);
        if (n + 37 > len && n < len - 3)
            n = len - 3 - 37;
    }
    for (int reads = 0; reads < 2; reads++) {
        int fd = connect_plainly();
        send(fd, bytes, len, MSG_NOSIGNAL);
        if (reads) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            ck_assert_int_eq(poll(&p, 1, scaled(8000)), 1);
            ck_assert_int_gt(recv(fd, bytes, sizeof bytes, 0), 0);
        }
        leave(fd, _i);
    }
    await_descriptors(before);
    expect_served();
    expect_nothing_above_info();
    free(log_await("logs/error.log", "peer closed connection in SSL handshake"));
}
END_TEST

/* client_header_timeout is for all of the handshake: a byte now and then buys no time. */
START_TEST(one_deadline_for_the_handshake)
{
    char bytes[HELLO_MOST];
    size_t sent = 0;

    serve("client_header_timeout 400ms;", "");
    size_t len = hello(bytes);
    int fd = connect_plainly();
    for (struct pollfd p = {.fd = fd, .events = POLLIN}; sent < len && poll(&p, 1, 40) == 0; sent++)
        ck_assert_int_eq(send(fd, bytes + sent, 1, MSG_NOSIGNAL), 1);
    ck_assert_uint_lt(sent, len); /* it would have taken many seconds */
    close(fd);
    free(log_await("logs/error.log", "client timed out (110: Connection timed out) while SSL handshaking, client: "));
    expect_served();
    expect_nothing_above_info();
}
END_TEST

/* Handshakes that do not go on make room, as idle connections do. */
START_TEST(half_open_handshakes_make_room)
{
    enum { OPEN = 60 };
    char bytes[HELLO_MOST];
    int fds[OPEN];

    site_write("html/a.txt", "hello\n");
    serve_over_tls("worker_connections 32;", "", "");
    size_t len = hello(bytes);
    for (int i = 0; i < OPEN; i++) {
        fds[i] = connect_plainly();
        send(fds[i], bytes, (size_t)i * (len - 1) / OPEN, MSG_NOSIGNAL);
    }
    expect_served();
    for (int i = 0; i < OPEN; i++)
        close(fds[i]);
    free(log_await("logs/error.log", "worker_connections are not enough, reusing connections"));
    site_allow_alerts();
}
END_TEST

/* ---- who speaks something else ---- */

static void say_plainly(struct site_response *r, const char *bytes)
{
    struct site_client c;

    client_open_plain(&c, site_port(0));
    client_say(&c, "%s", bytes);
    ck_assert(client_receive(&c, r));
    ck_assert(client_ends(&c));
    client_close(&c);
}

START_TEST(plain_http_on_tls)
{
    struct site_response r;

    serve("", "");
    say_plainly(&r, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ck_assert_int_eq(r.status, 400);
    assert_header(&r, "Connection", "close");
    ck_assert_msg(strstr(r.body, "<title>400 The plain HTTP request was sent to HTTPS port</title>"), "%s", r.body);
    ck_assert(strstr(r.body, "<center>The plain HTTP request was sent to HTTPS port</center>"));
    site_response_free(&r);
    free(log_await("logs/error.log",
                   "client sent plain HTTP request to HTTPS port while reading client request headers, client: "));
    say_plainly(&r, "BAD\r\n\r\n");
    ck_assert_int_eq(r.status, 400);
    ck_assert(!strstr(r.body, "HTTPS port"));
    site_response_free(&r);
    expect_served();
    expect_nothing_above_info();
}
END_TEST

START_TEST(plain_http_led_to_https)
{
    struct site_response r;

    serve("", "error_page 497 https://$host:443$request_uri;\nlocation /page { error_page 497 =200 /a.txt; }");
    say_plainly(&r, "GET /x?y=1 HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    ck_assert_int_eq(r.status, 302);
    assert_header(&r, "Location", "https://www.example.org:443/x?y=1");
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
}
END_TEST

START_TEST(tls_on_plain_http)
{
    struct site_client c;
    struct site_response r;
    char bytes[HELLO_MOST];

    serve("", "} server { listen 127.0.0.1:@PORT1@;");
    size_t len = hello(bytes);
    client_open_plain(&c, site_port(1));
    client_send(&c, bytes, len);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 400);
    site_response_free(&r);
    client_close(&c);
    free(log_await("logs/error.log", "client sent a TLS handshake to an address without \"ssl\" while reading client "
                                     "request line, client: "));
    expect_nothing_above_info();
}
END_TEST

#define BYTES(literal) (literal), sizeof literal - 1, false

static const struct {
    const char *bytes;
    size_t len;
    bool waits; /* for the rest of it */
} garbage[] = {
    {"\x16\x03\x01\x40\x00\x01", 6, true},                            /* a record of 16 KiB */
    {BYTES("\x16\x03\x01\xff\xff\x01\x00\x00\x00")},                  /* of as much as can be said */
    {BYTES("\x16\x03\x01\x00\x04\x02\x00\x00\x00")},                  /* a hello of a server */
    {BYTES("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")},              /* a hello of one byte */
    {BYTES("\x16\x09\x09\x00\x05\x01\x00\x00\x01\x00")},              /* of a version that nobody knows */
    {BYTES("\x16garbage that looks like nothing that anybody says")}, /* its length is "rb" */
};

START_TEST(garbage_in_the_handshake)
{
    char got[100];

    serve("client_header_timeout 1s;", "");
    int fd = connect_plainly();
    send(fd, garbage[_i].bytes, garbage[_i].len, MSG_NOSIGNAL);
    while (recv(fd, got, sizeof got, 0) > 0)
        ;
    close(fd);
    free(log_await("logs/error.log", garbage[_i].waits
                                         ? "client timed out (110: Connection timed out) while SSL handshaking"
                                         : "SSL_do_handshake() failed (SSL: error:"));
    expect_served();
    expect_nothing_above_info();
}
END_TEST

/* Where a record should be, later: the connection ends, with a line that says what was wrong. */
START_TEST(garbage_after_the_handshake)
{
    struct raw_tls raw;

    serve("", "");
    records_open(&raw, site_port(0));
    records_agree(&raw);
    expect_page(&raw);
    send(raw.fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, MSG_NOSIGNAL);
    while (records_pump(&raw))
        ;
    records_close(&raw);
    free(log_await("logs/error.log", "SSL_read() failed (SSL: error:"));
    expect_served();
    expect_nothing_above_info();
}
END_TEST

/* TLS 1.2: a client may not have the handshake made again. */
START_TEST(no_renegotiation)
{
    struct raw_tls raw;

    serve("", "");
    records_open(&raw, site_port(0));
    SSL_set_max_proto_version(raw.ssl, TLS1_2_VERSION);
    records_agree(&raw);
    expect_page(&raw);
    SSL_renegotiate(raw.ssl);
    SSL_do_handshake(raw.ssl);
    records_flush(&raw, 0);
    bool answered = records_pump(&raw);
    ck_assert(!answered || SSL_do_handshake(raw.ssl) != 1);
    records_close(&raw);
    expect_served();
    expect_nothing_above_info();
}
END_TEST

/* ---- the ways to it ---- */

#define HEADER "PROXY TCP4 192.0.2.7 192.0.2.8 4711 443\r\n"

/* Together with the hello, apart from it, and both in pieces. */
START_TEST(proxy_header_before_the_handshake)
{
    static const size_t steps[] = {0, 1, 3, 10, sizeof HEADER - 1, sizeof HEADER + 4};
    static const char request[] = "GET /who HTTP/1.1\r\nHost: a\r\n\r\n";
    struct raw_tls raw;
    char got[4096];

    site_write("html/a.txt", "hello\n");
    serve_over_tls_with(" proxy_protocol", "", "",
                        "location /who { return 200 $proxy_protocol_addr:$proxy_protocol_port; }");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        records_open(&raw, site_port(0));
        raw.before = HEADER;
        raw.step = steps[i];
        records_agree(&raw);
        SSL_write(raw.ssl, request, sizeof request - 1);
        records_flush(&raw, 0);
        size_t len = records_read(&raw, got, sizeof got, 14);
        ck_assert_mem_eq(got + len - 14, "192.0.2.7:4711", 14);
        records_close(&raw);
    }
    expect_nothing_above_info();
}
END_TEST

START_TEST(plain_http_behind_a_proxy_header)
{
    struct site_response r;

    serve_over_tls_with(" proxy_protocol", "", "", "");
    say_plainly(&r, HEADER "GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ck_assert_int_eq(r.status, 400);
    ck_assert(strstr(r.body, "HTTPS port"));
    site_response_free(&r);
}
END_TEST

START_TEST(over_a_unix_socket)
{
    struct site_client c;
    struct site_response r;

    serve("", "listen unix:@DIR@/tls.sock ssl;");
    client_open_unix(&c, site_path("tls.sock"));
    c.channel = channel_of_tls(c.channel.fd);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "hello\n");
    site_response_free(&r);
    ck_assert(client_ends(&c));
    ck_assert_int_eq(c.error, 0);
    client_close(&c);
}
END_TEST

/* A socket of a service manager, which already listens. */
START_TEST(on_an_inherited_socket)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)site_port(0))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    ck_assert(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 10) == 0);
    site_write("html/a.txt", "hello\n");
    conf_tls("", "", "");
    site_start_with((char *[]){"LISTEN_FDS=1", "LISTEN_PID=@PID@", NULL}, fd);
    expect_served();
    expect_served();
}
END_TEST

static const char *const options[] = {" reuseport", " reuseport=off", " deferred", " backlog=10 rcvbuf=8k sndbuf=8k"};

START_TEST(with_options_of_the_socket)
{
    site_write("html/a.txt", "hello\n");
    serve_over_tls_with(options[_i], "", "", "");
    for (int i = 0; i < 3; i++)
        expect_served();
}
END_TEST

/* An address that has no socket of its own, since another one covers it. */
START_TEST(inside_of_a_wildcard)
{
    char listen[64];

    site_write("html/a.txt", "hello\n");
    snprintf(listen, sizeof listen, "listen %d ssl;", site_port(0));
    serve_over_tls("", "", listen);
    expect_served();
}
END_TEST

START_TEST(without_a_certificate)
{
    struct site_run run;

    site_conf_http("server { listen 127.0.0.1:1 ssl; }");
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    ck_assert_msg(strstr(run.err, "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in "), "%s",
                  run.err);
}
END_TEST

Suite *suite_tls_handshake(void)
{
    Suite *s = suite_create("tls_handshake");
    TCase *tc = site_case(s, "tls_handshake", 60);

    tcase_add_test(tc, handshake_in_pieces);
    tcase_add_test(tc, request_with_the_last_flight);
    tcase_add_loop_test(tc, clients_leave_at_every_step, 0, 2);
    tcase_add_test(tc, one_deadline_for_the_handshake);
    tcase_add_test(tc, half_open_handshakes_make_room);
    tcase_add_test(tc, plain_http_on_tls);
    tcase_add_test(tc, plain_http_led_to_https);
    tcase_add_test(tc, tls_on_plain_http);
    tcase_add_loop_test(tc, garbage_in_the_handshake, 0, sizeof garbage / sizeof *garbage);
    tcase_add_test(tc, garbage_after_the_handshake);
    tcase_add_test(tc, no_renegotiation);
    tcase_add_test(tc, proxy_header_before_the_handshake);
    tcase_add_test(tc, plain_http_behind_a_proxy_header);
    tcase_add_test(tc, over_a_unix_socket);
    tcase_add_test(tc, on_an_inherited_socket);
    tcase_add_loop_test(tc, with_options_of_the_socket, 0, sizeof options / sizeof *options);
    tcase_add_test(tc, inside_of_a_wildcard);
    tcase_add_test(tc, without_a_certificate);
    return s;
}
