/* test_tls_attack.c - clients that mean harm before there is a request, or beside it: handshakes
 * that stop, come in pieces, are nonsense or flood. One client that behaves is served all the while,
 * memory stays bounded, what was taken is given back, and nobody's nonsense is an error of ours.
 *
 * ATTACK: the size in percent; 100 (`make attack`): 1000 half-open handshakes. */
#include "harness.h"
#include "siege.h"
#include "transport_tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a client of which every byte is ours ---- */

struct raw {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
};

static void raw_open(struct raw *r, int version)
{
    struct channel ch = {.fd = -1};
    ck_assert_int_eq(channel_connect_tcp(&ch, site_port(0), 0), 0);
    r->fd = ch.fd;
    setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    r->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(r->ctx, version);
    r->ssl = SSL_new(r->ctx);
    r->in = BIO_new(BIO_s_mem());
    r->out = BIO_new(BIO_s_mem());
    SSL_set_bio(r->ssl, r->in, r->out);
    SSL_set_connect_state(r->ssl);
}

static void raw_close(struct raw *r, bool reset)
{
    if (reset)
        setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(r->fd);
    SSL_free(r->ssl);
    SSL_CTX_free(r->ctx);
}

/* What libssl wants sent next. */
static size_t raw_next(struct raw *r, char *bytes, size_t size)
{
    ERR_clear_error();
    SSL_do_handshake(r->ssl);
    int n = BIO_read(r->out, bytes, (int)size);
    return n > 0 ? (size_t)n : 0;
}

/* Bytes that went out; fewer where the server has closed. */
static size_t raw_send(struct raw *r, const char *bytes, size_t len, size_t piece)
{
    size_t sent = 0;
    while (sent < len) {
        size_t n = len - sent < piece ? len - sent : piece;
        ssize_t rc = send(r->fd, bytes + sent, n, MSG_NOSIGNAL);
        if (rc <= 0)
            break;
        sent += (size_t)rc;
    }
    return sent;
}

/* False: the server has closed. */
static bool raw_receive(struct raw *r)
{
    char bytes[16384];
    ssize_t n = recv(r->fd, bytes, sizeof bytes, 0);
    return n > 0 && BIO_write(r->in, bytes, (int)n) == (int)n;
}

/* The whole handshake, in pieces of that size. */
static void raw_handshake(struct raw *r, size_t piece)
{
    char bytes[16384];
    for (;;) {
        size_t len = raw_next(r, bytes, sizeof bytes);
        ck_assert_uint_eq(raw_send(r, bytes, len, piece), len);
        if (SSL_is_init_finished(r->ssl))
            return;
        ck_assert(raw_receive(r));
    }
}

static void raw_expect_closed(struct raw *r)
{
    char bytes[16384];
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    for (;;) {
        ck_assert_int_eq(poll(&p, 1, scaled(15000)), 1);
        if (recv(r->fd, bytes, sizeof bytes, 0) <= 0)
            return;
    }
}

/* ---- the attacks ---- */

/* A third says nothing, a third half of its hello, a third stops after the server's answer. They
 * keep nothing open past client_header_timeout, whatever they do. */
START_TEST(half_open)
{
    unsigned count = siege_percent(1000);
    struct raw *r = calloc(count, sizeof *r);
    char bytes[4096];
    siege_serve("events { worker_connections 4000; }", "", "client_header_timeout 3s;");
    siege_begin();
    for (unsigned i = 0; i < count; i++) {
        raw_open(&r[i], TLS1_3_VERSION);
        size_t len = raw_next(&r[i], bytes, sizeof bytes);
        raw_send(&r[i], bytes, i % 3 == 0 ? 0 : i % 3 == 1 ? len / 2 : len, len);
    }
    for (unsigned i = 0; i < count; i++) {
        raw_expect_closed(&r[i]);
        raw_close(&r[i], false);
    }
    free(r);
    siege_end("half-open handshakes", 2048 + (long)count * 100);
    free(log_await_count("logs/http.log", "timed out", 1));
}
END_TEST

/* One byte after the other is slow, and nothing worse. */
START_TEST(byte_by_byte)
{
    siege_serve("events { worker_connections 4000; }", "", "");
    siege_begin();
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct raw r;
        char bytes[4096];
        raw_open(&r, version);
        raw_handshake(&r, 1);
        ck_assert_int_gt(SSL_write(r.ssl, "GET /a HTTP/1.0\r\n\r\n", 19), 0);
        size_t len = (size_t)BIO_read(r.out, bytes, sizeof bytes);
        ck_assert_uint_eq(raw_send(&r, bytes, len, 1), len);
        int n;
        while ((n = SSL_read(r.ssl, bytes, sizeof bytes)) <= 0)
            ck_assert(raw_receive(&r));
        ck_assert_int_eq(memcmp(bytes, "HTTP/1.1 200", 12), 0);
        raw_close(&r, false);
    }
    siege_end("a byte at a time", 2048);
}
END_TEST

/* Before there are keys, these are what anybody can send without end. */
static const struct {
    const char *what, *bytes;
    size_t len;
} floods[] = {
    {"handshake records of no content", "\x16\x03\x03\0\0", 5},
    {"alerts that warn", "\x15\x03\x03\0\2\1\x5a", 7},
    {"change_cipher_spec", "\x14\x03\x03\0\1\1", 6},
    {"data before the handshake", "\x17\x03\x03\0\0", 5},
};

