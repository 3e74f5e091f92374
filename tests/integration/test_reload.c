/* test_reload.c - what clients see while the server changes: reloads, a new binary, logs reopened,
 * processes killed. Nobody's request may fail. RELOADS=200: so many instead of a few (make
 * reloads). */
#include "harness.h"
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

enum { SMALL = 1000, LARGE = 300000, FEW = 12, DOWNLOAD = 24 << 20 };

/* %d: workers, %s: of the listening socket, %s: in the server. */
static const char conf[] =
    "daemon off; worker_processes %d; pid logs/sluice.pid; error_log logs/error.log notice; "
    "events { worker_connections 512; }\n"
    "http { @HTTP@ server { listen 127.0.0.1:@PORT@ %s; root @DIR@/html; open_file_cache max=10; "
    "add_header X-Pid $pid; %s } }";

static void configure(int workers, const char *listen, const char *more)
{
    char whole[4096];
    snprintf(whole, sizeof whole, conf, workers, listen, more);
    site_conf(whole);
}

static void configure_generation(int workers, const char *listen, int generation)
{
    char more[128];
    snprintf(more, sizeof more, "location = /generation { return 200 %d; }", generation);
    configure(workers, listen, more);
}

static void begin(int workers, const char *listen)
{
    site_pattern("html/f", SMALL);
    site_pattern("html/large", LARGE);
    configure_generation(workers, listen, 0);
    site_start();
}

static void await_generation(int generation)
{
    char expected[16];
    snprintf(expected, sizeof expected, "%d", generation);
    for (int64_t deadline = now_msec() + scaled(20000);; sleep_msec(5)) {
        struct site_response r;
        site_get(&r, "/generation");
        bool is = !strcmp(r.body, expected);
        site_response_free(&r);
        if (is)
            return;
        ck_assert_msg(now_msec() < deadline, "generation %d does not come", generation);
    }
}

/* Busy ones, ones with a connection per request, and ones that are in between two requests most of
 * the time. */
enum { LOADERS = 6 };
static void start_loaders(struct loader *loaders)
{
    static const struct load_requests kinds[LOADERS] = {
        {.target = "/f", .fields = "", .len = SMALL, .keep = true},
        {.target = "/f", .fields = "", .len = SMALL},
        {.target = "/large", .fields = "", .len = LARGE, .keep = true},
        {.target = "/large", .fields = "Range: bytes=7-100006\r\n", .first = 7, .len = 100000},
        {.target = "/f", .fields = "", .len = SMALL, .keep = true, .pause_msec = 30},
        {.target = "/f", .fields = "", .len = SMALL, .keep = true, .pause_msec = 400},
    };
    static struct load_requests with_port[LOADERS];
    for (unsigned i = 0; i < LOADERS; i++) {
        with_port[i] = kinds[i];
        with_port[i].port = site_port(0);
        loader_start(&loaders[i], load_requests, &with_port[i]);
    }
}

static int wanted_reloads(void)
{
    const char *set = getenv("RELOADS");
    return set && atoi(set) > 0 ? atoi(set) : FEW;
}

/* ---- reloads ---- */

/* Every fourth configuration is broken: it is kept out, and the old one goes on. */
START_TEST(reloads)
{
    const char *listen = _i ? "reuseport" : "";
    int count = wanted_reloads();
    unsigned broken = 0;
    struct loader loaders[LOADERS];
    begin(2, listen);
    site_allow_alerts();
    start_loaders(loaders);
    for (int i = 1; i <= count; i++) {
        if (i % 4 == 0) {
            configure(2, listen, "nonsense;");
            site_kill(SIGHUP);
            free(log_await_count("logs/error.log", "[emerg]", ++broken));
            continue;
        }
        configure_generation(2, listen, i);
        site_kill(SIGHUP);
        await_generation(i);
    }
    struct counts c = loaders_stop_well(loaders, LOADERS);
    site_await_workers(2); /* the old ones are gone once their connections are */
    printf("%d reloads (%s), %u of them refused: %ju requests, none failed, %ju asked again after a long pause\n",
           count, _i ? "a socket per worker" : "one socket", broken, (uintmax_t)c.done, (uintmax_t)c.retried);
}
END_TEST

