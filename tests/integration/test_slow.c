/* test_slow.c - clients that read slowly, all at once, not at all, or go away; and the timeouts
 * that end their stay. */
#include "faulty.h"
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

static const struct way {
    const char *conf, *nginx_conf;
} ways[] = {
    {"io_method sendfile;", "sendfile on;"},
    {"io_method mmap;", "sendfile on; sendfile_max_chunk 30k;"},
    {"io_method buffered;", "sendfile off;"},
    {"io_method direct;", "directio 1;"},
    {"sendfile on; tcp_nopush on; sendfile_max_chunk 50k;", "sendfile on; tcp_nopush on; sendfile_max_chunk 50k;"},
    {"io_method direct; aio libaio;", "directio 1; aio threads;"},
    {"io_method direct; aio threads;", "directio 1; aio threads;"},
};

enum { WAYS = sizeof ways / sizeof *ways };

static void serve(int way, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text, "location / { root @DISK@/data; %s }\n%s",
             on_nginx() ? ways[way].nginx_conf : ways[way].conf, more);
    site_serve(text);
}

START_TEST(slow_reader)
{
    const off_t size = 3 * MIB + 17;
    site_pattern(site_data("f"), size);
    serve(_i, "");
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\nGET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=-100\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    off_t at = 0;
    for (int pauses = 0; at < size;) {
        if (pauses++ < 40)
            sleep_msec(3);
        off_t piece = size - at < 20011 ? size - at : 20011;
        client_expect_pattern(&c, at, piece);
        at += piece;
    }
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 206);
    client_expect_pattern(&c, size - 100, 100);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* ---- many at once ---- */

enum { DOWNLOADS = 200 };

struct download {
    struct site_client c;
    bool in_body;
    size_t head_len;
    char head[1024];
    off_t start, got, want;
};

static void start_download(struct download *d, int i, off_t size)
{
    *d = (struct download){.start = i * 37 % 5000};
    d->want = size - d->start;
    client_open(&d->c, site_port(0));
    client_say(&d->c, "GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=%jd-\r\nConnection: close\r\n\r\n",
               (intmax_t)d->start);
}

static void take_bytes(struct download *d, const char *bytes, size_t len)
{
    if (!d->in_body) {
        size_t n = len < sizeof d->head - 1 - d->head_len ? len : sizeof d->head - 1 - d->head_len;
        memcpy(d->head + d->head_len, bytes, n);
        d->head[d->head_len + n] = '\0';
        const char *end = strstr(d->head, "\r\n\r\n");
        if (!end) {
            d->head_len += n;
            return;
        }
        ck_assert_msg(!strncmp(d->head, "HTTP/1.1 206 ", 13), "%.40s", d->head);
        size_t used = (size_t)(end + 4 - d->head) - d->head_len;
        bytes += used;
        len -= used;
        d->in_body = true;
    }
    ck_assert_int_le(d->got + (off_t)len, d->want);
    assert_pattern(bytes, len, d->start + d->got);
    d->got += (off_t)len;
}

/* At most 256 KiB, so that all move on together. True when the server has closed. */
static bool read_some(struct download *d)
{
    static char buffer[262144];
    ssize_t n = client_read(&d->c, buffer, sizeof buffer, false);
    if (n < 0 && errno == EAGAIN)
        return false;
    ck_assert_msg(n >= 0, "after %jd of %jd bytes: %s", (intmax_t)d->got, (intmax_t)d->want, strerror(errno));
    if (n == 0)
        return true;
    take_bytes(d, buffer, (size_t)n);
    return false;
}

START_TEST(two_hundred_downloads)
{
    const off_t size = 5 * MIB;
    static struct download downloads[DOWNLOADS];
    struct pollfd polls[DOWNLOADS];
    site_pattern(site_data("f"), size);
    serve(_i, "");
    for (int i = 0; i < DOWNLOADS; i++) {
        start_download(&downloads[i], i, size);
        polls[i] = (struct pollfd){.fd = downloads[i].c.channel.fd, .events = POLLIN};
    }
    for (int left = DOWNLOADS; left > 0;) {
        ck_assert_msg(poll(polls, DOWNLOADS, scaled(15000)) > 0, "%d downloads stand still", left);
        for (int i = 0; i < DOWNLOADS; i++) {
            if (polls[i].fd < 0 || !polls[i].revents || !read_some(&downloads[i]))
                continue;
            ck_assert_int_eq(downloads[i].got, downloads[i].want);
            client_close(&downloads[i].c);
            polls[i].fd = -1;
            left--;
        }
    }
}
END_TEST

