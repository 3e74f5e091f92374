/* test_process.c - master and workers: signals, reloads, a worker that dies, ends that lose
 * nothing, -s, daemon mode, sockets handed over. What happens to clients meanwhile:
 * test_reload.c. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

static const char two_workers[] = "daemon off; worker_processes 2; pid logs/sluice.pid; error_log logs/error.log info; "
                                  "events { worker_connections 512; }\n"
                                  "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s } }";

/* `more` stands in for %s. */
static void configure(const char *text, const char *more)
{
    char whole[4096];
    const char *at = strstr(text, "%s");
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - text), text, more, at + 2);
    site_conf(whole);
}

/* Asks until the answer is `body`. */
static void await_body(const char *target, const char *body)
{
    int64_t deadline = now_msec() + scaled(8000);
    for (bool is = false; !is; sleep_msec(10)) {
        struct site_response r;
        site_get(&r, target);
        is = !strcmp(r.body, body);
        ck_assert_msg(is || now_msec() < deadline, "%s is still %s", target, r.body);
        site_response_free(&r);
    }
}

static bool port_refuses(int port)
{
    return !site_accepts(port) && (errno == ECONNREFUSED || errno == ENOENT);
}

static void await_refusal(int port)
{
    for (int64_t deadline = now_msec() + scaled(8000); !port_refuses(port); sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
}

START_TEST(reload_changes_the_configuration)
{
    configure(two_workers, "location = /x { return 200 one; }");
    site_start();
    expect_body("/x", "one");
    pid_t before[8], after[8];
    site_await_workers(2);
    ck_assert_uint_eq(site_workers(before, 8), 2);
    configure(two_workers, "location = /x { return 200 two; } listen 127.0.0.1:@PORT1@;");
    site_kill(SIGHUP);
    await_body("/x", "two");
    site_await_port(site_port(1));
    site_await_workers(2);
    ck_assert_uint_eq(site_workers(after, 8), 2);
    for (int i = 0; i < 4; i++)
        ck_assert_int_ne(before[i / 2], after[i % 2]);
    configure(two_workers, "location = /x { return 200 three; }");
    site_kill(SIGHUP);
    await_body("/x", "three");
    await_refusal(site_port(1));
}
END_TEST

START_TEST(reload_lets_downloads_finish)
{
    site_pattern("html/big", 24 * MIB);
    configure(two_workers, "");
    site_start();
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 100000);
    configure(two_workers, "location = /x { return 200 new; }");
    site_kill(SIGHUP);
    await_body("/x", "new");
    client_expect_pattern(&c, 100000, 24 * MIB - 100000);
    ck_assert(client_ends(&c)); /* the old worker keeps nothing open */
    client_close(&c);
    site_await_workers(2);
}
END_TEST

START_TEST(reload_with_a_broken_file_keeps_the_old)
{
    configure(two_workers, "location = /x { return 200 one; }");
    site_start();
    site_allow_alerts();
    static const char *const broken[] = {"nonsense;", "listen 127.0.0.1:99999;", "root"};
    for (unsigned i = 0; i < 3; i++) {
        configure(two_workers, broken[i]);
        site_kill(SIGHUP);
        free(log_await_count("logs/error.log", "[emerg]", i + 1));
        expect_body("/x", "one");
    }
    /* An address that cannot be had: the same. */
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)site_port(1))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* As the server does: a connection that ended on this port may still be remembered. */
    ck_assert_int_eq(setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
    ck_assert_int_eq(bind(taken, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    configure(two_workers, "listen 127.0.0.1:@PORT1@; location = /x { return 200 never; }");
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "(98: Address already in use)"));
    sleep_msec(50);
    expect_body("/x", "one");
    close(taken);
    configure(two_workers, "location = /x { return 200 good; }");
    sleep_msec(scaled(on_nginx() ? 3000 : 50)); /* nginx is busy retrying the bind */
    site_kill(SIGHUP);
    await_body("/x", "good");
}
END_TEST

