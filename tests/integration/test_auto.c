/* test_auto.c - `directio auto`: what is in the page cache comes from there, what is wanted is let
 * in where memory has room, and everything else of size leaves nothing there. */
#include "harness.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB  ((off_t)1 << 20)
#define SIZE (5 * MIB + 123)

static const char *data(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *data(const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return site_path("%s/data/%s", *site_disk() ? site_disk() : site_dir(), name);
}

/* The kernel tells how much of a file is in the page cache only to its owner: workers run as the
 * owner, or as another. */
enum owner { OWNED, FOREIGN };

/* With one thread for all, which also looks how much memory there is: it does so when a large file
 * is asked for first, and before it reads that file. */
static void configure(enum owner owner, const char *main, const char *conf)
{
    char text[4096];
    snprintf(text, sizeof text,
             "%s\nthread_pool default threads=1;\n%s\nevents { }\nhttp {\n@HTTP@\naio threads;\n"
             "log_format io '$request_uri $status $body_bytes_sent $io_method';\n"
             "server {\nlisten 127.0.0.1:@PORT@;\naccess_log logs/io.log io;\nroot @DISK@/data;\n"
             "location = /pid { access_log off; return 200 $pid; }\n%s\n}\n}\n",
             main, geteuid() == 0 && owner == OWNED ? "user root;" : "", conf);
    site_conf(text);
}

static void serve(enum owner owner, const char *conf)
{
    configure(owner, "@MAIN@", conf);
    site_start();
}

static void fetch(const char *target, off_t first, off_t last)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=%jd-%jd\r\n\r\n", target,
               (intmax_t)first, (intmax_t)last);
    ck_assert_msg(client_head(&c, &r), "%s: closed", target);
    ck_assert_int_eq(r.status, 206);
    client_expect_pattern(&c, first, last - first + 1);
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}