/* A reader that stands still must not hold up the others. */
START_TEST(stuck_reader_holds_up_nobody)
{
    const off_t size = 8 * MIB;
    site_pattern(site_data("f"), size);
    serve(_i, "");
    struct site_client stuck[20];
    for (int i = 0; i < 20; i++) {
        client_open_sized(&stuck[i], site_port(0), 4096);
        client_say(&stuck[i], "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_fill(&stuck[i]));
    }
    struct site_response r;
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, (size_t)size);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    for (int i = 0; i < 20; i++)
        client_close(&stuck[i]);
}
END_TEST

START_TEST(clients_reset_in_the_middle)
{
    const off_t size = 4 * MIB;
    site_pattern(site_data("f"), size);
    serve(_i, "");
    for (int i = 0; i < 80; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\nGET /f HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i % 4) {
            ck_assert(client_head(&c, &r));
            client_expect_pattern(&c, 0, 1000 * i);
            site_response_free(&r);
        }
        if (i % 2)
            client_reset(&c);
        else
            client_close(&c);
    }
    struct site_response r;
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, (size_t)size);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
}
END_TEST

/* ---- timeouts ---- */

/* The server closes, perhaps with a 408 first. */
static void expect_timeout(struct site_client *c)
{
    struct site_response r;
    if (client_receive(c, &r)) {
        ck_assert_int_eq(r.status, 408);
        site_response_free(&r);
    }
    ck_assert(client_ends(c));
}

/* What is read of a body that was refused is thrown away, but not for longer than lingering_time,
 * however much there is to be read. */
START_TEST(lingering_ends)
{
    struct site_client c;
    struct site_response r;
    if (on_nginx() || !faulty_setup())
        return;
    site_conf_server("client_max_body_size 1k; lingering_time 300ms;");
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    client_open(&c, site_port(0));
    client_say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 413);
    site_response_free(&r);
    faulty_follow_worker();
    faulty_arm(FAULTY_RECV, FAULTY_ENDLESS, 0, INT_MAX);
    int64_t until = now_msec() + scaled(8000);
    while (client_say(&c, "x") == 1) { /* until it meets a socket that is closed */
        ck_assert_msg(now_msec() < until, "still read from");
        sleep_msec(5);
    }
    ck_assert_int_gt(faulty_disarm(), 0);
    client_close(&c);
}
END_TEST