START_TEST(killed_worker_is_replaced)
{
    site_pattern("html/f", 1000);
    configure(two_workers, "");
    site_start();
    site_allow_alerts();
    site_await_workers(2);
    for (unsigned i = 0; i < 3; i++) {
        pid_t pids[8];
        ck_assert_uint_ge(site_workers(pids, 8), 1);
        ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
        free(log_await_count("logs/error.log", "exited on signal 9", i + 1));
        site_await_workers(2);
        ck_assert_int_eq(site_status_of("/f"), 200);
    }
}
END_TEST

START_TEST(quit_lets_downloads_finish)
{
    site_pattern("html/big", 24 * MIB);
    configure(two_workers, "");
    site_start();
    struct site_client c, idle;
    struct site_response r;
    client_open(&idle, site_port(0));
    client_say(&idle, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&idle, &r));
    site_response_free(&r);
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 100000);
    site_kill(SIGQUIT);
    await_refusal(site_port(0));
    ck_assert(client_ends(&idle)); /* the idle one closes at once */
    client_expect_pattern(&c, 100000, 24 * MIB - 100000);
    ck_assert(client_ends(&c));
    client_close(&c);
    client_close(&idle);
    ck_assert_int_eq(site_wait_exit(), 0);
}
END_TEST

START_TEST(quit_under_load_fails_no_request)
{
    site_pattern("html/f", 1000);
    configure(two_workers, "");
    site_start();
    struct site_client c[50];
    struct site_response r;
    for (int i = 0; i < 50; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    /* Whoever has been accepted is answered. */
    for (int i = 0; i < 50; i++)
        ck_assert(client_fill(&c[i]));
    site_kill(SIGQUIT);
    for (int i = 0; i < 50; i++) {
        ck_assert(client_receive(&c[i], &r));
        ck_assert_int_eq(r.status, 200);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
        ck_assert(client_ends(&c[i]));
        client_close(&c[i]);
    }
    ck_assert_int_eq(site_wait_exit(), 0);
}
END_TEST

START_TEST(worker_shutdown_timeout)
{
    site_pattern("html/big", 24 * MIB);
    configure("daemon off; worker_processes 2; worker_shutdown_timeout 1s; pid logs/sluice.pid; error_log "
              "logs/error.log; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s } }",
              "");
    site_start();
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_fill(&c));
    site_stop(SIGQUIT);
    client_close(&c);
}
END_TEST

static void fast_stop(int sig)
{
    site_pattern("html/big", 24 * MIB);
    configure(two_workers, "");
    site_start();
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_fill(&c));
    site_stop(sig);
    ck_assert(port_refuses(site_port(0)));
    ck_assert_int_ne(access(site_path("logs/sluice.pid"), F_OK), 0);
    client_close(&c);
}

START_TEST(term_and_int_stop_at_once)
{
    fast_stop(_i ? SIGINT : SIGTERM);
}
END_TEST

/* Nobody is left to serve a socket that nobody manages. */
START_TEST(workers_do_not_outlive_the_master)
{
    configure(two_workers, "");
    site_start();
    site_await_workers(2);
    pid_t pids[8], master = site_pid();
    ck_assert_uint_eq(site_workers(pids, 8), 2);
    ck_assert_int_eq(kill(master, SIGKILL), 0);
    ck_assert_int_eq(waitpid(master, NULL, 0), master);
    site_forget();
    int64_t deadline = now_msec() + scaled(8000);
    for (int i = 0; i < 2; i++) {
        while (kill(pids[i], 0) == 0) {
            char path[64], state[256] = "";
            snprintf(path, sizeof path, "/proc/%d/stat", (int)pids[i]);
            FILE *f = fopen(path, "re");
            if (f && fgets(state, sizeof state, f) && strstr(state, ") Z")) {
                fclose(f);
                break;
            }
            if (f)
                fclose(f);
            ck_assert_int_lt(now_msec(), deadline);
            sleep_msec(10);
        }
    }
    site_allow_alerts();
}
END_TEST

START_TEST(pid_file)
{
    configure(two_workers, "");
    site_start();
    char expected[32];
    char *pid = log_await("logs/sluice.pid", "\n");
    snprintf(expected, sizeof expected, "%d\n", (int)site_pid());
    ck_assert_str_eq(pid, expected);
    free(pid);
    site_stop(SIGQUIT);
    ck_assert_int_ne(access(site_path("logs/sluice.pid"), F_OK), 0);
}
END_TEST

