/* test_counters.c - what all workers of a server know together: counters that outlive a worker, disk readers tried once,
 * filesystems that are said to refuse O_DIRECT once. */
#include "deny.h"
#include "harness.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE ((off_t)1 << 20)

static const char *data(const char *name)
{
    return site_path("%s/data/%s", *site_disk() ? site_disk() : site_dir(), name);
}

static void serve(unsigned workers, const char *http_conf, const char *conf)
{
    char text[8192];
    snprintf(text, sizeof(text),
             "daemon off;\npid logs/sluice.pid;\nerror_log logs/error.log info;\nworker_processes %u;\nevents { "
             "worker_connections 512; }\nhttp {\n@HTTP@\n"
             "log_format pid '$pid $status $io_method';\n%s\nserver {\nlisten 127.0.0.1:@PORT@ reuseport;\n"
             "access_log logs/pid.log pid;\nroot @DISK@/data;\n%s\n}\n}\n",
             workers, http_conf, conf);
    site_conf(text);
}

/* From every worker, each time over a connection of its own: the kernel deals them out. */
static unsigned fetch_from_all(const char *target, unsigned workers)
{
    enum { MOST = 500 };
    pid_t seen[16] = {0};
    unsigned count = 0, fetched = 0;
    while (count < workers) {
        struct response r;
        unsigned i = 0;
        ck_assert_uint_lt(fetched, MOST);
        request(&r, "GET", target, "");
        ck_assert_int_eq(r.status, 200);
        pid_t pid = atoi(header(&r, "X-Pid"));
        response_free(&r);
        fetched++;
        while (i < count && seen[i] != pid)
            i++;
        if (i == count)
            seen[count++] = pid;
    }
    return fetched;
}

#define PID_FIELD "add_header X-Pid $pid;"

/* --- Readers ------------------------------------------------------------------------------------------------------- */

START_TEST(readers_are_tried_once_at_start)
{
    site_pattern(data("f"), SIZE);
    serve(3, "",
          "directio 1k; location /threads/ { alias @DISK@/data/; aio threads; add_header X-Pid $pid; } " PID_FIELD);
    site_start();
    char *log = log_await("logs/error.log", "start worker processes");
    ck_assert_uint_eq(count_text(log, "reading disks by "), 2); /* before anybody asked for anything */
    ck_assert_uint_eq(count_text(log, "reading disks by threads\n"), 1);
    free(log);
    fetch_from_all("/f", 3);
    fetch_from_all("/threads/f", 3);
    site_stop(SIGTERM);
    log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "reading disks by "), 2);
    free(log);
}
END_TEST

START_TEST(denied_readers_are_said_once)
{
    site_pattern(data("f"), SIZE);
    if (!deny(SYS_io_uring_setup, EPERM))
        return;
    serve(3, "", "directio 1k; " PID_FIELD);
    site_start();
    fetch_from_all("/f", 3);
    serve(3, "", "directio 2k; aio io_uring;");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "gracefully shutting down", 3));
    site_stop(SIGTERM);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "io_uring is "), 1);
    ck_assert_uint_eq(count_text(log, "; reading disks by "), 1);
    free(log);
}
END_TEST

START_TEST(no_reader_is_tried_where_none_is_asked_for)
{
    site_pattern(data("f"), SIZE);
    if (!deny(SYS_io_uring_setup, EPERM))
        return;
    serve(2, "", "aio on; " PID_FIELD);
    site_start();
    fetch_from_all("/f", 2);
    site_stop(SIGTERM);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "io_uring"), 0);
    free(log);
}
END_TEST

/* --- Filesystems --------------------------------------------------------------------------------------------------- */

START_TEST(refused_direct_io_is_said_once)
{
    site_pattern(data("f"), SIZE);
    if (!deny_flag(SYS_openat, 2, O_DIRECT, EINVAL) || !deny_flag(SYS_open, 1, O_DIRECT, EINVAL))
        return;
    serve(4, "", "directio 1k; " PID_FIELD);
    site_start();
    unsigned fetched = fetch_from_all("/f", 4);
    free(log_await_count("logs/pid.log", " 200 buffered\n", fetched));
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, " refuses O_DIRECT;"), 1);
    free(log);
}
END_TEST

Suite *suite_counters(void)
{
    Suite *s = suite_create("counters");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "counters", 40);
    tcase_add_test(t, readers_are_tried_once_at_start);
    tcase_add_test(t, denied_readers_are_said_once);
    tcase_add_test(t, no_reader_is_tried_where_none_is_asked_for);
    tcase_add_test(t, refused_direct_io_is_said_once);
    return s;
}