/* In place of a hello, and behind the whole of one. */
START_TEST(flood)
{
    enum { TIMES = 2000 };
    char bytes[TIMES * 8], hello[4096];
    size_t len = 0;
    for (unsigned i = 0; i < TIMES; i++, len += floods[_i].len)
        memcpy(bytes + len, floods[_i].bytes, floods[_i].len);
    siege_serve("events { worker_connections 4000; }", "", "client_header_timeout 2s;");
    siege_begin();
    for (unsigned i = 0; i < 20; i++) {
        struct raw r;
        raw_open(&r, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        if (i % 4 < 2)
            raw_send(&r, hello, raw_next(&r, hello, sizeof hello), sizeof hello);
        raw_send(&r, bytes, len, sizeof bytes);
        raw_expect_closed(&r);
        raw_close(&r, false);
    }
    siege_end(floods[_i].what, 4096);
}
END_TEST

/* Lengths that no record may have, and bytes that mean nothing. */
START_TEST(nonsense)
{
    unsigned char bytes[20000];
    siege_serve("events { worker_connections 4000; }", "", "client_header_timeout 2s;");
    siege_begin();
    for (unsigned i = 0; i < siege_percent(1000); i++) {
        struct raw r;
        ck_assert_int_eq(RAND_bytes(bytes, sizeof bytes), 1);
        bytes[0] = 0x16;
        if (i % 4) {
            bytes[1] = 3;
            bytes[2] = 1;
        }
        if (i % 4 == 2)
            memset(bytes + 3, 0xff, 2); /* 65535 */
        if (i % 4 == 3)
            memcpy(bytes + 3, "\x40\x00\x01\xff\xff\xff", 6); /* a hello of 16 MiB, in records of 16 KiB */
        raw_open(&r, TLS1_3_VERSION);
        raw_send(&r, (char *)bytes, sizeof bytes, sizeof bytes);
        raw_expect_closed(&r);
        raw_close(&r, false);
    }
    siege_end("nonsense", 4096);
    free(log_await_count("logs/http.log", "[info]", siege_percent(1000))); /* a line for each */
}
END_TEST

/* At every byte of what a client sends in a handshake and a request. */
START_TEST(closed_early)
{
    char bytes[16384];
    siege_serve("events { worker_connections 4000; }", "", "");
    siege_begin();
    for (unsigned step = 0;; step++) {
        struct raw r;
        size_t left = step * 13;
        bool all = false;
        raw_open(&r, _i ? TLS1_3_VERSION : TLS1_2_VERSION);
        for (;;) {
            size_t len = raw_next(&r, bytes, sizeof bytes);
            size_t sent = raw_send(&r, bytes, len < left ? len : left, sizeof bytes);
            left -= sent;
            all = SSL_is_init_finished(r.ssl) && left > 0;
            if (all || left == 0 || !raw_receive(&r))
                break;
        }
        raw_close(&r, step % 2);
        if (all)
            break;
        ck_assert_uint_lt(step, 1000);
    }
    siege_end("closed early", 2048);
}
END_TEST

/* Refused, and whoever goes on with it loses the connection at the deadline of a request. */
START_TEST(renegotiation)
{
    siege_serve("events { worker_connections 4000; }", "", "client_header_timeout 2s;");
    siege_begin();
    for (unsigned i = 0; i < 5; i++) {
        struct raw r;
        char bytes[16384];
        raw_open(&r, TLS1_2_VERSION);
        raw_handshake(&r, sizeof bytes);
        unsigned tries = 0;
        for (bool open = true; open && tries < 100; tries++) {
            if (SSL_renegotiate(r.ssl) != 1)
                break;
            size_t len = raw_next(&r, bytes, sizeof bytes);
            open = len > 0 && raw_send(&r, bytes, len, sizeof bytes) == len && raw_receive(&r);
            if (open && SSL_do_handshake(r.ssl) == 1)
                ck_abort_msg("it was renegotiated");
        }
        raw_expect_closed(&r);
        raw_close(&r, false);
    }
    siege_end("renegotiation", 2048);
}
END_TEST

/* Each asks for an answer, which is never read. */
START_TEST(key_updates)
{
    siege_serve("events { worker_connections 4000; }", "", "client_header_timeout 2s; send_timeout 2s;");
    siege_begin();
    for (unsigned i = 0; i < 5; i++) {
        struct raw r;
        char bytes[16384];
        raw_open(&r, TLS1_3_VERSION);
        raw_handshake(&r, sizeof bytes);
        for (unsigned n = 0; n < 5000; n++) {
            if (SSL_key_update(r.ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
                break;
            size_t len = raw_next(&r, bytes, sizeof bytes);
            if (len == 0 || raw_send(&r, bytes, len, sizeof bytes) < len)
                break;
        }
        raw_expect_closed(&r);
        raw_close(&r, false);
    }
    siege_end("key updates", 4096);
}
END_TEST

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    site_choose_transport("tls");
    site_setup();
}

Suite *suite_tls_attack(void)
{
    Suite *s = suite_create("tls_attack");
    TCase *tc = tcase_create("attacks");
    tcase_set_timeout(tc, scaled(60000) / 1000.0);
    tcase_add_checked_fixture(tc, setup, site_teardown);
    tcase_add_test(tc, half_open);
    tcase_add_test(tc, byte_by_byte);
    tcase_add_loop_test(tc, flood, 0, sizeof floods / sizeof *floods);
    tcase_add_test(tc, nonsense);
    tcase_add_loop_test(tc, closed_early, 0, 2);
    tcase_add_test(tc, renegotiation);
    tcase_add_test(tc, key_updates);
    suite_add_tcase(s, tc);
    return s;
}
