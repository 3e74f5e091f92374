/* test_calls.c - how many system calls a request may cost: those that were saved stay saved. */
#include "faulty.h"
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static bool start(void)
{
    if (!faulty_setup())
        return false;
    site_conf("@MAIN@\nevents { worker_connections 64; }\nhttp {\n@HTTP@\nserver {\n"
              "listen 127.0.0.1:@PORT@;\nroot @DISK@/data; open_file_cache max=9; open_file_cache_content 8k;\n"
              "location /uncached/ { alias @DISK@/data/; open_file_cache off; }\n"
              "location /plain/ { alias @DISK@/data/; open_file_cache off; sendfile off; }\n"
              "location /forced/ { alias @DISK@/data/; open_file_cache off; io_method sendfile; }\n}\n}\n");
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    faulty_follow_worker();
    return true;
}

static void receive(struct site_client *c)
{
    struct site_response r;

    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, 3000);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
}

static void ask_once(struct site_client *c)
{
    client_open(c, site_port(0));
    client_say(c, "GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

/* Until the worker has closed it. */
static void take_all(struct site_client *c)
{
    receive(c);
    ck_assert(client_ends(c));
    client_close(c);
}

/* What only the first requests do is over then, and the file is in memory. */
static void warm_up(void)
{
    struct site_client c;

    for (int i = 0; i < 3; i++) {
        ask_once(&c);
        take_all(&c);
    }
}

/* The worker stands still until the requests are there, so that none has to be waited for. */
START_TEST(connection_without_a_wait_is_not_watched)
{
    enum { CONNECTIONS = 8 };
    struct site_client c[CONNECTIONS];

    site_pattern(site_data("small"), 3000);
    if (!start())
        return;
    pid_t worker = faulty_follow_worker();
    warm_up();
    faulty_count(FAULTY_WATCH);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        ask_once(&c[i]);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        take_all(&c[i]);
    ck_assert_int_eq(faulty_seen(), 0);
    faulty_disarm();
}
END_TEST

/* One that has to wait is watched, and told of what came before: here the end of a request whose
 * beginning was there when it was accepted. */
START_TEST(connection_that_waits_is_watched_once)
{
    struct site_client c;

    site_pattern(site_data("small"), 3000);
    if (!start())
        return;
    warm_up();
    faulty_count(FAULTY_WATCH);
    client_open(&c, site_port(0));
    client_say(&c, "GET /small HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 5; i++) {
        sleep_msec(20);
        client_say(&c, i < 4 ? "X-More: b\r\n" : "\r\n");
    }
    receive(&c);
    for (int i = 0; i < 3; i++) {
        client_say(&c, "GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
        receive(&c);
    }
    ck_assert_int_eq(faulty_seen(), 1);
    client_close(&c);
    faulty_disarm();
}
END_TEST

/* ---- what is read of files ---- */

/* Whether the kernel says what is in memory here: overlayfs, FUSE and others do not. */
static bool tells_what_is_resident(const char *path)
{
    char byte;
    struct iovec iov = {&byte, 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = preadv2(fd, &iov, 1, 0, RWF_NOWAIT);

    close(fd);
    if (n != 1)
        printf("skipped: no RWF_NOWAIT on this filesystem\n");
    return n == 1;
}

static const struct cost {
    const char *target, *fields;
    size_t len; /* 0: not looked at */
    long preads, sendfiles, sends;
} costs[] = {
    {"/uncached/one", "", 1, 1, 0, 1},
    {"/uncached/little", "", 8192, 1, 0, 1},
    {"/uncached/f", "Range: bytes=100-8291\r\n", 8192, 1, 0, 1},
    {"/uncached/f", "Range: bytes=0-1023,20000-21023,50000-51023\r\n", 0, 3, 0, 1},
    {"/plain/little", "", 8192, 1, 0, 1},
    {"/plain/f", "Range: bytes=0-1023,20000-21023,50000-51023\r\n", 0, 3, 0, 1},
};

static long count(enum faulty_call call, struct site_client *c, const struct cost *cost)
{
    struct site_response r;

    faulty_count(call);
    client_say(c, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", cost->target, cost->fields);
    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, *cost->fields ? 206 : 200);
    ck_assert_uint_eq(r.len, cost->len > 0 ? cost->len : r.len);
    site_response_free(&r);
    long seen = faulty_seen();
    faulty_disarm();
    return seen;
}

START_TEST(cost_of_a_response)
{
    const struct cost *cost = &costs[_i];
    struct site_client c;

    site_pattern(site_data("one"), 1);
    site_pattern(site_data("little"), 8192);
    site_pattern(site_data("f"), 300001);
    if (!tells_what_is_resident(site_data("f")) || !start())
        return;
    client_open(&c, site_port(0));
    count(FAULTY_NONE, &c, cost);
    ck_assert_int_eq(count(FAULTY_PREAD, &c, cost), cost->preads);
    ck_assert_int_eq(count(FAULTY_SENDFILE, &c, cost), cost->sendfiles);
    ck_assert_int_eq(count(FAULTY_SEND, &c, cost), cost->sends);
    client_close(&c);
}
END_TEST

/* Requests for the same part, handled in one turn of the loop: the first one asks what is in memory,
 * and the others know. A part that begins inside of a page has the bytes up to the border read with
 * each head. */
static const struct repeated {
    const char *target, *range;
    long preads; /* of all, at most */
} repeated[] = {
    {"/forced/little", "0-8191", 2},     {"/uncached/f", "0-12287", 2},       {"/uncached/f", "102400-114687", 2},
    {"/uncached/f", "100000-112287", 6}, {"/uncached/f", "290000-300000", 6},
};

START_TEST(seen_parts_are_not_asked_about)
{
    enum { REQUESTS = 4 };
    const struct repeated *what = &repeated[_i];
    struct site_client c;
    struct site_response r;
    char all[1024];
    size_t n = 0;

    site_pattern(site_data("little"), 8192);
    site_pattern(site_data("f"), 300001);
    if (!tells_what_is_resident(site_data("f")) || !start())
        return;
    for (int i = 0; i < REQUESTS; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "GET %s HTTP/1.1\r\nHost: a\r\nRange: bytes=%s\r\n\r\n",
                              what->target, what->range);
    client_open(&c, site_port(0));
    faulty_count(FAULTY_PREAD);
    client_say(&c, "%s", all);
    for (int i = 0; i < REQUESTS; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 206);
        assert_pattern(r.body, r.len, strtol(what->range, NULL, 10));
        site_response_free(&r);
    }
    ck_assert_int_gt(faulty_seen(), 0);
    ck_assert_int_le(faulty_seen(), what->preads);
    faulty_disarm();
    client_close(&c);
}
END_TEST

Suite *suite_calls(void)
{
    Suite *s = suite_create("calls");

    if (on_nginx())
        return s;
    TCase *connections = site_case(s, "connections", 60);

    tcase_add_test(connections, connection_without_a_wait_is_not_watched);
    tcase_add_test(connections, connection_that_waits_is_watched_once);
    TCase *files = site_case(s, "files", 60);
    tcase_add_loop_test(files, cost_of_a_response, 0, sizeof costs / sizeof *costs);
    tcase_add_loop_test(files, seen_parts_are_not_asked_about, 0, sizeof repeated / sizeof *repeated);
    return s;
}
