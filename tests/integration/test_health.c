/* test_health.c - `health` and `ready`, drain_delay, `pid off`, and `sluice healthcheck`, which asks
 * the first of them. */
#include "faulty.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCATIONS "location = /healthz { health; } location = /readyz { ready; } location = /x { return 200 one; } "

static const char conf[] = "daemon off; worker_processes 2; error_log logs/error.log info; %s\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; " LOCATIONS "} }";

static void configure(const char *main)
{
    char text[1024];

    snprintf(text, sizeof text, conf, main);
    site_conf(text);
}

/* ---- health, ready ---- */

static void expect_answer(const char *target, int status, const char *body)
{
    struct site_response r;

    site_get(&r, target);
    ck_assert_int_eq(r.status, status);
    ck_assert_str_eq(r.body, body);
    assert_header(&r, "Content-Type", "text/plain");
    assert_header(&r, "Cache-Control", "no-store");
    site_response_free(&r);
}

START_TEST(both_are_well)
{
    struct site_response r;

    site_serve(LOCATIONS);
    expect_answer("/healthz", 200, "ok\n");
    expect_answer("/readyz", 200, "ready\n");
    site_request(&r, "POST", "/readyz", "Content-Length: 0\r\n");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
    expect_conf_server("health;", "\"health\" directive is not allowed here");
    expect_conf_server("location / { ready now then; }", "invalid number of arguments in \"ready\" directive");
    static const char *const bad[] = {"now",
                                      "read_errors=",
                                      "read_errors=3",
                                      "read_errors=0/1m",
                                      "read_errors=65/1m",
                                      "read_errors=/1m",
                                      "read_errors=3/",
                                      "read_errors=3/999ms",
                                      "read_errors=3/x"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128], why[128];
        snprintf(text, sizeof text, "location / { ready %s; }", bad[i]);
        snprintf(why, sizeof why, "invalid parameter \"%s\", it must be \"read_errors=NUMBER/TIME\"", bad[i]);
        expect_conf_server(text, why);
    }
}
END_TEST

/* Both processes that can be the one to stop: a master, and one that does all itself. */
static const char *const kinds[] = {"pid logs/sluice.pid; ", "pid logs/sluice.pid; master_process off; "};

static void expect_draining(void)
{
    expect_answer("/readyz", 503, "draining: the server is about to stop\n");
    expect_answer("/healthz", 200, "ok\n");
    expect_body("/x", "one");
}

/* For as long as the delay is, new connections are served; a second QUIT ends it. */
START_TEST(drain_is_told_before_it_begins)
{
    char main[128];

    snprintf(main, sizeof main, "%sdrain_delay 10m; ", kinds[_i]);
    configure(main);
    site_start();
    expect_answer("/readyz", 200, "ready\n");
    site_kill(SIGQUIT);
    free(log_await("logs/error.log", "draining begins in 600000 ms"));
    expect_draining();
    site_kill(SIGHUP); /* not any more */
    site_kill(SIGUSR1);
    free(log_await("logs/error.log", "reopening logs"));
    expect_draining();
    site_stop(SIGQUIT);
    ck_assert(!site_accepts(site_port(0)));
}
END_TEST

START_TEST(drain_begins_by_itself)
{
    char main[128];

    snprintf(main, sizeof main, "%sdrain_delay 300ms; ", kinds[_i]);
    configure(main);
    site_start();
    site_kill(SIGQUIT);
    ck_assert_int_eq(site_wait_exit(), 0);
    free(log_await("logs/error.log", "draining begins in 300 ms"));
    free(log_await("logs/error.log", "gracefully shutting down"));
}
END_TEST

START_TEST(fast_stop_does_not_wait)
{
    char main[128];

    snprintf(main, sizeof main, "%sdrain_delay 10m; ", kinds[_i]);
    configure(main);
    site_start();
    site_kill(SIGQUIT);
    free(log_await("logs/error.log", "draining begins in"));
    site_stop(SIGTERM);
}
END_TEST

/* A reload is no drain: the server goes on. */
START_TEST(reload_stays_ready)
{
    struct site_client c;
    struct site_response r;

    configure("pid logs/sluice.pid; drain_delay 10m; ");
    site_start();
    client_open(&c, site_port(0));
    client_say(&c, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    client_say(&c, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"); /* of a worker that drains */
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_close(&c);
    expect_answer("/readyz", 200, "ready\n");
}
END_TEST

/* Three descriptors are not enough for a worker. */
START_TEST(reload_without_workers_is_stale)
{
    configure("pid logs/sluice.pid; ");
    site_start();
    if (site_is_instrumented())
        return; /* a sanitizer needs descriptors of its own at the end of a worker */
    site_allow_alerts();
    configure("pid logs/sluice.pid; worker_rlimit_nofile 3; ");
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "no new worker process serves, the old ones stay"));
    expect_answer("/readyz", 503, "stale: the workers of the last reload did not start, earlier ones serve\n");
    expect_answer("/healthz", 200, "ok\n");
    configure("pid logs/sluice.pid; ");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "start worker processes", 3));
    while (site_status_of("/readyz") != 200) /* the limit of the test ends it */
        sleep_msec(5);
}
END_TEST