/* All of it; and which way, as the log says. */
static void expect_on(struct site_client *c, const char *target, off_t size, const char *method)
{
    static unsigned lines;
    struct site_response r;
    char line[256];
    client_say(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert_msg(client_head(c, &r), "%s: closed", target);
    ck_assert_int_eq(r.status, 200);
    client_expect_pattern(c, 0, size);
    site_response_free(&r);
    char *log = log_await_count("logs/io.log", " 200 ", ++lines);
    const char *last = log;
    for (const char *at = strstr(log, " 200 "); at; at = strstr(at + 1, " 200 "))
        last = at;
    snprintf(line, sizeof line, " 200 %jd %s\n", (intmax_t)size, method);
    ck_assert_msg(strncmp(last, line, strlen(line)) == 0, "%s: not%s but%s", target, line, last);
    free(log);
}

static void expect(const char *target, off_t size, const char *method)
{
    struct site_client c;
    client_open(&c, site_port(0));
    expect_on(&c, target, size, method);
    client_close(&c);
}

/* A file that is not in memory, in a place that takes O_DIRECT; false: there is none here. */
static bool cold(const char *name, off_t size)
{
    if (*site_disk() && pages_evict(site_pattern(data("%s", name), size)))
        return true;
    printf("skipped: no filesystem with O_DIRECT, or pages cannot be evicted\n");
    return false;
}

static bool tells_residency(void)
{
    struct {
        uint64_t offset, len;
    } range = {0, 4096};
    uint64_t counts[5];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool tells = syscall(451 /* cachestat */, fd, &range, counts, 0) == 0;
    close(fd);
    return tells;
}

START_TEST(asked_for_again)
{
    if (!cold("f", SIZE))
        return;
    serve((enum owner)_i, "directio auto;");
    expect("/f", SIZE, "direct");
    ck_assert_uint_eq(pages_resident(data("f")), 0);
    for (int i = 0; i < 3; i++)
        expect("/f", SIZE, "sendfile");
    ck_assert_uint_eq(pages_brought_in(data("f")), (SIZE + 4095) / 4096);
    fetch("/f", 77, SIZE - 5);
    /* The kernel took it away; it is still wanted. What was sent from these pages may be freed only
     * with the next packets on that CPU. */
    bool gone = pages_evict(data("f"));
    for (int i = 0; i < 20 && !gone; i++) {
        site_status_of("/none");
        gone = pages_evict(data("f"));
    }
    if (!gone) {
        printf("skipped: the kernel keeps the pages\n");
        return;
    }
    expect("/f", SIZE, "sendfile");
}
END_TEST

START_TEST(without_sendfile)
{
    if (!cold("f", SIZE))
        return;
    serve(OWNED, "directio auto; sendfile off;");
    expect("/f", SIZE, "direct");
    expect("/f", SIZE, "buffered");
    ck_assert_uint_eq(pages_brought_in(data("f")), (SIZE + 4095) / 4096);
    expect("/f", SIZE, "buffered");
}
END_TEST

START_TEST(resident_at_first)
{
    if (!cold("half", SIZE) || !cold("few", SIZE) || !tells_residency())
        return;
    site_pattern(data("all"), SIZE);
    pages_hold(data("all"), (size_t)SIZE);
    pages_hold(data("half"), (size_t)(3 * MIB));
    pages_hold(data("few"), (size_t)MIB);
    serve(OWNED, "directio auto;");
    expect("/all", SIZE, "sendfile");
    expect("/half", SIZE, "sendfile");
    expect("/few", SIZE, "direct");
}
END_TEST

START_TEST(crawl_leaves_nothing)
{
    enum { FILES = 12 };
    char target[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(target, sizeof target, "c%d", i);
        if (!cold(target, 4 * MIB + i))
            return;
    }
    serve((enum owner)_i, "directio auto;");
    for (int i = 0; i < FILES; i++) {
        snprintf(target, sizeof target, "/c%d", i);
        expect(target, 4 * MIB + i, "direct");
        sleep_msec(20);
    }
    for (int i = 0; i < FILES; i++)
        ck_assert_uint_eq(pages_resident(data("c%d", i)), 0);
}
END_TEST

START_TEST(ranges_are_not_the_file)
{
    if (!cold("f", 16 * MIB))
        return;
    serve((enum owner)_i, "directio auto;");
    fetch("/f", 0, 99);
    for (int i = 1; i < 200; i++)
        fetch("/f", i * 50001, i * 50001 + 3000);
    struct site_response r;
    site_request(&r, "GET", "/f", "Range: bytes=5-9,70000-80000,-1\r\n");
    ck_assert_int_eq(r.status, 206);
    site_response_free(&r);
    ck_assert_uint_eq(pages_resident(data("f")), 0);
    free(log_await_count("logs/io.log", " direct\n", 201));
    /* Enough of them are. */
    for (int i = 0; i < 4; i++)
        fetch("/f", 0, 8 * MIB);
    free(log_await("logs/io.log", "/f 206 8388609 sendfile\n"));
}
END_TEST

START_TEST(small_and_given_sizes)
{
    if (!cold("below", 4 * MIB - 1) || !cold("mid", 300000))
        return;
    serve(OWNED,
          "directio auto;\n"
          "location /given/ { alias @DISK@/data/; directio auto=200k; location /given/deep/ { alias @DISK@/data/; } }\n"
          "location /fixed/ { alias @DISK@/data/; directio 200k; }\n"
          "location /off/ { alias @DISK@/data/; directio off; }\n");
    expect("/below", 4 * MIB - 1, "sendfile");
    expect("/given/mid", 300000, "direct");
    expect("/fixed/mid", 300000, "direct");
    expect("/fixed/mid", 300000, "direct");
    expect("/given/deep/mid", 300000, "sendfile"); /* the second time that auto sees it */
    expect("/fixed/mid", 300000, "direct");
    expect("/off/mid", 300000, "sendfile");
}
END_TEST

/* A memory cgroup for the workers, below that of this process; "": not allowed here. */
static char group[4096];

static void remove_group(void)
{
    if (*group)
        rmdir(group);
}

static bool write_to(const char *folder, const char *name, const char *text)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return written;
}

