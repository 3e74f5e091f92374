/* test_upgrade.c - what a binary upgrade (USR2) leaves and says: the files of unix: sockets, what
 * the service manager is told, and where it is written that it failed. What clients see meanwhile:
 * test_reload.c. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char conf[] = "daemon off; worker_processes 1; pid logs/sluice.pid; error_log logs/error.log info;\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /x { return 200 one; } %s } }";

static void configure(const char *more)
{
    char text[1024];
    snprintf(text, sizeof text, conf, more);
    site_conf(text);
}

static pid_t pid_in(const char *name)
{
    char *text = site_read(name, NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static void await_pid(pid_t pid)
{
    for (int64_t deadline = now_msec() + scaled(8000); pid_in("logs/sluice.pid") != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
}

/* The new master. */
static pid_t upgrade(pid_t old)
{
    pid_t pid;
    ck_assert_int_eq(kill(old, SIGUSR2), 0);
    for (int64_t deadline = now_msec() + scaled(8000); (pid = pid_in("logs/sluice.pid")) == old || pid <= 0;
         sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    return pid;
}

/* Ours by PR_SET_CHILD_SUBREAPER, when its parent has gone. */
static void end_master(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGQUIT), 0);
    for (int64_t deadline = now_msec() + scaled(15000); waitpid(pid, &status, WNOHANG) != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "master %d ended with %x", (int)pid, (unsigned)status);
}

/* ---- files of unix: sockets ---- */

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(site_path("%s", name), &st) == 0;
}

static int unix_socket(const char *name, int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(site_path("%s", name)), sizeof at.sun_path);
    strcpy(at.sun_path, site_path("%s", name));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* However often the binary was replaced; an own socket beside it goes. */
START_TEST(socket_of_the_manager_stays)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    configure("listen unix:@DIR@/given.sock; listen unix:@DIR@/own.sock;");
    int fd = unix_socket("given.sock", SOCK_STREAM);
    ck_assert_int_eq(listen(fd, 16), 0);
    site_start_with((char *[]){(char *)"LISTEN_FDS=1", (char *)"LISTEN_PID=@PID@", NULL}, fd);
    close(fd);
    site_await_port(site_port(0));
    pid_t master = site_pid();
    await_pid(master);
    for (int i = 0; i <= _i; i++) {
        pid_t new = upgrade(master);
        end_master(master);
        if (i == 0)
            site_forget();
        master = new;
        ck_assert(is_there("given.sock") && is_there("own.sock"));
        ck_assert_int_eq(site_status_of("/x"), 200);
    }
    end_master(master);
    ck_assert(is_there("given.sock"));
    ck_assert(!is_there("own.sock"));
}
END_TEST

/* The new binary's own socket goes with it, the other one stays the old binary's. */
START_TEST(socket_of_a_trial_goes)
{
    configure("listen unix:@DIR@/old.sock;");
    site_start();
    await_pid(site_pid());
    configure("listen unix:@DIR@/old.sock; listen unix:@DIR@/new.sock;");
    pid_t new = upgrade(site_pid());
    ck_assert(is_there("old.sock") && is_there("new.sock"));
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    await_pid(site_pid());
    ck_assert(is_there("old.sock"));
    ck_assert(!is_there("new.sock"));
    struct site_client c;
    struct site_response r;
    client_open_unix(&c, site_path("old.sock"));
    client_say(&c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "one");
    site_response_free(&r);
    client_close(&c);
    site_stop(SIGQUIT);
    ck_assert(!is_there("old.sock"));
}
END_TEST

/* Somebody else has the name by now. */
START_TEST(what_took_the_name_stays)
{
    configure("listen unix:@DIR@/s.sock;");
    site_start();
    ck_assert_int_eq(unlink(site_path("s.sock")), 0);
    int fd = -1;
    if (_i == 0)
        site_write("s.sock", "kept");
    else if (_i == 1)
        ck_assert_int_eq(symlink("nowhere", site_path("s.sock")), 0);
    else
        fd = unix_socket("s.sock", SOCK_STREAM);
    site_stop(SIGTERM);
    ck_assert(is_there("s.sock"));
    if (fd >= 0)
        close(fd);
}
END_TEST