static void fail_to_read(unsigned times)
{
    faulty_arm(FAULTY_PREAD, EIO, 0, 1L << 30);
    for (unsigned i = 0; i < times; i++) {
        struct site_client c;

        client_open(&c, site_port(0));
        client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        while (client_fill(&c))
            ;
        client_close(&c);
    }
    ck_assert_int_ge(faulty_disarm(), times);
}

START_TEST(failing_disk_is_told)
{
    if (!faulty_setup())
        return;
    site_pattern(site_data("f"), 300000);
    site_conf(
        "@MAIN@ events { } http { @HTTP@ small_file_cache off; server { listen 127.0.0.1:@PORT@; root @DISK@/data; "
        "io_method buffered; aio off; location = /plain { ready; } location = /readyz { ready read_errors=3/10m; } "
        "location = /brief { ready read_errors=3/1s; } } }");
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    site_allow_alerts();
    faulty_follow_worker();
    fail_to_read(2);
    expect_answer("/readyz", 200, "ready\n");
    fail_to_read(2);
    expect_answer("/readyz", 503, "failing: 4 reads of files failed within 600 s\n");
    expect_answer("/plain", 200, "ready\n");
    while (site_status_of("/brief") != 200) /* the limit of the test ends it */
        sleep_msec(50);
    fail_to_read(70);
    expect_answer("/readyz", 503, "failing: 64 or more reads of files failed within 600 s\n");
}
END_TEST

/* ---- pid off ---- */

START_TEST(no_pid_file)
{
    struct site_run run;
    struct stat st;
    char main[128];

    snprintf(main, sizeof main, "%spid off; ", _i ? "master_process off; " : "");
    configure(main);
    site_start();
    expect_body("/x", "one");
    ck_assert_int_lt(stat(site_path("logs/sluice.pid"), &st), 0);
    ck_assert_int_lt(stat(site_path("off"), &st), 0);
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    site_run(&run, "-s", "reload", "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_ptr_nonnull(strstr(run.err, "\"pid\" is off in this configuration"));
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "reconfiguring"));
    expect_body("/x", "one");
    site_stop(SIGQUIT);
}
END_TEST

/* A reload may bring a file and take it away again. */
START_TEST(pid_file_comes_and_goes)
{
    struct stat st;

    configure("pid off; ");
    site_start();
    configure("pid logs/sluice.pid; ");
    site_kill(SIGHUP);
    while (stat(site_path("logs/sluice.pid"), &st) < 0)
        sleep_msec(5);
    configure("pid off; ");
    site_kill(SIGHUP);
    while (stat(site_path("logs/sluice.pid"), &st) == 0)
        sleep_msec(5);
    free(log_await_count("logs/error.log", "start worker processes", 3));
    expect_body("/x", "one");
}
END_TEST

/* ---- sluice healthcheck ---- */

static void ask(struct site_run *run, const char *one, const char *two, const char *three)
{
    char bare[] = "sluice", command[] = "healthcheck", option[] = "-c", file[512], limit[] = "--timeout",
         time[] = "20s", words[3][256];
    const char *more[3] = {one, two, three};
    char *argv[12] = {bare, command, option, file, limit, time};

    snprintf(file, sizeof file, "%s", site_path("sluice.conf"));
    for (unsigned i = 0, n = 6; i < 3 && more[i]; i++) {
        snprintf(words[i], sizeof words[i], "%s", more[i]);
        argv[n++] = words[i];
    }
    site_run_bare(run, argv);
}

static void expect_well(const struct site_run *run, const char *end)
{
    ck_assert_msg(run->status == 0, "%d: %s%s", run->status, run->out, run->err);
    ck_assert_str_eq(run->err, "");
    ck_assert(strncmp(run->out, "healthy: ", 9) == 0);
    ck_assert_msg(strstr(run->out, end) && strchr(run->out, '\n') == run->out + strlen(run->out) - 1, "%s", run->out);
}

static void expect_ill(const struct site_run *run, const char *why)
{
    ck_assert_msg(run->status == 1, "%d: %s%s", run->status, run->out, run->err);
    ck_assert_str_eq(run->out, "");
    ck_assert_msg(strstr(run->err, why) && strchr(run->err, '\n') == run->err + strlen(run->err) - 1, "%s", run->err);
}

START_TEST(healthcheck_finds_the_address)
{
    struct site_run run;

    site_serve("server_name a.example; " LOCATIONS);
    ask(&run, NULL, NULL, NULL);
    expect_well(&run, "/healthz: 200 ok\n");
    ask(&run, "/readyz", NULL, NULL);
    expect_well(&run, "/readyz: 200 ready\n");
    ask(&run, "/none", NULL, NULL);
    expect_ill(&run, "/none: 404 ");
    site_stop(SIGTERM);
    ask(&run, NULL, NULL, NULL);
    expect_ill(&run, "/healthz: connect: ");
}
END_TEST