static bool make_group(const char *bytes)
{
    static const struct {
        const char *folder, *limit;
    } versions[] = {{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}};

    for (int i = 0; i < 2; i++) {
        snprintf(group, sizeof group, "%s/sluice-test-%d", versions[i].folder, (int)getpid());
        if (mkdir(group, 0755) < 0)
            continue;
        if (write_to(group, versions[i].limit, bytes))
            return true;
        rmdir(group);
    }
    *group = '\0';
    return false;
}

/* The server is born in it, and never measures another room. */
static void serve_in_group(const char *main, const char *conf)
{
    char number[16], above[sizeof group + 4];
    snprintf(number, sizeof number, "%d", (int)getpid());
    snprintf(above, sizeof above, "%s/..", group);
    configure(OWNED, main, conf);
    ck_assert(write_to(group, "cgroup.procs", number));
    site_start();
    ck_assert(write_to(above, "cgroup.procs", number));
}

static void stop_in_group(void)
{
    site_stop(SIGTERM);
    for (int i = 0; i < 50 && rmdir(group) < 0 && errno == EBUSY; i++)
        sleep_msec(20);
}

static bool in_group_of(const char *bytes)
{
    if (geteuid() == 0 && make_group(bytes))
        return true;
    printf("skipped: no memory cgroup can be made\n");
    return false;
}

/* What the configuration does not say follows from the limit and the number of workers. */
static const struct fit {
    const char *main;
    int workers, memory_mib; /* of one */
} fits[] = {
    {"worker_processes 2;", 2, 8},
    {"worker_processes 1;", 1, 16},
    {"worker_processes 2; directio_memory auto;", 2, 8},
    {"worker_processes 2; directio_memory 20m;", 2, 20}, /* as it is named */
};

START_TEST(buffers_fit_into_the_cgroup)
{
    const struct fit *fit = &fits[_i];
    if (!in_group_of("67108864"))
        return;
    char main[512];
    snprintf(main, sizeof main, "daemon off; pid logs/sluice.pid; error_log logs/error.log info; %s", fit->main);
    serve_in_group(main, "location = /status { status; access_log off; }");
    int wanted = fit->workers * fit->memory_mib, found = 0;
    for (int msec = 0; found != wanted && msec < scaled(5000); msec += 20) { /* each worker tells of itself */
        found = (int)(site_metric("sluice_direct_buffers_limit_bytes") / MIB);
        if (found != wanted)
            sleep_msec(20);
    }
    ck_assert_int_eq(found, wanted);
    stop_in_group();
}
END_TEST

START_TEST(no_room_in_the_cgroup)
{
    if (!cold("f", 60 * MIB) || !cold("small", SIZE) || !in_group_of("67108864"))
        return;
    serve_in_group("@MAIN@", "directio auto; output_buffers 2 512k;");
    expect("/small", SIZE, "direct");
    for (int i = 0; i < 3; i++)
        expect("/f", 60 * MIB, "direct");
    ck_assert_uint_eq(pages_resident(data("f")), 0);
    expect("/small", SIZE, "sendfile");
    stop_in_group();
}
END_TEST

/* ---- several workers ---- */

static const char two_workers[] = "daemon off; worker_processes 2; pid logs/sluice.pid; error_log logs/error.log info;";

/* Opens connections until one leads to a worker that is none of the first `count` of `pids`; adds
 * it there. */