START_TEST(master_process_off)
{
    site_write("html/a.txt", "hello\n");
    site_conf("daemon off; master_process off; pid logs/sluice.pid; error_log logs/error.log; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    site_start();
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
    ck_assert_uint_eq(site_workers(NULL, 0), 0);
    site_stop(_i ? SIGTERM : SIGQUIT);
}
END_TEST

START_TEST(privileges_are_dropped)
{
    if (geteuid() != 0)
        return;
    configure(two_workers, "");
    site_start();
    site_await_workers(2);
    pid_t pids[8];
    ck_assert_uint_eq(site_workers(pids, 8), 2);
    int64_t deadline = now_msec() + scaled(3000);
    for (bool dropped = false; !dropped; sleep_msec(10)) { /* a worker does so first thing, after its fork */
        char line[200];
        unsigned uid = 0, gid = 0;
        FILE *f = fopen(site_path("/proc/%d/status", (int)pids[0]), "re");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof line, f))
            (void)(sscanf(line, "Uid: %*u %u", &uid) || sscanf(line, "Gid: %*u %u", &gid));
        fclose(f);
        dropped = uid != 0 && gid != 0;
        ck_assert_msg(dropped || now_msec() < deadline, "worker runs as %u:%u", uid, gid);
    }
}
END_TEST

START_TEST(signals_by_option)
{
    struct site_run run;
    configure(two_workers, "location = /x { return 200 one; }");
    site_start();
    configure(two_workers, "location = /x { return 200 two; }");
    free(log_await("logs/sluice.pid", "\n"));
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "reload", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    await_body("/x", "two");
    ck_assert_int_eq(rename(site_path("logs/access.log"), site_path("logs/old")), 0);
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "reopen", NULL);
    ck_assert_int_eq(run.status, 0);
    for (int64_t deadline = now_msec() + scaled(5000); access(site_path("logs/access.log"), F_OK) < 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    site_run(&run, "-c", site_path("sluice.conf"), "-s", _i ? "stop" : "quit", NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_int_eq(site_wait_exit(), 0);
}
END_TEST

START_TEST(daemon_mode)
{
    site_write("html/a.txt", "hello\n");
    site_conf("daemon on; worker_processes 1; pid logs/sluice.pid; error_log logs/error.log; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    struct site_run run;
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    /* The command is back: the port is open. */
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
    char *pid = log_await("logs/sluice.pid", "\n");
    pid_t master = atoi(pid);
    free(pid);
    ck_assert_int_gt(master, 1);
    ck_assert_int_eq(kill(master, 0), 0);
    ck_assert_int_ne(getpgid(master), getpgrp());
    site_run(&run, "-c", site_path("sluice.conf"), "-s", "quit", NULL);
    ck_assert_int_eq(run.status, 0);
    for (int64_t deadline = now_msec() + scaled(8000); access(site_path("logs/sluice.pid"), F_OK) == 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
}
END_TEST

START_TEST(address_in_use)
{
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)site_port(0))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* connections to it may be in TIME_WAIT */
    ck_assert_int_eq(bind(taken, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    configure(two_workers, "");
    struct site_run run;
    char message[128];
    snprintf(message, sizeof message, "[emerg] bind() to 127.0.0.1:%d failed (98: Address already in use)",
             site_port(0));
    site_run(&run, "-c", site_path("sluice.conf"), NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, message), "%s", run.err);
    ck_assert_int_ne(access(site_path("logs/sluice.pid"), F_OK), 0);
    close(taken);
    site_allow_alerts();
}
END_TEST

START_TEST(unix_socket)
{
    char path[108];
    ck_assert_uint_lt(strlen(site_path("s.sock")), sizeof path);
    strcpy(path, site_path("s.sock"));
    site_write("html/a.txt", "hello\n");
    configure(two_workers, "listen unix:@DIR@/s.sock;");
    site_start();
    struct site_client c;
    struct site_response r;
    client_open_unix(&c, path);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "hello\n");
    site_response_free(&r);
    client_close(&c);
    free(log_await("logs/access.log", "unix: - - "));
    site_stop(SIGTERM);
    ck_assert_int_ne(access(path, F_OK), 0);
    if (on_nginx())
        return;
    /* One that a killed server left is replaced. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    site_start();
    client_open_unix(&c, path);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(ipv6)
{
    site_write("html/a.txt", "hello\n");
    configure(two_workers, "listen [::1]:@PORT1@;");
    struct site_run run;
    site_check(&run);
    if (strstr(run.err, "Address family not supported") || strstr(run.err, "Cannot assign requested address"))
        return; /* a machine without IPv6 */
    site_start();
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 to = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)site_port(1)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    struct site_client c;
    struct site_response r;
    client_open_tcp(&c, fd);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: [::1]\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_close(&c);
    free(log_await("logs/access.log", "::1 - - "));
}
END_TEST