START_TEST(client_header_timeout)
{
    site_write("html/a.txt", "hello\n");
    site_serve("client_header_timeout 1s;");
    struct site_client c[4];
    for (int i = 0; i < 4; i++)
        client_open(&c[i], site_port(0));
    client_say(&c[1], "GET /a.t");
    client_say(&c[2], "GET /a.txt HTTP/1.1\r\nHost: a\r\n");
    client_say(&c[3], "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    /* The limit is on the whole head: drops of it buy no time. */
    int64_t begun = now_msec();
    for (int i = 0; i < 40 && now_msec() - begun < 4000 && !c[2].eof; i++) {
        if (client_has_input(&c[2], 100))
            break;
        client_say(&c[2], "X");
    }
    ck_assert_msg(c[2].eof || c[2].len > 0, "still open after 4 s");
    expect_timeout(&c[1]);
    expect_timeout(&c[0]);
    struct site_response r;
    ck_assert(client_receive(&c[3], &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    ck_assert(client_stays_open(&c[3]));
    for (int i = 0; i < 4; i++)
        client_close(&c[i]);
    free(log_await("logs/access.log", "\" 408 "));
}
END_TEST

/* One empty line before a request is allowed, and buys no time; two are no request. */
static const struct trickle {
    const char *head, *piece;
    int status;
} trickles[] = {
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", "x", 200},
    {"POST /back HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 409},
    {"GET /no HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n", "x", 403},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 200},
};

/* A piece of the body from time to time, so that client_body_timeout never has its turn. */
static void trickle_until(struct site_client *c, const char *piece, bool (*seen)(struct site_client *c))
{
    int64_t deadline = now_msec() + scaled(15000);

    while (!seen(c)) {
        ck_assert_msg(now_msec() < deadline, "the body still goes on");
        if (client_say(c, "%s", piece) == 0)
            return;
    }
}

static bool is_answered(struct site_client *c)
{
    return client_has_input(c, 50);
}

static bool is_closed(struct site_client *c)
{
    struct pollfd p = {.fd = c->channel.fd};
    return poll(&p, 1, 50) > 0 && (p.revents & (POLLERR | POLLHUP));
}

/* It is answered all the same, and the connection ends. */
START_TEST(body_without_end)
{
    const struct trickle *t = &trickles[_i];
    site_write("html/a.txt", "hello\n");
    site_serve("client_body_timeout 20s; lingering_timeout 20s; lingering_time 1s;\n"
               "location /back { return 409; } location /no { deny all; }");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "%s", t->head);
    trickle_until(&c, t->piece, is_answered);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, t->status);
    if (!on_nginx()) /* which answers before it knows */
        assert_header(&r, "Connection", "close");
    site_response_free(&r);
    trickle_until(&c, t->piece, is_closed);
    client_close(&c);
}
END_TEST

/* Several bodies on one connection: each has a time of its own, and one that comes in time ends
 * nothing. */
START_TEST(body_in_time)
{
    site_write("html/a.txt", "hello\n");
    site_serve("lingering_time 20s;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 3; i++) {
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
        client_has_input(&c, 20);
        client_say(&c, "b");
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    ck_assert(client_stays_open(&c));
    client_close(&c);
}
END_TEST

START_TEST(empty_lines)
{
    site_write("html/a.txt", "hello\n");
    site_serve("client_header_timeout 1s;");
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "\r\n");
    ck_assert(client_ends(&c)); /* without an answer */
    client_close(&c);
    client_open(&c, site_port(0));
    client_say(&c, "\r\n\r\n");
    struct site_response r;
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 400);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(too_many_fields)
{
    site_write("html/a.txt", "hello\n");
    site_serve("max_headers 3;");
    static const char few[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n";
    static const char more[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
    ck_assert_int_eq(site_status_of_bytes(few, sizeof few - 1), 200);
    ck_assert_int_eq(site_status_of_bytes(more, sizeof more - 1), 431);
}
END_TEST

START_TEST(client_body_timeout)
{
    site_write("html/a.txt", "hello\n");
    site_serve("client_body_timeout 1s; lingering_timeout 1s; lingering_time 2s;");
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    struct site_response r;
    /* Whether the answer comes before the body is read or after: it ends. */
    while (client_receive(&c, &r)) {
        ck_assert(r.status == 200 || r.status == 408);
        site_response_free(&r);
    }
    ck_assert(client_ends(&c));
    client_close(&c);
}
END_TEST

START_TEST(send_timeout)
{
    const off_t size = 16 * MIB;
    site_pattern(site_data("f"), size);
    serve(_i, "send_timeout 1s;");
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_fill(&c));
    free(log_await("logs/access.log", "\"GET /f HTTP/1.1\" 200 "));
    off_t got = (off_t)c.len;
    for (c.len = 0; client_fill(&c); c.len = 0)
        got += (off_t)c.len;
    ck_assert_int_lt(got, size);
    client_close(&c);
}
END_TEST

START_TEST(reset_timedout_connection)
{
    const off_t size = 16 * MIB;
    site_pattern(site_data("f"), size);
    serve(0, "send_timeout 1s; reset_timedout_connection on;");
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_fill(&c));
    free(log_await("logs/access.log", "\"GET /f HTTP/1.1\" 200 "));
    for (c.len = 0; client_fill(&c); c.len = 0)
        ;
    ck_assert_int_eq(c.error, ECONNRESET);
    client_close(&c);
}
END_TEST

/* A client that takes its bytes slowly, but takes them, is not cut off. */
START_TEST(send_timeout_counts_from_the_last_progress)
{
    const off_t size = 6 * MIB;
    site_pattern(site_data("f"), size);
    serve(_i, "send_timeout 1s;");
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 65536);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    for (int i = 0; i < 12; i++) {
        client_expect_pattern(&c, i * (size / 12), size / 12);
        sleep_msec(200);
    }
    client_close(&c);
}
END_TEST

