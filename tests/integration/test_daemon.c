/* test_daemon.c - where it is written that a start failed, with nobody looking: the log that the
 * configuration names, the one of -e while there is none, the terminal too; and descriptor 2 of a
 * daemon, which is its error log. */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* %s: daemon, error_log, in the server. The log of -e is logs/error.log. */
static const char conf[] = "daemon %s; worker_processes 1; pid logs/sluice.pid; error_log %s info;\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /x { return 200 one; } %s } }";

static void configure(const char *daemon, const char *log, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text, conf, daemon, log, more);
    site_conf(text);
}

static int take_port(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

static unsigned count_in(const char *name, const char *text)
{
    char *log = site_read(name, NULL);
    unsigned count = log ? count_text(log, text) : 0;
    free(log);
    return count;
}

/* Lines of a log, with date and process, and not those for a terminal. */
static unsigned logged(const char *name, const char *message)
{
    char whole[256];
    snprintf(whole, sizeof whole, ": %s", message);
    return count_in(name, whole) - count_in(name, "sluice: [emerg]");
}

/* Each in the foreground and as a daemon. */
static const char *const ways[] = {"off", "on"};

START_TEST(an_address_in_use)
{
    struct site_run run;
    char message[128];
    int fd = take_port(site_port(0));
    site_allow_alerts();
    configure(ways[_i], "logs/own.log", "");
    snprintf(message, sizeof message, "[emerg] bind() to 127.0.0.1:%d failed (98: Address already in use)",
             site_port(0));
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, message), "%s", run.err);
    char *log = site_read("logs/own.log", NULL);
    ck_assert_msg(log && strstr(log, strstr(message, "bind")) && strstr(log, "still could not bind()"), "%s", log);
    ck_assert_msg(strstr(log, "[emerg] ") && !strstr(log, ": [emerg]"), "%s", log);
    free(log);
    close(fd);
}
END_TEST

/* Nothing is read of it that could be used: the log of -e. */
START_TEST(a_broken_configuration)
{
    struct site_run run;
    site_allow_alerts();
    configure(ways[_i], "logs/own.log", "no_such_directive;");
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "[emerg] unknown directive \"no_such_directive\" in "), "%s", run.err);
    ck_assert_uint_eq(logged("logs/error.log", "unknown directive \"no_such_directive\" in "), 1);
}
END_TEST

/* What fails behind the fork is on the terminal, too. */
START_TEST(a_pid_file_that_cannot_be_written)
{
    struct site_run run;
    char text[1024];
    site_allow_alerts();
    snprintf(text, sizeof text,
             "daemon %s; %s pid @DIR@/none/x.pid; error_log logs/own.log; events { }\n"
             "http { @HTTP@ server { listen 127.0.0.1:@PORT@; } }",
             ways[_i % 2], _i / 2 ? "master_process off;" : "");
    site_conf(text);
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "/none/x.pid\" failed (2: No such file or directory)"), "%s", run.err);
    ck_assert_uint_eq(count_in("logs/own.log", "/none/x.pid\" failed (2: No such file or directory)"), 1);
}
END_TEST

/* Where the log is standard error, nothing is said twice. */
START_TEST(nothing_is_said_twice)
{
    struct site_run run;
    char message[128];
    int fd = take_port(site_port(0));
    configure(ways[_i % 2], _i / 2 ? "/dev/stderr" : "stderr", "");
    snprintf(message, sizeof message, "bind() to 127.0.0.1:%d failed", site_port(0));
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_uint_eq(count_text(run.err, "still could not bind()"), 1);
    ck_assert_uint_eq(count_text(run.err, message), 5); /* as often as it is tried */
    close(fd);
}
END_TEST

/* ---- a daemon ---- */