/* ---- what only sluice has ---- */

static int listening_socket(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* connections to it may be in TIME_WAIT */
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

/* What waits in the queue before there is a worker is answered by one that serves. */
START_TEST(nobody_is_ready_before_a_worker)
{
    struct site_client c;
    struct site_response r;

    site_conf_server("location = /readyz { ready; }");
    int fd = listening_socket(site_port(0));
    client_open(&c, site_port(0));
    client_say(&c, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    site_start_with((char *[]){(char *)"LISTEN_FDS=1", (char *)"LISTEN_PID=@PID@", NULL}, fd);
    close(fd);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "ready\n");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(socket_activation)
{
    site_write("html/a.txt", "hello\n");
    configure(two_workers, "");
    /* A second bind to this port would fail: the server must take the socket it is given. */
    int fd = listening_socket(site_port(0));
    site_start_with((char *[]){(char *)"LISTEN_FDS=1", (char *)"LISTEN_PID=@PID@", NULL}, fd);
    close(fd);
    site_await_workers(2);
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "reconfiguring"));
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
}
END_TEST

static void expect_notice(int fd, const char *text)
{
    char message[1024] = "";
    do {
        ssize_t n = recv(fd, message, sizeof message - 1, 0);
        ck_assert_msg(n > 0, "no \"%s\"", text);
        message[n] = '\0';
    } while (!strstr(message, text));
}

