/* test_replace.c - the running binary is replaced (USR2), workers sent home (WINCH), one process
 * reloads itself, and workers settle as the configuration says.
 * https://nginx.org/en/docs/control.html */
#include "harness.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char conf[] = "daemon off; worker_processes 2; pid logs/sluice.pid; error_log logs/error.log info;\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /x { return 200 one; } } }";

/* The process in a pid file, once it is there and not `other`. */
static pid_t await_pid(const char *name, pid_t other)
{
    for (int64_t deadline = now_msec() + scaled(8000);; sleep_msec(5)) {
        FILE *f = fopen(site_path("%s", name), "re");
        int pid = 0;
        bool read = f && fscanf(f, "%d", &pid) == 1;
        if (f)
            fclose(f);
        if (read && pid > 0 && pid != other)
            return pid;
        ck_assert_msg(now_msec() < deadline, "%s", name);
    }
}

static void await_gone(const char *name)
{
    for (int64_t deadline = now_msec() + scaled(8000); access(site_path("%s", name), F_OK) == 0; sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "%s is still there", name);
}

static void ask(struct site_client *c, const char *body, const char *connection)
{
    struct site_response r;
    client_say(c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(c, &r));
    ck_assert_str_eq(r.body, body);
    if (connection)
        assert_header(&r, "Connection", connection);
    site_response_free(&r);
}

static void ask_anew(const char *body)
{
    struct site_client c;
    client_open(&c, site_port(0));
    ask(&c, body, NULL);
    client_close(&c);
}

START_TEST(binary_is_replaced)
{
    struct site_client c;
    site_conf(conf);
    site_start();
    pid_t old = await_pid("logs/sluice.pid", 0);
    client_open(&c, site_port(0));
    ask(&c, "one", "keep-alive");
    site_kill(SIGUSR2);
    pid_t new = await_pid("logs/sluice.pid", old);
    ck_assert_int_eq(await_pid("logs/sluice.pid.oldbin", 0), old);
    ask(&c, "one", "keep-alive"); /* both serve */
    site_kill(SIGUSR2);
    free(log_await("logs/error.log", "changing binary is not possible"));
    site_kill(SIGQUIT);
    ask(&c, "one", NULL); /* a connection of the old one loses nothing */
    client_close(&c);
    ck_assert_int_eq(site_wait_exit(), 0);
    await_gone("logs/sluice.pid.oldbin");
    for (int i = 0; i < 20; i++)
        ask_anew("one");
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    await_gone("logs/sluice.pid");
}
END_TEST

START_TEST(replacement_is_taken_back)
{
    site_conf(conf);
    site_start();
    pid_t old = await_pid("logs/sluice.pid", 0);
    site_kill(SIGUSR2);
    pid_t new = await_pid("logs/sluice.pid", old);
    site_kill(SIGWINCH); /* only the new one serves */
    free(log_await_count("logs/error.log", "gracefully shutting down", 2));
    ask_anew("one");
    site_kill(SIGHUP); /* and now the old one again, too */
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    free(log_await("logs/error.log", "new binary process"));
    ck_assert_int_eq(await_pid("logs/sluice.pid", new), old);
    await_gone("logs/sluice.pid.oldbin");
    for (int i = 0; i < 20; i++)
        ask_anew("one");
    site_stop(SIGQUIT);
}
END_TEST

START_TEST(workers_are_sent_home)
{
    pid_t pids[8];
    site_conf(conf);
    site_start();
    site_await_workers(2);
    site_kill(SIGWINCH);
    site_await_workers(0);
    ck_assert_uint_eq(site_workers(pids, 8), 0);
    site_kill(SIGHUP);
    site_await_workers(2);
    ask_anew("one");
}
END_TEST

