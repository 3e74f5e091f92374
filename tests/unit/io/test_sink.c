/* test_sink.c - heads and bodies into a socket that takes little at a time, and into a transport
 * that takes memory only. */
#include "unit.h"

#include "base/list.h"
#include "io/sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 300000 };

static int ends[2];
static struct transport plain;
static struct sink sink;

static void setup(void)
{
    int small = 4096;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    transport_plain(&plain, ends[0]);
    sink = (struct sink){.transport = &plain};
}

static void teardown(void)
{
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static size_t drain(char *to)
{
    size_t total = 0;
    for (;;) {
        ssize_t n = read(ends[1], to + total, 100000);
        if (n <= 0)
            return total;
        total += (size_t)n;
    }
}

/* A source over a descriptor, as the page cache one is. */
struct slice {
    struct source base;
    int fd;
    off_t at, end;
};

static enum pull slice_pull(struct source *s, size_t want, struct chunk *out)
{
    struct slice *sl = (struct slice *)s;
    if (sl->at == sl->end)
        return PULL_END;
    size_t left = (size_t)(sl->end - sl->at);
    *out = (struct chunk){.fd = sl->fd, .offset = sl->at, .len = left < want ? left : want};
    return PULL_READY;
}

static void slice_consumed(struct source *s, size_t n)
{
    ((struct slice *)s)->at += (off_t)n;
}

static void slice_close(struct source *s)
{
    (void)s;
}

static const struct source_ops slice_ops = {
    .name = "slice", .pull = slice_pull, .consumed = slice_consumed, .close = slice_close};

/* Sends until done, draining in between; returns what came. */
static size_t send_all(struct text head, struct sink_body *body, uint64_t cap, char *got, unsigned *turns)
{
    size_t at = 0, total = 0;
    for (*turns = 1;; ++*turns) {
        enum sink_result r = sink_body(&sink, head, &at, body, cap);
        total += drain(got + total);
        if (r == SINK_DONE)
            return total;
        ck_assert(r == SINK_BLOCKED || r == SINK_TURN);
    }
}

static void check(const char *got, size_t len, struct text head)
{
    ck_assert_uint_eq(len, head.len + SIZE);
    ck_assert_mem_eq(got, head.at, head.len);
    assert_pattern(got + head.len, SIZE, 0);
    ck_assert_uint_eq(sink.sent, len);
}

START_TEST(memory_arrives_whole)
{
    static char bytes[SIZE], got[SIZE + 200000];
    struct text head = TEXT("HTTP/1.1 200 OK\r\n\r\n");
    unsigned turns;
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char)pattern_byte(i);
    struct sink_body body = {.left = SIZE};
    ck_assert_int_eq(source_open_bytes(&body.source, (struct text){bytes, SIZE}), 0);
    check(got, send_all(head, &body, 0, got, &turns), head);
    ck_assert_uint_gt(turns, 1);
    source_close(body.source);
}
END_TEST

START_TEST(slices_arrive_whole)
{
    static char got[SIZE + 200000];
    struct text head = TEXT("HTTP/1.1 200 OK\r\n\r\n");
    const char *path = unit_path("slice");
    unsigned turns;
    unit_write_pattern(path, SIZE);
    struct slice s = {.base.ops = &slice_ops, .fd = open(path, O_RDONLY | O_CLOEXEC), .end = SIZE};
    struct sink_body body = {.source = &s.base, .left = SIZE};
    check(got, send_all(head, &body, 10000, got, &turns), head);
    ck_assert_uint_ge(turns, SIZE / 10000);
    close(s.fd);
}
END_TEST

/* sendfile at the end of a file that was longer when the length was promised. */
START_TEST(truncation_is_noticed)
{
    static char got[200000];
    const char *path = unit_path("short");
    size_t at = 0;
    unit_write_pattern(path, 1000);
    struct slice s = {.base.ops = &slice_ops, .fd = open(path, O_RDONLY | O_CLOEXEC), .end = 2000};
    struct sink_body body = {.source = &s.base, .left = 2000};
    ck_assert_int_eq(sink_body(&sink, TEXT("h"), &at, &body, 0), SINK_SOURCE_FAILED);
    ck_assert_int_eq(s.base.error, -ENODATA);
    ck_assert_int_eq(s.base.error_offset, 1000);
    ck_assert_uint_eq(drain(got), 1001);
    close(s.fd);
}
END_TEST

START_TEST(early_end_is_noticed)
{
    size_t at = 0;
    struct sink_body body = {.left = 10};
    ck_assert_int_eq(source_open_bytes(&body.source, TEXT("12345")), 0);
    ck_assert_int_eq(sink_body(&sink, TEXT(""), &at, &body, 0), SINK_SOURCE_FAILED);
    ck_assert_int_eq(body.source->error, -ENODATA);
    source_close(body.source);
}
END_TEST