/* The server that has it may be another than the default one, its location inside of another, and
 * the only `listen` may want a PROXY protocol header. */
START_TEST(healthcheck_finds_the_server)
{
    struct site_run run;

    site_conf("@MAIN@ events { } http { @HTTP@ server { listen 127.0.0.1:@PORT@ proxy_protocol default_server; "
              "return 404; }\n"
              "server { listen 127.0.0.1:@PORT@ proxy_protocol; server_name *.example www.health.test; location / { "
              "location ~ ^/r { health; } location /inner/h { health; } } } }");
    site_start();
    ask(&run, NULL, NULL, NULL);
    expect_well(&run, "/inner/h: 200 ok\n");
}
END_TEST

START_TEST(healthcheck_without_health)
{
    struct site_run run;

    site_serve("location / { return 403; } location = /bad { return 500; }");
    ask(&run, NULL, NULL, NULL);
    expect_well(&run, "/: 403 (no location has \"health\")\n");
    ask(&run, "/bad", NULL, NULL);
    expect_ill(&run, "/bad: 500 ");
}
END_TEST

START_TEST(healthcheck_by_url)
{
    struct site_run run;
    char url[128];

    site_serve(LOCATIONS "location = /moved { return 301 /x; } location = /cut { return 444; }");
    snprintf(url, sizeof url, "http://127.0.0.1:%d/readyz?a=b#c", site_port(0));
    ask(&run, url, NULL, NULL);
    expect_well(&run, "/readyz?a=b: 200 ready\n");
    snprintf(url, sizeof url, "http://localhost:%d/moved", site_port(0));
    ask(&run, url, NULL, NULL);
    expect_well(&run, "/moved: 301 ");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", site_port(1));
    ask(&run, url, NULL, NULL);
    expect_ill(&run, "connect: Connection refused\n");
    ask(&run, "/cut", NULL, NULL);
    expect_ill(&run, "/cut: closed without an answer\n");
    ask(&run, "ftp://127.0.0.1/", NULL, NULL);
    expect_ill(&run, "is no URL");
    ask(&run, "http://:80/", NULL, NULL);
    expect_ill(&run, "invalid host");
    ask(&run, "--timeout", "never", NULL);
    expect_ill(&run, "--timeout takes a time");
    ask(&run, "-z", NULL, NULL);
    expect_ill(&run, "invalid option \"-z\"");
    ask(&run, "/a", "/b", NULL);
    expect_ill(&run, "more than one URL: \"/b\"");
}
END_TEST

/* A socket that is listened on and not accepted from answers nothing. */
START_TEST(healthcheck_does_not_wait)
{
    struct site_run run;

    site_serve(LOCATIONS);
    pid_t worker = site_worker();
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    ask(&run, "--timeout", "50ms", NULL);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    expect_ill(&run, "/healthz: no answer within 50 ms\n");
}
END_TEST

START_TEST(healthcheck_of_a_wrong_configuration)
{
    struct site_run run;

    site_conf("events { } http { srever { } }");
    ask(&run, NULL, NULL, NULL);
    expect_ill(&run, "unknown directive \"srever\"");
    site_conf("events { }");
    ask(&run, NULL, NULL, NULL);
    expect_ill(&run, "nothing is served");
}
END_TEST

/* It becomes none of the users that the configuration names, and does not look for them. */
START_TEST(healthcheck_needs_no_account)
{
    struct site_run run;

    site_serve(LOCATIONS);
    site_conf("user no-such-user; events { } http { @HTTP@ server { listen 127.0.0.1:@PORT@; " LOCATIONS "} }");
    ask(&run, NULL, NULL, NULL);
    ck_assert_msg(run.status == 0, "%s%s", run.out, run.err);
}
END_TEST

Suite *suite_health(void)
{
    Suite *s = suite_create("health");
    TCase *t = site_case(s, "health", 30);

    if (on_nginx())
        return s;
    tcase_add_test(t, both_are_well);
    tcase_add_loop_test(t, drain_is_told_before_it_begins, 0, 2);
    tcase_add_loop_test(t, drain_begins_by_itself, 0, 2);
    tcase_add_loop_test(t, fast_stop_does_not_wait, 0, 2);
    tcase_add_test(t, reload_stays_ready);
    tcase_add_test(t, reload_without_workers_is_stale);
    tcase_add_test(t, failing_disk_is_told);
    tcase_add_loop_test(t, no_pid_file, 0, 2);
    tcase_add_test(t, pid_file_comes_and_goes);
    tcase_add_test(t, healthcheck_finds_the_address);
    tcase_add_test(t, healthcheck_finds_the_server);
    tcase_add_test(t, healthcheck_without_health);
    if (needs_plain("healthcheck_by_url", "its URL begins with http://"))
        tcase_add_tcp_test(t, healthcheck_by_url, "its URL has a port");
    tcase_add_test(t, healthcheck_does_not_wait);
    tcase_add_test(t, healthcheck_of_a_wrong_configuration);
    tcase_add_test(t, healthcheck_needs_no_account);
    return s;
}