/* Far more slowly than the kernel's buffer lets the server send again: there is a third of it to be
 * taken first. */
START_TEST(send_timeout_sees_what_the_kernel_sends)
{
    const off_t size = 8 * MIB;
    site_pattern(site_data("f"), size);
    serve(0, _i ? "send_timeout 1s; send_min_rate 1000 5s;" : "send_timeout 1s;");
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    off_t at = 0;
    for (; at < 100 * 4096; at += 4096, sleep_msec(40))
        client_expect_pattern(&c, at, 4096);
    client_expect_pattern(&c, at, size - at);
    client_close(&c);
}
END_TEST

/* ---- the end of a connection: what the kernel still holds for the client ---- */

struct tcp_row {
    unsigned state; /* of the kernel's enum: 1 is established */
    unsigned long unsent, inode;
};

/* The server's end of the only connection to its port that has more than a little unsent; false:
 * there is none. */
static bool find_sender(struct tcp_row *row)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/net/tcp", "re");
    ck_assert_ptr_nonnull(f);
    while (!found && fgets(line, sizeof line, f)) {
        unsigned port;
        found = sscanf(line, " %*u: %*x:%x %*x:%*x %x %lx:%*x %*x:%*x %*x %*u %*u %lu", &port, &row->state,
                       &row->unsent, &row->inode) == 4 &&
                port == (unsigned)site_port(0) && row->state != 10 && row->unsent > 4608;
    }
    fclose(f);
    return found;
}

/* Of the last response: a socket without an owner is reset when TCP's memory is used up, whatever
 * its client does. */
START_TEST(the_end_has_an_owner)
{
    static const struct {
        const char *conf, *field;
        bool half_close, orphan;
    } ends[] = {{"", "Connection: close\r\n", false, false},
                {"", "Connection: close\r\n", true, false},
                {"keepalive_timeout 1s;", "", false, false},
                {"lingering_close off;", "Connection: close\r\n", false, true}};
    const off_t size = MIB + 12345;
    struct site_client c;
    struct site_response r;
    struct tcp_row row;
    site_pattern(site_data("f"), size);
    site_write("html/a.txt", "hello\n");
    serve(0, ends[_i].conf);
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n%s\r\n", ends[_i].field);
    if (ends[_i].half_close)
        client_end_sending(&c);
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    free(log_await("logs/access.log", "\"GET /f HTTP/1.1\" 200 "));
    int64_t deadline = now_msec() + scaled(8000);
    do { /* until it has ended its side */
        ck_assert_int_lt(now_msec(), deadline);
        site_status_of("/none");
        ck_assert(find_sender(&row));
    } while (row.state == 1 || row.state == 8);
    ck_assert_int_eq(row.inode == 0, ends[_i].orphan);
    client_expect_pattern(&c, 0, size);
    ck_assert(client_ends(&c));
    client_close(&c);
    site_stop(SIGQUIT);
}
END_TEST