static pid_t pid_in_file(void)
{
    char *text = site_read("logs/sluice.pid", NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static pid_t start_daemon(void)
{
    struct site_run run;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    pid_t pid = pid_in_file();
    ck_assert_int_gt(pid, 1);
    return pid;
}

/* Ours by PR_SET_CHILD_SUBREAPER. */
static void end_daemon(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGQUIT), 0);
    for (int64_t deadline = now_msec() + scaled(15000); waitpid(pid, &status, WNOHANG) != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static pid_t worker_of(pid_t master)
{
    char *text = site_read(site_path("/proc/%d/task/%d/children", (int)master, (int)master), NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static bool leads_to(pid_t pid, const char *to)
{
    char target[4096];
    ssize_t n = readlink(site_path("/proc/%d/fd/2", (int)pid), target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    return !strcmp(target, to);
}

static void await_descriptor(pid_t pid, const char *to)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", site_path("%s", to));
    for (int64_t deadline = now_msec() + scaled(8000); !leads_to(pid, path); sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "descriptor 2 of %d is not %s", (int)pid, to);
}

START_TEST(descriptor_2_is_the_log)
{
    configure("on", "logs/own.log", "");
    pid_t master = start_daemon();
    await_descriptor(master, "logs/own.log");
    await_descriptor(worker_of(master), "logs/own.log");
    /* Moved away by who rotates logs: nobody keeps the old one open. */
    ck_assert_int_eq(rename(site_path("logs/own.log"), site_path("logs/own.log.1")), 0);
    ck_assert_int_eq(kill(master, SIGUSR1), 0);
    await_descriptor(master, "logs/own.log");
    await_descriptor(worker_of(master), "logs/own.log");
    configure("on", "logs/next.log", "");
    ck_assert_int_eq(kill(master, SIGHUP), 0);
    await_descriptor(master, "logs/next.log");
    free(log_await("logs/next.log", "start worker process "));
    /* And a new binary has one of its own. */
    configure("on", "logs/third.log", "");
    ck_assert_int_eq(kill(master, SIGUSR2), 0);
    pid_t new;
    for (int64_t deadline = now_msec() + scaled(8000); (new = pid_in_file()) == master || new <= 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    await_descriptor(new, "logs/third.log");
    await_descriptor(master, "logs/next.log");
    end_daemon(master);
    end_daemon(new);
}
END_TEST

START_TEST(descriptor_2_of_one_process)
{
    static const char single[] = "master_process off; daemon on; pid logs/sluice.pid; error_log %s; events { }\n"
                                 "http { @HTTP@ server { listen 127.0.0.1:@PORT@; } }";
    char text[512];
    snprintf(text, sizeof text, single, "logs/own.log");
    site_conf(text);
    pid_t pid = start_daemon();
    await_descriptor(pid, "logs/own.log");
    ck_assert_int_eq(rename(site_path("logs/own.log"), site_path("logs/own.log.1")), 0);
    ck_assert_int_eq(kill(pid, SIGUSR1), 0);
    await_descriptor(pid, "logs/own.log");
    snprintf(text, sizeof text, single, "logs/next.log");
    site_conf(text);
    ck_assert_int_eq(kill(pid, SIGHUP), 0);
    await_descriptor(pid, "logs/next.log");
    end_daemon(pid);
}
END_TEST

/* A log that is no file, and two of which the second is one. */
START_TEST(descriptor_2_without_a_file)
{
    configure("on", _i ? "syslog:server=127.0.0.1:9; error_log logs/second.log" : "syslog:server=127.0.0.1:9", "");
    pid_t master = start_daemon();
    await_descriptor(master, _i ? "logs/second.log" : "/dev/null");
    end_daemon(master);
}
END_TEST

/* It keeps what it was started with: somebody reads that. */
START_TEST(descriptor_2_that_is_the_log)
{
    struct site_run run;
    configure("on", "stderr", "");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert(strstr(run.err, "start worker processes"));
    pid_t master = pid_in_file();
    char target[4096] = "";
    ck_assert_int_gt(readlink(site_path("/proc/%d/fd/2", (int)master), target, sizeof target - 1), 0);
    ck_assert_msg(strstr(target, "logs/run.err"), "%s", target);
    end_daemon(master);
}
END_TEST

/* ---- a binary that cannot take over ---- */

static void await_end_of_trial(pid_t master, pid_t worker)
{
    char *log = log_await("logs/own.log", "new binary process ");
    free(log);
    log = log_await("logs/own.log", "exited with code 1");
    free(log);
    ck_assert_int_eq(pid_in_file(), master);
    ck_assert_int_eq(worker_of(master), worker);
    ck_assert_int_eq(site_status_of("/x"), 200);
}

/* Nobody sees its standard error; each message is there once. */
START_TEST(an_upgrade_that_fails)
{
    char message[128];
    int fd = take_port(site_port(1));
    site_allow_alerts();
    configure("on", "logs/own.log", "");
    pid_t master = start_daemon(), worker = worker_of(master);
    if (_i == 0) {
        configure("on", "logs/own.log", "no_such_directive;");
        snprintf(message, sizeof message, "unknown directive \"no_such_directive\" in ");
    } else {
        configure("on", _i == 1 ? "logs/own.log" : "logs/next.log", "listen 127.0.0.1:@PORT1@;");
        snprintf(message, sizeof message, "still could not bind()");
    }
    ck_assert_int_eq(kill(master, SIGUSR2), 0);
    await_end_of_trial(master, worker);
    ck_assert_uint_eq(count_in("logs/own.log", message), 1);
    if (_i == 0)
        ck_assert_uint_eq(logged("logs/error.log", message), 1);
    if (_i == 2)
        ck_assert_uint_eq(logged("logs/next.log", message), 1);
    end_daemon(master);
    close(fd);
}
END_TEST

Suite *suite_daemon(void)
{
    Suite *s = suite_create("daemon");
    TCase *start = site_case(s, "start", 40);
    tcase_add_tcp_loop_test(start, an_address_in_use, 0, 2, "a port that another process has");
    tcase_add_loop_test(start, a_broken_configuration, 0, 2);
    if (!on_nginx()) { /* what it calls itself, and how it counts, differs */
        tcase_add_loop_test(start, a_pid_file_that_cannot_be_written, 0, 4);
        tcase_add_tcp_loop_test(start, nothing_is_said_twice, 0, 4, "a port that another process has");
    }
    TCase *daemon = site_case(s, "daemon", 40);
    tcase_add_test(daemon, descriptor_2_is_the_log);
    if (on_nginx())
        return s;
    tcase_add_test(daemon, descriptor_2_of_one_process);
    tcase_add_test(daemon, descriptor_2_that_is_the_log);
    tcase_add_loop_test(daemon, descriptor_2_without_a_file, 0, 2);
    tcase_add_tcp_loop_test(daemon, an_upgrade_that_fails, 0, 3, "a port that another process has");
    return s;
}
