/* test_tls_attack.c - clients that mean harm before there is a request, or beside it: handshakes
 * that stop, come in pieces, are nonsense or flood. One client that behaves is served all the while,
 * memory stays bounded, what was taken is given back, and nobody's nonsense is an error of ours.
 *
 * ATTACK: the size in percent; 100 (`make attack`): 1000 half-open handshakes. */
#include "harness.h"
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned percent(unsigned full)
{
    const char *size = getenv("ATTACK");
    unsigned n = full * (size ? (unsigned)atoi(size) : 10) / 100;
    return n > 0 ? n : 1;
}

/* ---- the server ---- */

static struct {
    pid_t worker;
    unsigned fds;
    long kib;
} at_rest;

static long memory(const char *what)
{
    char *status = site_read(site_path("/proc/%d/status", (int)at_rest.worker), &(size_t){0});
    ck_assert_msg(status != NULL, "the worker is gone");
    const char *line = strstr(status, what);
    long kib = line ? strtol(line + strlen(what) + 1, NULL, 10) : 0;
    free(status);
    return kib;
}

static void serve(const char *more)
{
    char text[2048];
    site_write("html/a", "content");
    snprintf(text, sizeof text,
             "@MAIN@\nevents { worker_connections 4000; }\nhttp { access_log off; error_log logs/http.log info;\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s } }",
             more);
    site_conf(text);
    site_start();
    at_rest.worker = site_worker();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(site_status_of("/a"), 200);
    at_rest.fds = descriptors(at_rest.worker);
    at_rest.kib = memory("VmRSS:");
}

static void await_rest(void)
{
    unsigned fds = 0;
    for (int64_t deadline = now_msec() + scaled(20000); (fds = descriptors(at_rest.worker)) > at_rest.fds + 2;
         sleep_msec(20))
        ck_assert_msg(now_msec() < deadline, "%u descriptors are open, there were %u", fds, at_rest.fds);
}

static void expect_memory(const char *what, long most_kib)
{
    long peak = memory("VmHWM:") - at_rest.kib;
    printf("%s: %ld KiB more memory, bound %ld KiB\n", what, peak, most_kib);
    if (!site_is_instrumented())
        ck_assert_msg(peak <= most_kib, "%ld KiB", peak);
}

/* ---- a client that behaves, in a process of its own ---- */

enum { SAMPLES = 1 << 15 };

static struct {
    pid_t pid;
    struct shared {
        volatile bool stop;
        volatile unsigned count, failed;
        unsigned usec[SAMPLES];
    } * shared;
} polite;

static unsigned now_usec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned)(t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

static bool ask_politely(void)
{
    static const char request[] = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char bytes[4096];
    struct channel ch = {.transport = site_transport()};
    if (ch.transport->connect(&ch, site_port(0), 0) < 0)
        return false;
    bool good = ch.transport->send(&ch, request, sizeof request - 1, true) > 0;
    ssize_t n = good ? ch.transport->receive(&ch, bytes, sizeof bytes, true) : -1;
    ch.transport->close(&ch);
    return n > 12 && memcmp(bytes, "HTTP/1.1 200", 12) == 0;
}

static void polite_begin(void)
{
    polite.shared = mmap(NULL, sizeof *polite.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(polite.shared, MAP_FAILED);
    polite.pid = fork();
    ck_assert_int_ge(polite.pid, 0);
    if (polite.pid > 0)
        return;
    struct shared *s = polite.shared;
    while (!s->stop) {
        unsigned begun = now_usec();
        s->failed += !ask_politely();
        s->usec[s->count % SAMPLES] = now_usec() - begun;
        s->count++;
    }
    _exit(0);
}

static int by_value(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void polite_end(const char *during)
{
    struct shared *s = polite.shared;
    unsigned before = s->count;
    while (s->count < before + 3) /* while all that was done is still there */
        sleep_msec(5);
    s->stop = true;
    ck_assert_int_eq(waitpid(polite.pid, NULL, 0), polite.pid);
    unsigned count = s->count < SAMPLES ? s->count : SAMPLES;
    qsort(s->usec, count, sizeof *s->usec, by_value);
    printf("%s: the other client: %u connections, %u failed, median %.2f ms, p99 %.2f ms\n", during, s->count,
           s->failed, s->usec[count / 2] / 1000.0, s->usec[count * 99 / 100] / 1000.0);
    ck_assert_uint_eq(s->failed, 0);
}

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

/* ---- after each of them ---- */

/* The worker is still that one, and what clients did is told at info, if at all. */
static void expect_quiet_log(void)
{
    char *log = site_read("logs/http.log", NULL);
    static const char *const worse[] = {"[warn]", "[error]", "[crit]", "[alert]", "[emerg]"};
    for (unsigned i = 0; log && i < sizeof worse / sizeof *worse; i++) {
        const char *line = strstr(log, worse[i]);
        ck_assert_msg(!line, "%.200s", line);
    }
    free(log);
    ck_assert_int_eq(site_worker(), at_rest.worker);
}

static void end(const char *what, long most_kib)
{
    polite_end(what);
    expect_memory(what, most_kib);
    await_rest();
    expect_quiet_log();
}

/* ---- the attacks ---- */

/* A third says nothing, a third half of its hello, a third stops after the server's answer. They
 * keep nothing open past client_header_timeout, whatever they do. */
START_TEST(half_open)
{
    unsigned count = percent(1000);
    struct raw *r = calloc(count, sizeof *r);
    char bytes[4096];
    serve("client_header_timeout 3s;");
    polite_begin();
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
    end("half-open handshakes", 2048 + (long)count * 100);
    free(log_await_count("logs/http.log", "timed out", 1));
}
END_TEST

/* One byte after the other is slow, and nothing worse. */
START_TEST(byte_by_byte)
{
    serve("");
    polite_begin();
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
    end("a byte at a time", 2048);
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
    serve("client_header_timeout 2s;");
    polite_begin();
    for (unsigned i = 0; i < 20; i++) {
        struct raw r;
        raw_open(&r, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        if (i % 4 < 2)
            raw_send(&r, hello, raw_next(&r, hello, sizeof hello), sizeof hello);
        raw_send(&r, bytes, len, sizeof bytes);
        raw_expect_closed(&r);
        raw_close(&r, false);
    }
    end(floods[_i].what, 4096);
}
END_TEST

/* Lengths that no record may have, and bytes that mean nothing. */
START_TEST(nonsense)
{
    unsigned char bytes[20000];
    serve("client_header_timeout 2s;");
    polite_begin();
    for (unsigned i = 0; i < percent(1000); i++) {
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
    end("nonsense", 4096);
    free(log_await_count("logs/http.log", "[info]", percent(1000))); /* a line for each */
}
END_TEST

/* At every byte of what a client sends in a handshake and a request. */
START_TEST(closed_early)
{
    char bytes[16384];
    serve("");
    polite_begin();
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
    end("closed early", 2048);
}
END_TEST

/* Refused, and whoever goes on with it loses the connection at the deadline of a request. */
START_TEST(renegotiation)
{
    serve("client_header_timeout 2s;");
    polite_begin();
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
    end("renegotiation", 2048);
}
END_TEST

/* Each asks for an answer, which is never read. */
START_TEST(key_updates)
{
    serve("client_header_timeout 2s; send_timeout 2s;");
    polite_begin();
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
    end("key updates", 4096);
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