START_TEST(one_process_reloads)
{
    static const char single[] = "daemon off; master_process off; pid logs/sluice.pid; error_log logs/error.log info;\n"
                                 "events { }\nhttp { @HTTP@ server { listen 127.0.0.1:@PORT@; %s } }";
    char text[1024];
    struct site_client c;
    snprintf(text, sizeof text, single, "location = /x { return 200 one; }");
    site_conf(text);
    site_start();
    client_open(&c, site_port(0));
    ask(&c, "one", "keep-alive");
    snprintf(text, sizeof text, single, "access_log logs/x; location = /x { return 200 two; }");
    site_conf(text);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "reconfiguring"));
    ask(&c, "one", "close"); /* begun with the old configuration */
    client_close(&c);
    ask_anew("two");
    snprintf(text, sizeof text, single, "access_log logs/x combined gzip; no_such_directive;");
    site_conf(text);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "no_such_directive"));
    ask_anew("two");
    ck_assert_int_eq(rename(site_path("logs/x"), site_path("logs/old")), 0);
    site_kill(SIGUSR1);
    free(log_await("logs/error.log", "reopening logs"));
    ask_anew("two");
    free(log_await("logs/x", "GET /x")); /* not compressed: that configuration was refused */
    site_allow_alerts();                 /* of the broken configuration */
    site_stop(SIGQUIT);
}
END_TEST

/* The soft limit of a process, by its name in /proc. */
static unsigned long limit_of(pid_t pid, const char *name)
{
    char line[200];
    unsigned long soft = 0;
    FILE *f = fopen(site_path("/proc/%d/limits", (int)pid), "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            soft = strtoul(line + strlen(name), NULL, 10);
    fclose(f);
    return soft;
}

START_TEST(workers_settle)
{
    pid_t pids[8];
    cpu_set_t cpus;
    char folder[PATH_MAX];
    site_conf("daemon off; worker_processes 1; pid @DIR@/logs/sluice.pid; error_log @DIR@/logs/error.log info;\n"
              "worker_rlimit_nofile 600; worker_rlimit_core 1m; worker_priority 3; worker_cpu_affinity 1;\n"
              "working_directory @DIR@/html; env SLUICE_SET=1; env HOME;\n"
              "events { worker_connections 5000; }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /x { return 200 one; } } }");
    site_write("html/a.txt", "hello\n");
    site_start();
    site_await_workers(1);
    ask_anew("one"); /* it serves: it has settled */
    ck_assert_uint_eq(site_workers(pids, 8), 1);
    ck_assert_uint_eq(limit_of(pids[0], "Max open files"), 600);
    ck_assert_uint_eq(limit_of(pids[0], "Max core file size"), 1 << 20);
    ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)pids[0]), 3);
    ck_assert_int_eq(sched_getaffinity(pids[0], sizeof cpus, &cpus), 0);
    ck_assert(CPU_COUNT(&cpus) == 1 && CPU_ISSET(0, &cpus));
    ssize_t n = readlink(site_path("/proc/%d/cwd", (int)pids[0]), folder, sizeof folder - 1);
    ck_assert_int_gt(n, 0);
    folder[n] = '\0';
    ck_assert_str_eq(folder, site_path("html"));
    free(log_await("logs/error.log", "5000 worker_connections exceed open file resource limit: 600"));
}
END_TEST

START_TEST(working_directory_that_is_missing)
{
    site_conf("daemon off; worker_processes 1; pid @DIR@/logs/sluice.pid; error_log @DIR@/logs/error.log info;\n"
              "working_directory @DIR@/none; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; } }");
    site_start_unawaited();
    free(log_await("logs/error.log", "/none\") failed (2: No such file or directory)"));
    site_allow_alerts();
    ck_assert_int_ne(site_wait_exit(), 0);
}
END_TEST

Suite *suite_replace(void)
{
    Suite *s = suite_create("replace");
    TCase *tc = site_case(s, "replace", 40);

    tcase_add_test(tc, binary_is_replaced);
    tcase_add_test(tc, replacement_is_taken_back);
    tcase_add_test(tc, workers_are_sent_home);
    tcase_add_test(tc, one_process_reloads);
    tcase_add_test(tc, workers_settle);
    if (!on_nginx()) /* which tries for ever */
        tcase_add_test(tc, working_directory_that_is_missing);
    return s;
}