START_TEST(broken_socket_is_told)
{
    size_t at = 0;
    close(ends[1]);
    ends[1] = -1;
    ck_assert_int_eq(sink_bytes(&sink, TEXT("x"), &at, false), SINK_FAILED);
    ck_assert_int_eq(sink.error, -EPIPE);
}
END_TEST

/* Over loopback; returns the client's end, and the server's in *server. */
static int tcp_pair(int *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&at, len), 0);
    *server = accept(listener, NULL, NULL);
    ck_assert_int_ge(*server, 0);
    close(listener);
    return client;
}

/* The kernel holds them until the FIN, for 200 ms at the longest: a test that was itself stopped
 * for so long says nothing. */
START_TEST(last_bytes_wait_for_the_end)
{
    struct sink_body none = {0};
    struct timespec begun, done;
    struct text head = TEXT("the last of it");
    int server, client = tcp_pair(&server), unsent = -1;
    struct transport to_client;
    struct sink last = {.transport = &to_client, .closing = true};
    size_t at = 0;
    char got[64];

    transport_plain(&to_client, server);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    ck_assert_int_eq(sink_body(&last, head, &at, &none, 0), SINK_DONE);
    ck_assert_int_eq(ioctl(server, SIOCOUTQNSD, &unsent), 0);
    clock_gettime(CLOCK_MONOTONIC, &done);
    if ((done.tv_sec - begun.tv_sec) * 1000 + (done.tv_nsec - begun.tv_nsec) / 1000000 < 150)
        ck_assert_int_eq(unsent, (int)head.len);
    close(server);
    ck_assert_int_eq(recv(client, got, sizeof got, MSG_WAITALL), (ssize_t)head.len);
    ck_assert_mem_eq(got, head.at, head.len);
    close(client);
}
END_TEST

/* ---- a transport that takes memory only, as much at a time as the script says ---- */

enum { TAKES_MOST = 16 };

static struct scripted {
    struct transport base;
    ssize_t script[TAKES_MOST]; /* bytes to take, or -errno; 0: the end of the script, takes everything */
    unsigned calls;
    char got[4096], calls_made[256]; /* bytes; and for each call its pieces, with + where more is to follow */
    size_t len;
} scripted;

static ssize_t scripted_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    struct scripted *s = container_of(t, struct scripted, base);
    ssize_t most = s->calls < TAKES_MOST ? s->script[s->calls++] : 0;
    size_t len = strlen(s->calls_made), taken = 0;

    snprintf(s->calls_made + len, sizeof s->calls_made - len, "%s%d%s", len > 0 ? " " : "", count, more ? "+" : "");
    if (most < 0)
        return most;
    for (int i = 0; i < count; i++) {
        size_t left = most > 0 ? (size_t)most - taken : SIZE_MAX;
        size_t n = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        ck_assert_uint_le(s->len + n, sizeof s->got);
        memcpy(s->got + s->len, pieces[i].iov_base, n);
        s->len += n;
        taken += n;
    }
    return (ssize_t)taken;
}

static const struct transport_ops scripted_ops = {.send = scripted_send};

static void begin_script(const ssize_t *script, size_t count)
{
    scripted = (struct scripted){.base.ops = &scripted_ops, .base.fd = -1};
    for (size_t i = 0; i < count; i++)
        scripted.script[i] = script[i];
    sink = (struct sink){.transport = &scripted.base};
}

#define BEGIN(...)                                                                                                     \
    begin_script((const ssize_t[]){__VA_ARGS__}, sizeof((const ssize_t[]){__VA_ARGS__}) / sizeof(ssize_t))

static void expect_taken(const char *bytes, const char *calls)
{
    ck_assert_uint_eq(scripted.len, strlen(bytes));
    ck_assert_mem_eq(scripted.got, bytes, scripted.len);
    ck_assert_str_eq(scripted.calls_made, calls);
    ck_assert_uint_eq(sink.sent, scripted.len);
}