/* ---- what the service manager is told ---- */

static int manager;
static char manager_setting[160];

/* Datagrams wait in the socket: they are in order, whoever sent them. */
static void start_managed(void)
{
    struct timeval patience = {.tv_sec = scaled(8000) / 1000};
    manager = unix_socket("notify", SOCK_DGRAM);
    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(manager_setting, sizeof manager_setting, "NOTIFY_SOCKET=%s", site_path("notify"));
    site_start_with((char *[]){manager_setting, NULL}, -1);
}

/* The very next one: these words, and the process where there is one. */
static void expect_told(const char *words, pid_t pid)
{
    char expected[64], number[16] = "", told[256] = "";
    ssize_t n = recv(manager, told, sizeof told - 1, 0);
    if (pid > 0)
        snprintf(number, sizeof number, "%d", (int)pid);
    snprintf(expected, sizeof expected, "%s%s", words, number);
    ck_assert_msg(n > 0 && !strcmp(told, expected), "told \"%s\", not \"%s\"", told, expected);
}

static void expect_told_nothing(void)
{
    char told[256] = "";
    ck_assert_msg(recv(manager, told, sizeof told - 1, MSG_DONTWAIT) < 0, "told \"%s\"", told);
}

static const char ready[] = "READY=1\nMAINPID=", main_is[] = "MAINPID=", stopping[] = "STOPPING=1";

/* The service goes on: only the last master says that it ends. */
START_TEST(manager_of_a_replaced_binary)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    configure("");
    start_managed();
    pid_t master = site_pid();
    expect_told(ready, master);
    for (int i = 0; i < 2; i++) {
        pid_t new = upgrade(master);
        expect_told(ready, new);
        end_master(master);
        if (i == 0)
            site_forget();
        expect_told(main_is, new); /* for a manager that listens to the main process alone */
        expect_told_nothing();
        master = new;
    }
    ck_assert_int_eq(kill(master, SIGHUP), 0);
    char told[256] = "";
    ck_assert_int_gt(recv(manager, told, sizeof told - 1, 0), 0);
    ck_assert_msg(strstr(told, "RELOADING=1"), "%s", told);
    expect_told(ready, master);
    end_master(master);
    expect_told(stopping, 0);
    expect_told_nothing();
}
END_TEST

/* WINCH and HUP to the old one, QUIT to the new one. */
START_TEST(manager_of_a_binary_taken_back)
{
    configure("");
    start_managed();
    expect_told(ready, site_pid());
    pid_t new = upgrade(site_pid());
    expect_told(ready, new);
    site_kill(SIGWINCH);
    free(log_await("logs/error.log", "gracefully shutting down"));
    expect_told_nothing();
    site_kill(SIGHUP);
    expect_told(ready, site_pid());
    ck_assert_int_eq(kill(new, _i ? SIGKILL : SIGQUIT), 0);
    expect_told(ready, site_pid());
    if (_i)
        site_allow_alerts();
    await_pid(site_pid());
    site_kill(SIGQUIT);
    expect_told(stopping, 0);
    ck_assert_int_eq(site_wait_exit(), 0);
    expect_told_nothing();
}
END_TEST

/* The new one ends while the old one has no workers. */
START_TEST(manager_of_a_binary_that_leaves)
{
    configure("");
    start_managed();
    expect_told(ready, site_pid());
    pid_t new = upgrade(site_pid());
    expect_told(ready, new);
    site_kill(SIGWINCH);
    free(log_await("logs/error.log", "gracefully shutting down"));
    ck_assert_int_eq(kill(new, SIGTERM), 0);
    expect_told(ready, site_pid());
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_stop(SIGTERM);
    expect_told(stopping, 0);
    expect_told_nothing();
}
END_TEST