static void reach_another(struct site_client *c, pid_t *pids, unsigned count)
{
    for (int i = 0; i < 500; i++) {
        struct site_response r;
        client_open(c, site_port(0));
        client_say(c, "GET /pid HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(c, &r));
        pid_t pid = atoi(r.body);
        site_response_free(&r);
        unsigned n = 0;
        while (n < count && pids[n] != pid)
            n++;
        if (n == count) {
            pids[n] = pid;
            return;
        }
        client_close(c);
    }
    ck_abort_msg("all connections lead to the same worker");
}

START_TEST(workers_learn_together)
{
    struct site_client c[2];
    pid_t pids[2];
    if (!cold("f", SIZE) || !cold("g", SIZE))
        return;
    configure((enum owner)_i, two_workers, "directio auto;");
    site_start();
    reach_another(&c[0], pids, 0);
    reach_another(&c[1], pids, 1);
    for (int i = 0; i < 5; i++)
        expect_on(&c[i % 2], "/f", SIZE, i == 0 ? "direct" : "sendfile");
    for (int i = 0; i < 5; i++)
        expect_on(&c[i > 0], "/g", SIZE, i == 0 ? "direct" : "sendfile");
    client_close(&c[0]);
    client_close(&c[1]);
}
END_TEST

START_TEST(a_killed_worker_is_not_missed)
{
    struct site_client c[2];
    pid_t pids[2];
    if (!cold("f", SIZE))
        return;
    configure(FOREIGN, two_workers, "directio auto;");
    site_start();
    site_allow_alerts();
    reach_another(&c[0], pids, 0);
    reach_another(&c[1], pids, 1);
    expect_on(&c[0], "/f", SIZE, "direct");
    ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
    free(log_await("logs/error.log", "exited on signal 9"));
    expect_on(&c[1], "/f", SIZE, "sendfile");
    client_close(&c[0]);
    client_close(&c[1]);
}
END_TEST

static const char *const reloaded[] = {two_workers, "@MAIN@", "@MAIN@ master_process off;"};

START_TEST(a_reload_forgets_nothing)
{
    if (!cold("f", SIZE))
        return;
    configure(FOREIGN, reloaded[_i], "directio auto;");
    site_start();
    expect("/f", SIZE, "direct");
    configure(FOREIGN, reloaded[_i], "directio auto=1m; add_header X-New 1;");
    site_kill(SIGHUP);
    for (int i = 0;; i++) {
        struct site_response r;
        site_get(&r, "/pid");
        bool done = site_header(&r, "X-New") != NULL;
        site_response_free(&r);
        if (done)
            break;
        ck_assert_int_lt(i, 500);
        sleep_msec(10);
    }
    expect("/f", SIZE, "sendfile");
}
END_TEST

START_TEST(bad_values)
{
    static const char *const values[] = {"auto=0", "auto=", "auto=x", "auto=-1", "auto=4q", "automatic", "Auto"};
    char conf[128], expected[128];
    struct site_run run;
    snprintf(conf, sizeof conf, "directio %s;", values[_i]);
    site_conf_server(conf);
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    snprintf(expected, sizeof expected, "invalid value");
    ck_assert_msg(strstr(run.err, expected) && strstr(run.err, "sluice.conf:"), "%s", run.err);
}
END_TEST

/* ---- explain ---- */

static void explain(struct site_run *run)
{
    char url[64], prefix[4096];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/f", site_port(0));
    snprintf(prefix, sizeof prefix, "%s/", site_dir());
    char *const argv[] = {(char *)"sluice",
                          (char *)"explain",
                          (char *)"-p",
                          prefix,
                          (char *)"-c",
                          (char *)site_path("sluice.conf"),
                          url,
                          NULL};
    site_run_bare(run, argv);
    ck_assert_int_eq(run->status, 0);
}

static void expect_explained(const char *words)
{
    struct site_run run;
    explain(&run);
    ck_assert_msg(strstr(run.out, words), "\"%s\" is not in:\n%s", words, run.out);
}

START_TEST(explained)
{
    if (!cold("f", SIZE))
        return;
    serve(OWNED, "directio auto;");
    expect_explained("direct: as large as directio auto says");
    expect_explained("directio auto=4");
    expect_explained("asked for 1.0 times lately, this time included: as the running server counts (process ");
    ck_assert_uint_eq(pages_resident(data("f")), 0);
    if (!tells_residency())
        return;
    expect_explained("0.0 % of it is in the page cache");
    pages_hold(data("f"), (size_t)SIZE);
    expect_explained("sendfile: as large as directio auto says, but in the page cache");
}
END_TEST

/* What the server would do with the next request; that is none, and changes nothing. */
START_TEST(explained_from_the_running_server)
{
    char words[128];
    if (!cold("f", SIZE) || !cold("g", SIZE))
        return;
    configure(FOREIGN, reloaded[_i], "directio auto;");
    site_start();
    expect("/g", SIZE, "direct"); /* to be told how much room there is */
    expect_explained("direct: as large as directio auto says, not in the page cache, and not asked for often lately");
    expect("/f", SIZE, "direct");
    for (int i = 0; i < 2; i++)
        expect_explained("sendfile: as large as directio auto says, but asked for again and again");
    snprintf(words, sizeof words,
             "asked for 2.0 times lately, this time included: as the running server counts (process %d)",
             (int)site_pid());
    expect_explained(words);
    expect("/f", SIZE, "sendfile");
    site_stop(SIGTERM);
    if (!pages_evict(data("f")))
        return;
    expect_explained("asked for 1.0 times lately, this time included: no server runs that has counted more");
    expect_explained("direct: as large as directio auto says, not in the page cache");
}
END_TEST

START_TEST(explained_beside_another_process)
{
    char pid[32];
    if (!cold("f", SIZE))
        return;
    configure(OWNED, "@MAIN@", "directio auto;");
    expect_explained("no server runs that has counted more");
    snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    site_write("logs/sluice.pid", pid);
    expect_explained(", which the pid file names, has no count that can be read");
    site_write("logs/sluice.pid", "what is this?\n");
    expect_explained("asked for 1.0 times lately, this time included: no server runs");
}
END_TEST

/* Neither root nor the server's user. */
START_TEST(explained_to_a_stranger)
{
    if (geteuid() != 0 || !cold("f", SIZE)) {
        printf("skipped: only root can be somebody else\n");
        return;
    }
    serve(OWNED, "directio auto;");
    expect("/f", SIZE, "direct");
    ck_assert_int_eq(chmod(site_dir(), 0777) | chmod(site_path("logs"), 0777), 0);
    ck_assert_int_eq(setresgid(65534, 65534, 0) | setresuid(65534, 65534, 0), 0);
    struct site_run run;
    explain(&run);
    ck_assert_int_eq(setresuid(0, 0, 0) | setresgid(0, 0, 0), 0);
    ck_assert_msg(strstr(run.out,
                         "asked for 1.0 times lately, this time included: the count of the running server may not "
                         "be read (Permission denied)"),
                  "%s%s", run.out, run.err);
}
END_TEST

Suite *suite_auto(void)
{
    Suite *s = suite_create("auto");
    TCase *t = site_case(s, "auto", 60);
    atexit(remove_group);
    tcase_add_plain_loop_test(t, asked_for_again, OWNED, FOREIGN + 1, "TLS takes memory only");
    tcase_add_test(t, without_sendfile);
    tcase_add_plain_test(t, resident_at_first, "TLS takes memory only");
    tcase_add_loop_test(t, crawl_leaves_nothing, OWNED, FOREIGN + 1);
    tcase_add_plain_loop_test(t, ranges_are_not_the_file, OWNED, FOREIGN + 1, "TLS takes memory only");
    tcase_add_plain_test(t, small_and_given_sizes, "TLS takes memory only");
    tcase_add_plain_test(t, no_room_in_the_cgroup, "TLS takes memory only");
    tcase_add_loop_test(t, buffers_fit_into_the_cgroup, 0, sizeof fits / sizeof fits[0]);
    tcase_add_loop_test(t, bad_values, 0, 7);
    tcase_add_plain_loop_test(t, workers_learn_together, OWNED, FOREIGN + 1, "TLS takes memory only");
    tcase_add_plain_test(t, a_killed_worker_is_not_missed, "TLS takes memory only");
    tcase_add_plain_loop_test(t, a_reload_forgets_nothing, 0, 3, "TLS takes memory only");
    if (needs_plain("explained", "TLS takes memory only"))
        tcase_add_tcp_test(t, explained, "explain is asked with a URL");
    if (needs_plain("explained_from_the_running_server", "TLS takes memory only"))
        tcase_add_tcp_loop_test(t, explained_from_the_running_server, 0, 3, "explain is asked with a URL");
    if (needs_plain("explained_beside_another_process", "TLS takes memory only"))
        tcase_add_tcp_test(t, explained_beside_another_process, "explain is asked with a URL");
    if (needs_plain("explained_to_a_stranger", "TLS takes memory only"))
        tcase_add_tcp_test(t, explained_to_a_stranger, "explain is asked with a URL");
    return s;
}
