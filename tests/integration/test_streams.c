/* test_streams.c - logs that are descriptors of the process by another name, as in every container
 * image; and paths of the command line that are relative. In both the confined worker serves, and
 * logs, after the logs are reopened too. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- standard output ---- */

enum kind { A_PIPE, A_SOCKET, A_FILE };

static const struct stream {
    enum kind kind;
    const char *name, *target; /* the log, and what it is a link to; "" */
} streams[] = {
    {A_PIPE, "out.log", "/dev/stdout"},  {A_SOCKET, "out.log", "/dev/stdout"}, {A_FILE, "out.log", "/dev/stdout"},
    {A_PIPE, "/dev/fd/1", ""},           {A_SOCKET, "/dev/fd/1", ""},          {A_FILE, "/dev/fd/1", ""},
    {A_PIPE, "/proc/self/fd/1", ""},     {A_SOCKET, "/proc/self/fd/1", ""},    {A_PIPE, "out.log", "/proc/self/fd/1"},
    {A_SOCKET, "out.log", "second.log"}, {A_PIPE, "/dev/stdout", ""},          {A_SOCKET, "/dev/stdout", ""},
};

/* ends[0] is read here, ends[1] is the server's. */
static void open_stream(enum kind kind, int ends[2])
{
    if (kind == A_PIPE) {
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        return;
    }
    if (kind == A_SOCKET) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        return;
    }
    ends[1] = open(site_path("stream"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ends[0] = open(site_path("stream"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(ends[0], 0);
}

static void await_line(int fd, const char *text)
{
    char got[4096];
    size_t len = 0;

    for (int64_t until = now_msec() + scaled(5000); now_msec() < until; sleep_msec(5)) {
        struct pollfd p = {fd, POLLIN, 0};
        ssize_t n = poll(&p, 1, 100) > 0 ? read(fd, got + len, sizeof got - 1 - len) : 0;
        len += n > 0 ? (size_t)n : 0;
        got[len] = '\0';
        if (strstr(got, text))
            return;
    }
    ck_abort_msg("no \"%s\" in \"%s\"", text, got);
}

START_TEST(standard_output)
{
    const struct stream *s = &streams[_i];
    char conf[512];
    int ends[2];

    site_write("html/x", "inside\n");
    site_write("outside/key", "secret\n");
    ck_assert_int_eq(symlink("../outside/key", site_path("html/key")), 0);
    if (*s->target)
        ck_assert_int_eq(symlink(s->target, site_path("%s", s->name)), 0);
    if (strcmp(s->target, "second.log") == 0)
        ck_assert_int_eq(symlink("/dev/stdout", site_path("second.log")), 0);
    snprintf(conf, sizeof conf,
             "@MAIN@\nevents { }\nhttp { access_log %s; server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }\n",
             s->name);
    site_conf(conf);
    open_stream(s->kind, ends);
    site_start_from(NULL, ends[1], NULL);
    close(ends[1]);
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/x"), 200);
    await_line(ends[0], "GET /x ");
    site_kill(SIGUSR1);
    free(log_await_count("logs/error.log", "reopening logs", 2)); /* the master and the worker */
    ck_assert_int_eq(site_status_of("/x?again"), 200);
    await_line(ends[0], "GET /x?again ");
    char *log = log_await("logs/error.log", "confined: ");
    ck_assert_msg(!strstr(log, "[emerg]") && !strstr(log, "[warn]"), "%s", log);
    if (strstr(log, "Landlock grants"))
        ck_assert_int_eq(site_status_of("/key"), 403);
    free(log);
}
END_TEST

/* A daemon's standard output is /dev/null; what a log had of it before stays. */
START_TEST(standard_output_of_a_daemon)
{
    int ends[2];

    site_write("html/x", "inside\n");
    ck_assert_int_eq(symlink("/dev/stdout", site_path("out.log")), 0);
    site_conf("daemon on; pid logs/sluice.pid; error_log logs/error.log info; events { }\n"
              "http { access_log out.log; server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    open_stream(A_PIPE, ends);
    site_start_from(NULL, ends[1], NULL);
    close(ends[1]);
    ck_assert_int_eq(site_wait_exit(), 0);
    char *text = log_await("logs/sluice.pid", "\n");
    pid_t master = atoi(text);
    free(text);
    ck_assert_int_eq(site_status_of("/x"), 200);
    await_line(ends[0], "GET /x ");
    ck_assert_int_eq(kill(master, SIGUSR1), 0);
    free(log_await_count("logs/error.log", "reopening logs", 2));
    ck_assert_int_eq(site_status_of("/x?again"), 200);
    await_line(ends[0], "GET /x?again ");
    ck_assert_int_eq(kill(master, SIGTERM), 0);
    while (access(site_path("logs/sluice.pid"), F_OK) == 0) /* the case has a limit */
        sleep_msec(5);
}
END_TEST

/* A link that leads to a file from now on is followed when logs are reopened. */
START_TEST(standard_output_no_more)
{
    int ends[2];

    site_write("html/x", "inside\n");
    ck_assert_int_eq(symlink("/dev/stdout", site_path("logs/out.log")), 0);
    site_conf(
        "@MAIN@\nevents { }\nhttp { access_log logs/out.log; server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    open_stream(A_PIPE, ends);
    site_start_from(NULL, ends[1], NULL);
    close(ends[1]);
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/x"), 200);
    await_line(ends[0], "GET /x ");
    ck_assert_int_eq(unlink(site_path("logs/out.log")), 0);
    site_kill(SIGUSR1);
    free(log_await_count("logs/error.log", "reopening logs", 2));
    ck_assert_int_eq(site_status_of("/x?again"), 200);
    free(log_await("logs/out.log", "GET /x?again "));
}
END_TEST

/* A FIFO that the workers' user may not open is open already. */
START_TEST(another_users_fifo)
{
    site_write("html/x", "inside\n");
    ck_assert_int_eq(mkfifo(site_path("fifo"), 0600), 0);
    int fd = open(site_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    site_conf("@MAIN@\nevents { }\nhttp { access_log fifo; server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    site_start();
    ck_assert_int_eq(site_status_of("/x"), 200);
    await_line(fd, "GET /x ");
    site_kill(SIGUSR1);
    free(log_await_count("logs/error.log", "reopening logs", 2));
    ck_assert_int_eq(site_status_of("/x?again"), 200);
    await_line(fd, "GET /x?again ");
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(!strstr(log, "[emerg]"), "%s", log);
    free(log);
}
END_TEST

/* ---- relative paths ---- */

static const struct relative {
    const char *folder, *prefix;
} relatives[] = {{"", "."}, {"", "./"}, {"sub", ".."}, {"sub", "../sub/.."}, {"other", "../"}, {"", "sub/.."}};

START_TEST(relative_prefix)
{
    const struct relative *r = &relatives[_i];
    char prefix[64], *argv[] = {"sluice", "-p", prefix, "-c", "sluice.conf", NULL};
    struct site_response answer;

    site_write("html/x", "inside\n");
    site_write("passwords", "user:{PLAIN}old\n");
    site_mkdir("sub");
    site_mkdir("other");
    snprintf(prefix, sizeof prefix, "%s", r->prefix);
    site_conf("daemon off; pid logs/sluice.pid; error_log logs/error.log info; events { }\n"
              "http { access_log logs/access.log; server { listen 127.0.0.1:@PORT@;\n"
              "location /x { } location = /y { alias html/x; auth_basic a; auth_basic_user_file passwords; } } }");
    site_start_from(site_path("%s", r->folder), 0, argv);
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_request(&answer, "GET", "/y", "Authorization: Basic dXNlcjpvbGQ=\r\n");
    ck_assert_int_eq(answer.status, 200);
    site_response_free(&answer);
    free(log_await("logs/access.log", "GET /y "));
    ck_assert_int_eq(rename(site_path("logs/access.log"), site_path("logs/access.1")), 0);
    site_kill(SIGUSR1);
    for (unsigned made = 0; made == 0; sleep_msec(10)) {
        ck_assert_int_eq(site_status_of("/x"), 200);
        char *log = site_read("logs/access.log", NULL);
        made = log ? count_text(log, "GET /x ") : 0;
        free(log);
    }
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(!strstr(log, "failed") && !strstr(log, "[emerg]"), "%s", log);
    free(log);
}
END_TEST

/* A configuration beside the prefix, by a link that is switched to another release: a reload reads
 * what is there now. */
START_TEST(configuration_by_a_link)
{
    char *argv[] = {"sluice", "-c", "current/sluice.conf", "-p", "logs", NULL};

    for (int i = 1; i <= 2; i++) {
        char text[512];
        site_write(i == 1 ? "releases/1/x" : "releases/2/x", i == 1 ? "old\n" : "new\n");
        snprintf(text, sizeof text,
                 "daemon off; pid @DIR@/logs/sluice.pid; error_log @DIR@/logs/error.log info; events { }\n"
                 "http { access_log off; server { listen 127.0.0.1:@PORT@; root @DIR@/releases/%d; } }",
                 i);
        site_conf(text);
        ck_assert_int_eq(rename(site_path("sluice.conf"), site_path("releases/%d/sluice.conf", i)), 0);
    }
    ck_assert_int_eq(symlink("releases/1", site_path("current")), 0);
    site_start_from(site_dir(), 0, argv);
    site_await_port(site_port(0));
    struct site_response r;
    site_get(&r, "/x");
    ck_assert_str_eq(r.body, "old\n");
    site_response_free(&r);
    ck_assert_int_eq(symlink("releases/2", site_path("next")), 0);
    ck_assert_int_eq(rename(site_path("next"), site_path("current")), 0);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    site_get(&r, "/x");
    ck_assert_str_eq(r.body, "new\n");
    site_response_free(&r);
}
END_TEST

START_TEST(relative_directory)
{
    static const char *const dirs[] = {".", "./html/..", "html/../", "html/.."};
    char port[16], *argv[] = {"sluice", (char *)(uintptr_t)dirs[_i], "-l", port, NULL};

    site_write("html/x", "inside\n");
    snprintf(port, sizeof port, "%d", site_port(0));
    site_start_from(site_dir(), 0, argv);
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/html/x"), 200);
}
END_TEST

Suite *suite_streams(void)
{
    Suite *s = suite_create("streams");
    TCase *t = site_case(s, "streams", 30);

    if (on_nginx())
        return s;
    tcase_add_plain_loop_test(t, standard_output, 0, sizeof streams / sizeof *streams, "it writes its own listen");
    tcase_add_test(t, standard_output_of_a_daemon);
    tcase_add_test(t, standard_output_no_more);
    tcase_add_test(t, another_users_fifo);
    tcase_add_test(t, configuration_by_a_link);
    tcase_add_loop_test(t, relative_prefix, 0, sizeof relatives / sizeof *relatives);
    if (needs_plain("relative_directory", "it writes its own listen"))
        tcase_add_tcp_loop_test(t, relative_directory, 0, 4, "starts with a port");
    return s;
}