START_TEST(memory_only_in_pieces)
{
    struct sink_body body = {.left = 10};
    size_t at = 0;
    BEGIN(3, -EAGAIN, 4, 2, -EAGAIN, 1);
    ck_assert_int_eq(source_open_bytes(&body.source, TEXT("0123456789")), 0);
    ck_assert_int_eq(sink_body(&sink, TEXT("head"), &at, &body, 0), SINK_BLOCKED);
    ck_assert_uint_eq(at, 3);
    ck_assert_uint_eq(body.sent, 0);
    ck_assert_int_eq(sink_body(&sink, TEXT("head"), &at, &body, 0), SINK_BLOCKED);
    ck_assert_uint_eq(at, 4);
    ck_assert_uint_eq(body.sent, 5);
    ck_assert_uint_eq(body.left, 5);
    ck_assert_int_eq(sink_body(&sink, TEXT("head"), &at, &body, 0), SINK_DONE);
    expect_taken("head0123456789", "2 2 2 1 1 1 1");
    ck_assert_uint_eq(body.left, 0);
    source_close(body.source);
}
END_TEST

/* More follows until the last chunk; and behind that where the end of the connection goes with
 * it. */
START_TEST(memory_only_more_follows)
{
    for (int closing = 0; closing < 2; closing++) {
        struct sink_body body = {.left = 6};
        size_t at = 0;
        BEGIN(0);
        sink.closing = closing;
        ck_assert_int_eq(source_open_bytes(&body.source, TEXT("abcdef")), 0);
        ck_assert_int_eq(sink_body(&sink, TEXT("h"), &at, &body, 4), SINK_TURN);
        expect_taken("habcd", "2+");
        ck_assert_int_eq(sink_body(&sink, TEXT("h"), &at, &body, 4), SINK_DONE);
        expect_taken("habcdef", closing ? "2+ 1+" : "2+ 1");
        source_close(body.source);
    }
}
END_TEST

START_TEST(memory_only_bytes)
{
    size_t at = 0;
    BEGIN(2, -EAGAIN);
    ck_assert_int_eq(sink_bytes(&sink, TEXT("12345"), &at, true), SINK_BLOCKED);
    ck_assert_uint_eq(at, 2);
    ck_assert_int_eq(sink_bytes(&sink, TEXT("12345"), &at, false), SINK_DONE);
    expect_taken("12345", "1+ 1+ 1");
    ck_assert_int_eq(sink_bytes(&sink, TEXT("12345"), &at, false), SINK_DONE); /* no call for nothing */
    expect_taken("12345", "1+ 1+ 1");
}
END_TEST

static const struct {
    int error;
    enum sink_result result;
} broken[] = {{-EPIPE, SINK_FAILED}, {-ECONNRESET, SINK_FAILED}, {-EIO, SINK_FAILED}, {-EFAULT, SINK_SOURCE_FAILED}};

START_TEST(memory_only_breaks)
{
    struct sink_body body = {.left = 10};
    size_t at = 0;
    BEGIN(6, broken[_i].error);
    ck_assert_int_eq(source_open_bytes(&body.source, TEXT("0123456789")), 0);
    ck_assert_int_eq(sink_body(&sink, TEXT("head"), &at, &body, 0), broken[_i].result);
    ck_assert_int_eq(broken[_i].result == SINK_FAILED ? sink.error : body.source->error, broken[_i].error);
    expect_taken("head01", "2 1");
    ck_assert_uint_eq(body.sent, 2);
    source_close(body.source);
}
END_TEST

/* The policy keeps slices away from it; one that comes all the same ends the response, not the
 * worker. */
START_TEST(memory_only_gets_a_slice)
{
    size_t at = 0;
    const char *path = unit_write("slice", "file", 4);
    struct slice s = {.base.ops = &slice_ops, .fd = open(path, O_RDONLY | O_CLOEXEC), .end = 4};
    struct sink_body body = {.source = &s.base, .left = 4};
    BEGIN(0);
    ck_assert_int_eq(sink_body(&sink, TEXT("head"), &at, &body, 0), SINK_SOURCE_FAILED);
    ck_assert_int_eq(s.base.error, -EOPNOTSUPP);
    expect_taken("head", "1+");
    close(s.fd);
}
END_TEST

Suite *suite_io_sink(void);

Suite *suite_io_sink(void)
{
    Suite *s = suite_create("io/sink");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, memory_arrives_whole);
    tcase_add_test(t, slices_arrive_whole);
    tcase_add_test(t, truncation_is_noticed);
    tcase_add_test(t, early_end_is_noticed);
    tcase_add_test(t, broken_socket_is_told);
    tcase_add_test(t, last_bytes_wait_for_the_end);
    tcase_add_test(t, memory_only_in_pieces);
    tcase_add_test(t, memory_only_more_follows);
    tcase_add_test(t, memory_only_bytes);
    tcase_add_loop_test(t, memory_only_breaks, 0, sizeof broken / sizeof broken[0]);
    tcase_add_test(t, memory_only_gets_a_slice);
    suite_add_tcase(s, t);
    return s;
}