/* Headers trickle in on many connections while others want to be served. */
START_TEST(slow_heads_hold_up_nobody)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    struct site_client c[100];
    for (int i = 0; i < 100; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /a.txt HTTP/1.1\r\nHost: a\r\nX-%d: ", i);
    }
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(site_status_of("/a.txt"), 200);
    for (int i = 0; i < 100; i++) {
        struct site_response r;
        client_say(&c[i], "v\r\n\r\n");
        ck_assert(client_receive(&c[i], &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        client_close(&c[i]);
    }
}
END_TEST

/* Who only connects, or keeps a connection alive, keeps nobody out; who is being answered, or has
 * begun to ask, is left alone. */
START_TEST(idle_connections_make_room)
{
    enum { IDLE = 40 };
    struct site_client c[IDLE], asking, served, again;
    struct site_response r;
    site_write("html/a.txt", "hello\n");
    site_pattern("html/big", 8 << 20);
    site_conf("@MAIN@\nevents { worker_connections 20; }\nhttp { @HTTP@\nserver { listen 127.0.0.1:@PORT@; root "
              "@DIR@/html; } }");
    site_start();
    site_allow_alerts(); /* clients that go are not idle while they do: there may be no room for a moment */
    client_open(&asking, site_port(0));
    client_say(&asking, "GET /a.txt HTTP/1.1\r\n");
    client_open_sized(&served, site_port(0), 4096);
    client_say(&served, "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive_head(&served, &r));
    site_response_free(&r);
    for (int i = 0; i < IDLE; i++) {
        client_open(&c[i], site_port(0));
        if (i % 2) {
            client_say(&c[i], "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
            ck_assert(client_receive(&c[i], &r));
            site_response_free(&r);
        }
    }
    client_open(&again, site_port(0));
    client_say(&again, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&again, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_say(&asking, "Host: a\r\n\r\n");
    ck_assert(client_receive(&asking, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_expect_pattern(&served, 0, 8 << 20);
    ck_assert(client_ends(&c[0])); /* idle for longest */
    free(log_await("logs/error.log", "[warn] "));
    for (int i = 0; i < IDLE; i++)
        client_close(&c[i]);
    client_close(&again);
    client_close(&asking);
    client_close(&served);
}
END_TEST

/* A place is taken from who has been idle for longest, whatever its timeout: who has just come is
 * about to ask. */
START_TEST(who_came_last_stays)
{
    enum { IDLE = 16, NEW = 8 };
    struct site_client c[IDLE], new[NEW];
    struct site_response r;
    site_write("html/a.txt", "hello\n");
    site_conf(
        "@MAIN@\nevents { worker_connections 20; }\nhttp { @HTTP@\nclient_header_timeout 30s; keepalive_timeout 1h;\n"
        "server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    site_start();
    site_allow_alerts(); /* clients that go are not idle while they do: there may be no room for a moment */
    for (int i = 0; i < IDLE; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c[i], &r));
        site_response_free(&r);
    }
    for (int i = 0; i < NEW; i++)
        client_open(&new[i], site_port(0));
    ck_assert(client_ends(&c[0]));
    for (int i = 0; i < NEW; i++) {
        client_say(&new[i], "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&new[i], &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        client_close(&new[i]);
    }
    for (int i = 0; i < IDLE; i++)
        client_close(&c[i]);
}
END_TEST

/* Nor does who is to begin with a PROXY protocol header, and says nothing. */
START_TEST(silent_proxies_make_room)
{
    enum { SILENT = 40 };
    struct site_client c[SILENT], again;
    struct site_response r;
    site_write("html/a.txt", "hello\n");
    site_conf("@MAIN@\nevents { worker_connections 20; }\nhttp { @HTTP@\nserver { listen 127.0.0.1:@PORT@; "
              "listen 127.0.0.1:@PORT1@ proxy_protocol; root @DIR@/html; } }");
    site_start();
    site_allow_alerts(); /* clients that go are not idle while they do: there may be no room for a moment */
    for (int i = 0; i < SILENT; i++)
        client_open(&c[i], site_port(1));
    client_open(&again, site_port(0));
    client_say(&again, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&again, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_close(&again);
    for (int i = 0; i < SILENT; i++)
        client_close(&c[i]);
}
END_TEST

/* All places but one are taken by who cannot be asked to go, and that one goes idle: it makes room
 * all the same, and nobody is promised a place to stay. */
START_TEST(the_last_place)
{
    enum { PLACES = 20 };
    struct site_client c[PLACES], waiting;
    struct site_response r;
    site_write("html/a.txt", "hello\n");
    site_conf("@MAIN@\nevents { worker_connections 20; }\nhttp { @HTTP@\nserver { listen 127.0.0.1:@PORT@; root "
              "@DIR@/html; } }");
    site_start();
    site_allow_alerts();
    for (int i = 0; i < PLACES; i++) {
        client_open(&c[i], site_port(0));
        if (i < PLACES - 1)
            client_say(&c[i], "GET /a.txt HTTP/1.1\r\n");
    }
    free(log_await("logs/error.log", "20 worker_connections are not enough"));
    client_open(&waiting, site_port(0));
    client_say(&waiting, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&waiting, &r));
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Connection", "close");
    site_response_free(&r);
    ck_assert(client_ends(&c[PLACES - 1]));
    for (int i = 0; i < PLACES - 1; i++) {
        client_say(&c[i], "Host: a\r\n\r\n");
        ck_assert(client_receive(&c[i], &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    for (int i = 0; i < PLACES; i++)
        client_close(&c[i]);
    client_close(&waiting);
}
END_TEST

START_TEST(worker_connections_run_out)
{
    site_write("html/a.txt", "hello\n");
    site_conf("@MAIN@\nevents { worker_connections 20; }\nhttp { @HTTP@\nserver { listen 127.0.0.1:@PORT@; root "
              "@DIR@/html; } }");
    site_start();
    site_allow_alerts();
    struct site_client c[40];
    for (int i = 0; i < 40; i++)
        client_open(&c[i], site_port(0));
    sleep_msec(50);
    for (int i = 0; i < 40; i++)
        client_close(&c[i]);
    /* Room again, soon. */
    int64_t deadline = now_msec() + scaled(5000);
    for (bool served = false; !served; sleep_msec(20)) {
        struct site_client again;
        struct site_response r;
        ck_assert_int_lt(now_msec(), deadline);
        client_open(&again, site_port(0));
        client_say(&again, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        served = client_receive(&again, &r) && r.status == 200;
        site_response_free(&r);
        client_close(&again);
    }
}
END_TEST

Suite *suite_slow(void)
{
    Suite *s = suite_create("slow");
    TCase *tc = site_case(s, "slow", 60);
    tcase_add_loop_test(tc, slow_reader, 0, WAYS);
    tcase_add_loop_test(tc, two_hundred_downloads, 0, WAYS);
    tcase_add_loop_test(tc, stuck_reader_holds_up_nobody, 0, WAYS);
    tcase_add_loop_test(tc, clients_reset_in_the_middle, 0, WAYS);
    TCase *timeouts = site_case(s, "timeouts", 40);
    tcase_add_test(timeouts, lingering_ends);
    tcase_add_test(timeouts, client_header_timeout);
    tcase_add_test(timeouts, client_body_timeout);
    tcase_add_loop_test(timeouts, body_without_end, 0, (int)(sizeof trickles / sizeof *trickles));
    tcase_add_test(timeouts, body_in_time);
    tcase_add_test(timeouts, empty_lines);
    tcase_add_test(timeouts, too_many_fields);
    tcase_add_loop_test(timeouts, send_timeout, 0, 4);
    tcase_add_tcp_test(timeouts, reset_timedout_connection, "a reset");
    tcase_add_loop_test(timeouts, send_timeout_counts_from_the_last_progress, 0, 4);
    if (!on_nginx()) {
        tcase_add_tcp_loop_test(timeouts, send_timeout_sees_what_the_kernel_sends, 0, 2,
                                "a unix socket tells of what was taken in whole buffers");
        tcase_add_tcp_loop_test(timeouts, the_end_has_an_owner, 0, 4, "what is sent outlives its sender");
    }
    tcase_add_test(timeouts, slow_heads_hold_up_nobody);
    tcase_add_test(timeouts, idle_connections_make_room);
    tcase_add_test(timeouts, who_came_last_stays);
    tcase_add_plain_test(timeouts, silent_proxies_make_room, "the header comes before TLS: suite tls_handshake");
    tcase_add_test(timeouts, the_last_place);
    tcase_add_test(timeouts, worker_connections_run_out);
    return s;
}