/* HUP made the old one the main process again; then it goes all the same. */
START_TEST(manager_of_a_mind_that_changes)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    configure("");
    start_managed();
    pid_t old = site_pid();
    expect_told(ready, old);
    pid_t new = upgrade(old);
    expect_told(ready, new);
    site_kill(SIGWINCH);
    free(log_await("logs/error.log", "gracefully shutting down"));
    site_kill(SIGHUP);
    expect_told(ready, old);
    end_master(old);
    site_forget();
    expect_told(main_is, new);
    end_master(new);
    expect_told(stopping, 0);
    expect_told_nothing();
}
END_TEST

/* Whoever replaces it does not wait until the new one is ready: the manager must know by then which
 * process to follow. */
START_TEST(manager_of_a_binary_replaced_in_haste)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    site_allow_alerts();
    configure("");
    start_managed();
    pid_t old = site_pid();
    expect_told(ready, old);
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)site_port(1))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* connections to it may be in TIME_WAIT */
    ck_assert(bind(taken, (struct sockaddr *)&at, sizeof at) == 0 && listen(taken, 1) == 0);
    configure("listen 127.0.0.1:@PORT1@;"); /* which the new one waits for, and gets in the end */
    site_kill(SIGUSR2);
    char *log = log_await("logs/error.log", "try again to bind()");
    pid_t new = atoi(strstr(log, "start new binary process ") + strlen("start new binary process "));
    free(log);
    end_master(old);
    site_forget();
    expect_told(main_is, new);
    close(taken);
    if (recv(manager, (char[256]){""}, 256, MSG_PEEK) < 0) { /* it had given up before */
        ck_assert_int_eq(waitpid(new, &status, 0), new);
        return;
    }
    expect_told(ready, new);
    end_master(new);
    expect_told(stopping, 0);
}
END_TEST

/* The new one dies while the old one is about to leave: nobody is left. */
START_TEST(manager_of_masters_that_both_leave)
{
    configure("");
    site_pattern("html/big", (off_t)24 << 20);
    configure("root @DIR@/html;");
    start_managed();
    expect_told(ready, site_pid());
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    pid_t new = upgrade(site_pid());
    expect_told(ready, new);
    site_kill(SIGQUIT);
    free(log_await("logs/error.log", "gracefully shutting down"));
    expect_told(main_is, new);
    expect_told_nothing();
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    expect_told(main_is, site_pid());
    expect_told(stopping, 0);
    client_close(&c);
    ck_assert_int_eq(site_wait_exit(), 0);
    expect_told_nothing();
}
END_TEST

/* The new configuration makes one process of it, which is told to go. */
START_TEST(manager_of_one_process_taken_back)
{
    configure("");
    start_managed();
    expect_told(ready, site_pid());
    site_conf("daemon off; master_process off; pid logs/sluice.pid; error_log logs/error.log info; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; } }");
    pid_t new = upgrade(site_pid());
    expect_told(ready, new);
    ck_assert_int_eq(kill(new, _i ? SIGTERM : SIGQUIT), 0);
    expect_told(ready, site_pid());
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_stop(SIGQUIT);
    expect_told(stopping, 0);
    expect_told_nothing();
}
END_TEST

Suite *suite_upgrade(void)
{
    Suite *s = suite_create("upgrade");
    if (on_nginx()) /* it knows neither LISTEN_FDS nor NOTIFY_SOCKET */
        return s;
    TCase *sockets = site_case(s, "sockets", 40);
    tcase_add_loop_test(sockets, socket_of_the_manager_stays, 0, 2);
    tcase_add_test(sockets, socket_of_a_trial_goes);
    tcase_add_loop_test(sockets, what_took_the_name_stays, 0, 3);
    TCase *manager_case = site_case(s, "manager", 40);
    tcase_add_test(manager_case, manager_of_a_replaced_binary);
    tcase_add_loop_test(manager_case, manager_of_a_binary_taken_back, 0, 2);
    tcase_add_test(manager_case, manager_of_a_binary_that_leaves);
    tcase_add_test(manager_case, manager_of_a_mind_that_changes);
    tcase_add_tcp_test(manager_case, manager_of_a_binary_replaced_in_haste, "a port that another process has");
    tcase_add_test(manager_case, manager_of_masters_that_both_leave);
    tcase_add_loop_test(manager_case, manager_of_one_process_taken_back, 0, 2);
    return s;
}