START_TEST(service_manager_is_told)
{
    char path[108], setting[128];
    ck_assert_uint_lt(strlen(site_path("notify")), sizeof path);
    strcpy(path, site_path("notify"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = scaled(8000) / 1000};
    strcpy(at.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(setting, sizeof setting, "NOTIFY_SOCKET=%s", path);
    configure(two_workers, "");
    site_start_with((char *[]){setting, NULL}, -1);
    expect_notice(fd, "READY=1");
    ck_assert(!port_refuses(site_port(0)));
    site_kill(SIGHUP);
    expect_notice(fd, "RELOADING=1");
    expect_notice(fd, "READY=1");
    site_kill(SIGQUIT);
    expect_notice(fd, "STOPPING=1");
    ck_assert_int_eq(site_wait_exit(), 0);
    close(fd);
}
END_TEST

START_TEST(directory_mode)
{
    char address[64], folder[4096];
    site_write("html/a b.txt", "hello\n");
    site_write("html/sub/index.html", "sub\n");
    snprintf(address, sizeof address, "127.0.0.1:%d", site_port(0));
    snprintf(folder, sizeof folder, "%s", site_path("html"));
    site_start_args((char *[]){(char *)"sluice", folder, (char *)"-l", address, NULL});
    site_await_port(site_port(0));
    struct site_response r;
    site_get(&r, "/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "a%20b.txt"));
    site_response_free(&r);
    expect_body("/a%20b.txt", "hello\n");
    expect_body("/sub/", "sub\n");
    ck_assert_int_eq(site_status_of("/none"), 404);
    /* What was said at the start names the address. */
    char *out = site_read("logs/stdout", NULL), *err = site_read("logs/stderr", NULL);
    ck_assert(strstr(out, address) || strstr(err, address));
    free(out);
    free(err);
    site_stop(SIGINT);
}
END_TEST

/* Relative paths are below the folder of who starts it. */
START_TEST(directory_mode_logs_here)
{
    char address[64], folder[4096], *binary = realpath(getenv("SLUICE"), NULL);
    ck_assert_ptr_nonnull(binary);
    ck_assert_int_eq(setenv("SLUICE", binary, 1), 0);
    free(binary);
    site_write("html/a.txt", "hello\n");
    site_write("here/mark", "");
    snprintf(address, sizeof address, "127.0.0.1:%d", site_port(0));
    snprintf(folder, sizeof folder, "%s", site_path("html"));
    ck_assert_int_eq(chdir(site_path("here")), 0);
    site_start_args(
        (char *[]){(char *)"sluice", folder, (char *)"-l", address, (char *)"-e", (char *)"errors.log", NULL});
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/none"), 404);
    free(log_await("here/errors.log", "html/none"));
    site_stop(SIGINT);
}
END_TEST

START_TEST(directory_mode_with_errors)
{
    struct site_run run;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", site_path("none"));
    site_run_bare(&run, (char *[]){(char *)"sluice", folder, NULL});
    ck_assert_int_ne(run.status, 0);
    ck_assert_msg(strstr(run.err, folder), "%s", run.err);
    /* The port is taken: another is offered, or it says that this one is. */
    int fd = listening_socket(site_port(0));
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", site_port(0));
    snprintf(folder, sizeof folder, "%s", site_path("html"));
    site_start_args((char *[]){(char *)"sluice", folder, (char *)"-l", address, NULL});
    char port[16];
    snprintf(port, sizeof port, "%d", site_port(0));
    for (int64_t deadline = now_msec() + scaled(8000);; sleep_msec(10)) {
        char *out = site_read("logs/stdout", NULL), *err = site_read("logs/stderr", NULL);
        bool said = (out && strstr(out, port)) || (err && strstr(err, port));
        free(out);
        free(err);
        if (said)
            break;
        ck_assert_int_lt(now_msec(), deadline);
    }
    close(fd);
    site_kill(SIGTERM);
    site_wait_exit();
}
END_TEST

Suite *suite_process(void)
{
    Suite *s = suite_create("process");
    TCase *tc = site_case(s, "process", 60);
    tcase_add_test(tc, reload_changes_the_configuration);
    tcase_add_test(tc, reload_lets_downloads_finish);
    tcase_add_tcp_test(tc, reload_with_a_broken_file_keeps_the_old, "a port that another process has");
    tcase_add_test(tc, killed_worker_is_replaced);
    tcase_add_test(tc, quit_lets_downloads_finish);
    tcase_add_test(tc, quit_under_load_fails_no_request);
    tcase_add_test(tc, worker_shutdown_timeout);
    tcase_add_loop_test(tc, term_and_int_stop_at_once, 0, 2);
    tcase_add_test(tc, pid_file);
    tcase_add_loop_test(tc, master_process_off, 0, 2);
    tcase_add_test(tc, privileges_are_dropped);
    tcase_add_loop_test(tc, signals_by_option, 0, 2);
    tcase_add_test(tc, daemon_mode);
    tcase_add_tcp_test(tc, address_in_use, "a port that another process has");
    tcase_add_test(tc, unix_socket);
    tcase_add_plain_test(tc, ipv6, "it writes its own listen");
    if (!on_nginx()) {
        TCase *own = site_case(s, "own", 60);
        tcase_add_test(own, workers_do_not_outlive_the_master);
        tcase_add_test(own, socket_activation);
        tcase_add_plain_test(own, nobody_is_ready_before_a_worker, "speaks before there is a server to shake hands");
        tcase_add_test(own, service_manager_is_told);
        if (needs_plain("directory_mode", "it writes its own listen"))
            tcase_add_tcp_test(own, directory_mode, "starts with a port");
        if (needs_plain("directory_mode_logs_here", "it writes its own listen"))
            tcase_add_tcp_test(own, directory_mode_logs_here, "starts with a port");
        tcase_add_test(own, directory_mode_with_errors);
    }
    return s;
}
