/* test_stall.c - a disk that does not answer for a while: nobody else waits for it, clients may go
 * and the server may be reloaded and ended with reads in flight, and whoever stays gets every byte.
 * The disk is a FUSE filesystem whose daemon is held. */
#include "harness.h"
#include "mounts.h"
#include "pages.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((off_t)3 << 20)

enum { STALL_MSEC = 300 };

static const char *const ways[] = {"aio io_uring; directio 1m;", "aio libaio; directio 1m;",
                                   "aio threads; directio 1m;",  "aio on; io_method sendfile;",
                                   "aio on; io_method mmap;",    "aio on; io_method buffered;"};
enum { WAYS = sizeof ways / sizeof *ways };

/* /f is on the disk that is held, and open already, so that only reads can wait for it; the rest is
 * not. */
static bool start(int way)
{
    char text[2048];
    if (!mounts_enter() || !mount_fuse("mnt", FUSE_TAKES_DIRECT, SIZE))
        return false;
    site_write("html/small", "small\n");
    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$uri $status $body_bytes_sent $io_wait;';\n"
             "access_log logs/io.log io;\nopen_file_cache max=100 inactive=1h; open_file_cache_valid 1h;\n"
             "server {\nlisten 127.0.0.1:@PORT@;\nroot @DIR@/html;\noutput_buffers 2 256k;\n%s\n"
             "location = /f { root @DIR@/mnt; }\nlocation = /status { status; }\n}\n}\n",
             ways[way]);
    site_conf(text);
    site_start();
    struct site_response r;
    site_request(&r, "GET", "/f", "Range: bytes=0-0\r\n");
    ck_assert_int_eq(r.status, 206);
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/small"), 200);
    return true;
}

static void await_metric(const char *name, bool zero)
{
    int64_t deadline = now_msec() + scaled(10000);
    while ((site_metric(name) == 0) != zero) {
        ck_assert_msg(now_msec() < deadline, "%s is %s0", name, zero ? "not " : "");
        sleep_msec(5);
    }
}

/* A connection is over for its client before it is for the server. */
static void expect_descriptors(pid_t pid, unsigned most)
{
    int64_t deadline = now_msec() + scaled(10000);
    while (descriptors(pid) > most) {
        ck_assert_msg(now_msec() < deadline, "%u descriptors, before %u", descriptors(pid), most);
        sleep_msec(5);
    }
}

/* From a part that nobody has read yet. */
static void ask(struct site_client *c, int i)
{
    client_open(c, site_port(0));
    client_say(c, "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=%d-\r\n\r\n", 1000000 + i);
}

static void expect_all(struct site_client *c, int i)
{
    struct site_response r;
    ck_assert(client_head(c, &r));
    ck_assert_int_eq(r.status, 206);
    client_expect_pattern(c, 1000000 + i, SIZE - 1000000 - i);
    ck_assert(client_ends(c));
    site_response_free(&r);
    client_close(c);
}

/* Others are served, some clients go, one stays: it has every byte, the log says how long it
 * waited, and nothing is left. */
START_TEST(clients_go_while_reads_are_in_flight)
{
    enum { LEAVE = 8 };
    struct site_client leave[LEAVE], stays;
    double wait;
    if (!start(_i))
        return;
    ask(&stays, 99); /* the readers are open, and what else is opened once */
    expect_all(&stays, 99);
    await_metric("sluice_disk_reads_in_flight", true);
    pid_t pid = site_worker();
    unsigned before = descriptors(pid);
    double cut = site_metric("sluice_responses_cut_total");
    pages_evict(site_path("mnt/f"));
    fuse_answers(false);
    for (int i = 0; i < LEAVE; i++)
        ask(&leave[i], i);
    ask(&stays, LEAVE);
    await_metric("sluice_disk_reads_in_flight", false);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(site_status_of("/small"), 200);
    for (int i = 0; i < LEAVE; i++)
        client_reset(&leave[i]);
    sleep_msec(STALL_MSEC);
    ck_assert_int_eq(site_status_of("/small"), 200);
    ck_assert(site_metric("sluice_disk_reads_in_flight") > 0);
    fuse_answers(true);
    expect_all(&stays, LEAVE);
    free(log_await_count("logs/io.log", "/f 206 0 ", LEAVE));
    await_metric("sluice_disk_reads_in_flight", true);
    await_metric("sluice_direct_buffers_bytes", true);
    char line[64], *log;
    snprintf(line, sizeof line, "/f 206 %jd ", (intmax_t)(SIZE - 1000000 - LEAVE));
    log = log_await("logs/io.log", line);
    ck_assert_int_eq(sscanf(strstr(log, line) + strlen(line), "%lf;", &wait), 1);
    ck_assert_msg(wait >= STALL_MSEC / 1000.0, "$io_wait is %f", wait);
    free(log);
    ck_assert(site_metric("sluice_disk_wait_seconds_total") >= wait);
    ck_assert(site_metric("sluice_disk_waits_total") >= 1);
    ck_assert(site_metric("sluice_responses_cut_total") == cut); /* they went of their own will */
    ck_assert(site_metric("sluice_disk_read_errors_total") == 0);
    expect_descriptors(pid, before);
}
END_TEST

/* A request that waits for the disk, which does not answer. */
static void ask_in_vain(struct site_client *c)
{
    pages_evict(site_path("mnt/f"));
    fuse_answers(false);
    ask(c, 0);
    await_metric("sluice_disk_reads_in_flight", false);
}

/* The old worker ends what it has begun; meanwhile the new one serves. */
START_TEST(reload_while_reads_are_in_flight)
{
    struct site_client c;
    if (!start(_i))
        return;
    pid_t old = site_worker();
    ask_in_vain(&c);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    ck_assert_int_eq(site_status_of("/small"), 200);
    ck_assert_int_eq(kill(old, 0), 0);
    fuse_answers(true);
    expect_all(&c, 0);
    free(log_await("logs/error.log", "exited with code 0"));
    ck_assert(site_metric("sluice_disk_reads_in_flight") == 0);
    ck_assert(site_metric("sluice_direct_buffers_bytes") == 0);
}
END_TEST

START_TEST(quit_while_reads_are_in_flight)
{
    struct site_client c;
    if (!start(_i))
        return;
    ask_in_vain(&c);
    site_kill(SIGQUIT);
    free(log_await("logs/error.log", "gracefully shutting down"));
    fuse_answers(true);
    expect_all(&c, 0);
    ck_assert_int_eq(site_wait_exit(), 0);
}
END_TEST

/* Nobody is waited for, but what the kernel still writes to. */
START_TEST(stop_while_reads_are_in_flight)
{
    struct site_client c;
    if (!start(_i))
        return;
    ask_in_vain(&c);
    site_kill(SIGTERM);
    while (client_fill(&c)) /* a head, perhaps */
        ;
    client_close(&c);
    fuse_answers(true);
    ck_assert_int_eq(site_wait_exit(), 0);
}
END_TEST

Suite *suite_stall(void)
{
    Suite *s = suite_create("stall");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "stall", 60);
    tcase_add_loop_test(t, clients_go_while_reads_are_in_flight, 0, WAYS);
    tcase_add_loop_test(t, reload_while_reads_are_in_flight, 0, WAYS);
    tcase_add_loop_test(t, quit_while_reads_are_in_flight, 0, WAYS);
    tcase_add_loop_test(t, stop_while_reads_are_in_flight, 0, WAYS);
    return s;
}