START_TEST(reloads_with_other_worker_counts)
{
    static const int counts[] = {1, 4, 2, 3};
    struct loader loaders[LOADERS];
    begin(3, "reuseport");
    start_loaders(loaders);
    for (int i = 0; i < 4; i++) {
        configure_generation(counts[i], "reuseport", i + 1);
        site_kill(SIGHUP);
        await_generation(i + 1);
    }
    loaders_stop_well(loaders, LOADERS);
    site_await_workers(3);
}
END_TEST

/* ---- a new binary ---- */

static pid_t pid_in_file(void)
{
    char *text = site_read("logs/sluice.pid", NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static pid_t await_other_pid(pid_t than)
{
    pid_t pid;
    for (int64_t deadline = now_msec() + scaled(15000); (pid = pid_in_file()) == than || pid <= 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    return pid;
}

/* Processes that are not the test's children end with it all the same. */
static void guard(pid_t group)
{
    int alive[2];
    char byte;
    ck_assert_int_eq(pipe(alive), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(alive[1]);
        (void)!read(alive[0], &byte, 1);
        kill(-group, SIGKILL);
        _exit(0);
    }
    close(alive[0]);
}

/* Ours by PR_SET_CHILD_SUBREAPER, when its parent has gone. */
static void end_master(pid_t pid, int sig)
{
    int status;
    ck_assert_int_eq(kill(pid, sig), 0);
    for (int64_t deadline = now_msec() + scaled(15000); waitpid(pid, &status, WNOHANG) != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "master %d ended with %x", (int)pid, (unsigned)status);
}

START_TEST(binary_is_replaced)
{
    struct loader loaders[LOADERS];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    begin(2, _i ? "reuseport" : "");
    pid_t old = site_pid();
    start_loaders(loaders);
    guard(old);
    for (int i = 0; i < 3; i++) {
        configure_generation(2, _i ? "reuseport" : "", i + 1);
        ck_assert_int_eq(kill(old, SIGUSR2), 0);
        pid_t fresh = await_other_pid(old);
        end_master(old, SIGQUIT);
        if (i == 0)
            site_forget();
        await_generation(i + 1);
        old = fresh;
    }
    loaders_stop_well(loaders, LOADERS);
    end_master(old, SIGQUIT);
    ck_assert_int_ne(access(site_path("logs/sluice.pid"), F_OK), 0);
}
END_TEST

/* The new one is not wanted after all. */
START_TEST(binary_is_taken_back)
{
    struct loader loaders[LOADERS];
    begin(2, _i ? "reuseport" : "");
    start_loaders(loaders);
    guard(site_pid());
    site_kill(SIGUSR2);
    pid_t fresh = await_other_pid(site_pid());
    site_kill(SIGWINCH); /* its workers leave, it stays */
    free(log_await_count("logs/error.log", "gracefully shutting down", 2));
    site_kill(SIGHUP); /* they come back */
    free(log_await_count("logs/error.log", "start worker processes", 3));
    ck_assert_int_eq(kill(fresh, SIGQUIT), 0);
    for (int64_t deadline = now_msec() + scaled(15000); pid_in_file() != site_pid(); sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    struct site_response r;
    site_get(&r, "/generation");
    ck_assert_str_eq(r.body, "0");
    site_response_free(&r);
    loaders_stop_well(loaders, LOADERS);
    site_await_workers(2);
}
END_TEST

/* ---- logs ---- */

START_TEST(logs_are_reopened)
{
    enum { ROTATIONS = 10 };
    struct loader loaders[LOADERS];
    begin(2, "reuseport");
    start_loaders(loaders);
    for (int i = 0; i < ROTATIONS; i++) {
        char old[4096];
        snprintf(old, sizeof old, "%s", site_path("logs/access.log.%d", i));
        ck_assert_int_eq(rename(site_path("logs/access.log"), old), 0);
        site_kill(SIGUSR1);
        site_await_closed(old);
    }
    struct counts c = loaders_stop_well(loaders, LOADERS);
    site_stop(SIGQUIT);
    uint64_t lines = 0;
    for (int i = 0; i <= ROTATIONS; i++) {
        char *log = site_read(i < ROTATIONS ? site_path("logs/access.log.%d", i) : "logs/access.log", NULL);
        for (char *at = log; at && (at = strstr(at, "\" 20")); at++)
            lines++;
        free(log);
    }
    ck_assert_msg(lines == c.done, "%ju requests, %ju lines", (uintmax_t)c.done, (uintmax_t)lines);
}
END_TEST

/* ---- killed ---- */

static pid_t begin_download(struct site_client *c)
{
    struct site_response r;
    client_open_sized(c, site_port(0), 16384);
    client_say(c, "GET /download HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_head(c, &r));
    ck_assert_int_eq(r.status, 200);
    client_expect_pattern(c, 0, 100000);
    pid_t pid = atoi(site_header(&r, "X-Pid"));
    site_response_free(&r);
    return pid;
}

static void finish_download(struct site_client *c)
{
    client_expect_pattern(c, 100000, DOWNLOAD - 100000);
    ck_assert(client_ends(c));
    client_close(c);
}

/* What it had under way is lost; what the others have goes on, and its place is taken. */
START_TEST(worker_is_killed)
{
    struct site_client c[12];
    pid_t pids[12];
    unsigned lost = 0, mine = 0;
    begin(2, "reuseport");
    site_pattern("html/download", DOWNLOAD);
    site_allow_alerts();
    for (int i = 0; i < 12; i++)
        pids[i] = begin_download(&c[i]);
    ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
    for (int i = 0; i < 12; i++) {
        mine += pids[i] == pids[0];
        if (pids[i] != pids[0]) {
            finish_download(&c[i]);
            continue;
        }
        off_t got = 100000;
        for (; c[i].len > 0 || client_fill(&c[i]); got += (off_t)c[i].len, c[i].len = 0)
            assert_pattern(c[i].in, c[i].len, got);
        ck_assert_int_lt(got, DOWNLOAD);
        lost++;
        client_close(&c[i]);
    }
    ck_assert_uint_eq(lost, mine);
    site_await_workers(2);
    for (int i = 0; i < 20; i++) { /* whichever of them */
        struct site_response r;
        site_get(&r, "/f");
        ck_assert_int_eq(r.status, 200);
        ck_assert_int_ne(atoi(site_header(&r, "X-Pid")), pids[0]);
        site_response_free(&r);
    }
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "exited on signal 9"), 1);
    free(log);
}
END_TEST

/* Its workers let their clients finish, and go. */
START_TEST(master_is_killed)
{
    struct site_client c;
    int status;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    begin(2, "");
    site_pattern("html/download", DOWNLOAD);
    site_allow_alerts();
    pid_t worker = begin_download(&c), master = site_pid();
    guard(master);
    ck_assert_int_eq(kill(master, SIGKILL), 0);
    ck_assert_int_eq(waitpid(master, NULL, 0), master);
    site_forget();
    free(log_await_count("logs/error.log", "the master process is gone", 2));
    finish_download(&c);
    for (int64_t deadline = now_msec() + scaled(8000); waitpid(worker, &status, WNOHANG) != worker; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

Suite *suite_reload(void)
{
    Suite *s = suite_create("reload");
    if (on_nginx()) /* it closes what is idle, and what is queued for a worker that goes */
        return s;
    TCase *t = site_case(s, "reload", 60 + wanted_reloads() * 3);
    tcase_add_loop_test(t, reloads, 0, 2);
    tcase_add_test(t, reloads_with_other_worker_counts);
    TCase *process = site_case(s, "change", 60);
    tcase_add_loop_test(process, binary_is_replaced, 0, 2);
    tcase_add_loop_test(process, binary_is_taken_back, 0, 2);
    tcase_add_test(process, logs_are_reopened);
    tcase_add_test(process, worker_is_killed);
    tcase_add_test(process, master_is_killed);
    return s;
}
