/* test_sandbox.c - workers are confined: what the kernel says of them, what they can and cannot
 * open, and that each part can be switched off. The parts that this kernel lacks are not asked
 * for. */
#include "deny.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void conf_with(const char *main_rows, const char *server_rows)
{
    char text[4096];

    snprintf(text, sizeof text,
             "@MAIN@\n%s\nevents { worker_connections 512; }\nhttp {\n@HTTP@\nserver {\nlisten 127.0.0.1:@PORT@;\n"
             "root @DIR@/html;\n%s\n}\n}\n",
             main_rows, server_rows);
    site_conf(text);
}

static void serve(const char *main_rows, const char *server_rows)
{
    site_write("html/in.txt", "inside\n");
    site_write("outside/secret.txt", "secret\n");
    if (symlink("../outside/secret.txt", site_path("html/link")) < 0)
        ck_assert_int_eq(errno, EEXIST);
    conf_with(main_rows, server_rows);
    site_start();
}

/* A line of /proc/PID/status, without its name. */
static const char *status_line(pid_t pid, const char *name)
{
    static char line[256];
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        size_t len = strlen(name);
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            fclose(f);
            line[strcspn(line, "\n")] = '\0';
            return line + len + 1 + strspn(line + len + 1, "\t ");
        }
    }
    fclose(f);
    ck_abort_msg("no %s of %d", name, (int)pid);
}

START_TEST(kernel_says_so)
{
    serve("", "");
    pid_t pid = site_worker();
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    bool instrumented = site_is_instrumented();
    ck_assert_str_eq(status_line(pid, "NoNewPrivs"), "1");
    ck_assert_str_eq(status_line(pid, "CapEff"), "0000000000000000");
    ck_assert_str_eq(status_line(pid, "CapPrm"), "0000000000000000");
    ck_assert_str_eq(status_line(pid, "CapInh"), "0000000000000000");
    ck_assert_str_eq(status_line(pid, "CapAmb"), "0000000000000000");
    if (geteuid() == 0) /* nobody else may drop it */
        ck_assert_str_eq(status_line(pid, "CapBnd"), "0000000000000000");
    if (!instrumented)
        ck_assert_str_eq(status_line(pid, "Seccomp"), "2");
    ck_assert_str_eq(status_line(site_pid(), "NoNewPrivs"), "0"); /* a new binary may need them */
    char *log = log_await("logs/error.log", "confined: no new privileges, no capabilities, ");
    ck_assert(instrumented || strstr(log, "seccomp"));
    ck_assert(instrumented || !has_landlock() || strstr(log, "Landlock"));
    free(log);
}
END_TEST

/* Every thread: of the log, of the pools. */
START_TEST(threads_are_confined)
{
    char path[64], name[64];

    serve("", "aio threads; directio 4k;");
    site_pattern("html/large", 1 << 20);
    ck_assert_int_eq(site_status_of("/large"), 200);
    if (site_is_instrumented())
        return;
    pid_t pid = site_worker();
    unsigned threads = (unsigned)atoi(status_line(pid, "Threads"));
    ck_assert_uint_gt(threads, 2);
    snprintf(path, sizeof path, "ls /proc/%d/task", (int)pid);
    FILE *tasks = popen(path, "r");
    unsigned seen = 0;
    while (fgets(name, sizeof name, tasks)) {
        ck_assert_str_eq(status_line((pid_t)atoi(name), "Seccomp"), "2");
        seen++;
    }
    pclose(tasks);
    ck_assert_uint_ge(seen, threads);
}
END_TEST

/* Whatever the user. */
START_TEST(root_has_none)
{
    if (geteuid() != 0)
        return; /* nobody else can be root */
    serve("user root;", "");
    pid_t pid = site_worker();
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    ck_assert_str_eq(status_line(pid, "Uid"), "0\t0\t0\t0");
    ck_assert_str_eq(status_line(pid, "CapEff"), "0000000000000000");
    ck_assert_str_eq(status_line(pid, "CapBnd"), "0000000000000000");
}
END_TEST

/* Files outside, by way of a link in the root. */
START_TEST(files_outside)
{
    serve("", "");
    if (!has_landlock() || site_is_instrumented())
        return;
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    ck_assert_int_eq(site_status_of("/link"), 403);
    free(log_await("logs/error.log", "link\" failed (13: Permission denied)"));
}
END_TEST

static const char *const allowing[] = {"landlock off;", "landlock_read @DIR@/outside;",
                                       "landlock_read /nowhere @DIR@/outside/secret.txt;"};

START_TEST(files_outside_allowed)
{
    serve(allowing[_i], "");
    ck_assert_int_eq(site_status_of("/link"), 200);
}
END_TEST

START_TEST(each_part_can_be_off)
{
    serve("landlock off; seccomp off; no_new_privs off; drop_capabilities off;", "");
    pid_t pid = site_worker();
    ck_assert_str_eq(status_line(pid, "NoNewPrivs"), "0");
    ck_assert_str_eq(status_line(pid, "Seccomp"), "0");
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    ck_assert_int_eq(site_status_of("/link"), 200);
}
END_TEST

/* Kernels without Landlock (not built in, or not switched on) or without seccomp filters: one
 * warning, however many workers, and the other part holds. */
static const struct lacking {
    long call;
    int error;
    const char *warning, *holds;
} lacking[] = {
    {SYS_landlock_create_ruleset, ENOSYS, "this kernel has no Landlock", "seccomp"},
    {SYS_landlock_create_ruleset, EOPNOTSUPP, "this kernel has no Landlock", "seccomp"},
    {SYS_seccomp, ENOSYS, "this kernel accepts no seccomp filter", "Landlock"},
    {SYS_seccomp, EINVAL, "this kernel accepts no seccomp filter", "Landlock"},
};

START_TEST(kernel_lacks_it)
{
    const struct lacking *l = &lacking[_i];

    if (!deny(l->call, l->error))
        return;
    site_write("html/in.txt", "inside\n");
    site_conf("daemon off; worker_processes 3; pid logs/sluice.pid; error_log logs/error.log info; events { }\n"
              "http { @HTTP@ server { listen 127.0.0.1:@PORT@; root @DIR@/html; } }");
    site_start();
    site_await_workers(3);
    char *log = log_await_count("logs/error.log", "confined: no new privileges, no capabilities, ", 3);
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    if (!strstr(log, "instrumented build")) {
        ck_assert_uint_eq(count_text(log, l->warning), 1);
        ck_assert_uint_eq(count_text(log, "[warn]"), 1);
        for (char *said = log; (said = strstr(said, "confined: ")); said++) {
            char line[256];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(said, "\n"), said);
            ck_assert_msg(strstr(line, "seccomp") == NULL || !strcmp(l->holds, "seccomp"), "%s", line);
            ck_assert_msg(strstr(line, "Landlock") == NULL || !strcmp(l->holds, "Landlock"), "%s", line);
            ck_assert_msg(strstr(line, l->holds) || (l->call == SYS_seccomp && !has_landlock()), "%s", line);
        }
    }
    free(log);
}
END_TEST

/* Roots with variables, and one that is a link to a release, which is switched while the worker
 * runs. */
START_TEST(roots_that_vary)
{
    site_write("vhosts/localhost/host/x", "inside\n");
    site_write("releases/1/www/rel/x", "one\n");
    site_write("releases/2/www/rel/x", "two\n");
    site_write("users/ann/public/x", "inside\n");
    ck_assert_int_eq(symlink("releases/1", site_path("current")), 0);
    serve("", "location /host/ { root @DIR@/vhosts/$host; }\n"
              "location /rel/ { root @DIR@/current/www; }\n"
              "location ~ ^/~(\\w+)/(.*)$ { alias @DIR@/users/$1/public/$2; }\n"
              "location /later/ { root @DIR@/not/yet/there; }");
    ck_assert_int_eq(site_status_of("/host/x"), 200);
    ck_assert_int_eq(site_status_of("/rel/x"), 200);
    ck_assert_int_eq(site_status_of("/~ann/x"), 200);
    ck_assert_int_eq(symlink("releases/2", site_path("next")), 0);
    ck_assert_int_eq(rename(site_path("next"), site_path("current")), 0);
    struct site_response r;
    site_get(&r, "/rel/x");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "two\n");
    site_response_free(&r);
    site_write("not/yet/there/later/x", "inside\n");
    ck_assert_int_eq(site_status_of("/later/x"), 200);
}
END_TEST

/* Where variables say all of a path there is nothing to grant, and certainly not the root
 * directory. */
static const char *const open_paths[] = {
    "set $d @DIR@/outside; location / { root $d; }",
    "set $d @DIR@/outside; location /secret.txt { alias $d/secret.txt; }",
    "set $d @DIR@/outside; location / { root /$d; }",
    "set $d @DIR@/outside; location / { root /${d}; }",
    "set $d x; location / { root /x-$d; }",
    "auth_basic x; set $d @DIR@/outside; auth_basic_user_file $d/users;",
};

START_TEST(paths_that_begin_with_a_variable)
{
    struct site_run run;
    const char *row = open_paths[_i];

    site_write("outside/secret.txt", "secret\n");
    site_write("outside/users", "ann:{PLAIN}x\n");
    conf_with("", row);
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(strstr(run.err, "what \"landlock_read\" names in "), "%s", run.err);
    conf_with("landlock off;", row);
    site_check(&run);
    ck_assert_ptr_null(strstr(run.err, "[warn]"));
    conf_with("landlock_read @DIR@/outside;", row);
    site_check(&run);
    ck_assert_ptr_null(strstr(run.err, "[warn]"));
    if (strstr(row, "x-") || !has_landlock() || strstr(row, "auth"))
        return;
    conf_with("", row);
    site_start();
    if (site_is_instrumented())
        return;
    ck_assert_int_eq(site_status_of("/secret.txt"), 403);
    conf_with("landlock_read @DIR@/outside;", row);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    ck_assert_int_eq(site_status_of("/secret.txt"), 200);
}
END_TEST

START_TEST(logs_are_reopened)
{
    serve("", "");
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    free(log_await("logs/access.log", "GET /in.txt"));
    ck_assert_int_eq(rename(site_path("logs/access.log"), site_path("logs/access.1")), 0);
    site_kill(SIGUSR1);
    while (access(site_path("logs/access.log"), F_OK) < 0) /* made anew; the case has a limit */
        sleep_msec(10);
    for (unsigned made = 0; made == 0;) { /* by the master; the worker follows */
        size_t len;
        ck_assert_int_eq(site_status_of("/in.txt"), 200);
        char *log = site_read("logs/access.log", &len);
        made = count_text(log, "GET /in.txt");
        free(log);
    }
    char *log = site_read("logs/error.log", NULL);
    ck_assert_ptr_null(strstr(log, "could not be reopened"));
    free(log);
}
END_TEST

/* New workers enter rules of their own. */
START_TEST(reload_with_other_roots)
{
    serve("", "");
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    site_write("elsewhere/y.txt", "other\n");
    conf_with("", "location /y.txt { root @DIR@/elsewhere; }");
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    struct site_response r;
    site_get(&r, "/y.txt");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}
END_TEST

START_TEST(single_process)
{
    char *log;

    serve("master_process off;", "");
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    ck_assert_int_eq(site_status_of("/link"), 200); /* a reload may want any file */
    ck_assert_str_eq(status_line(site_pid(), "NoNewPrivs"), "1");
    if (!site_is_instrumented())
        ck_assert_str_eq(status_line(site_pid(), "Seccomp"), "2");
    site_write("elsewhere/y.txt", "other\n");
    conf_with("master_process off;", "listen 127.0.0.1:@PORT1@; location /y.txt { root @DIR@/elsewhere; }\n"
                                     "location ~ ^/(?<rest>z.*)$ { root @DIR@/elsewhere; }");
    site_kill(SIGHUP);
    site_await_port(site_port(1));
    ck_assert_int_eq(site_status_of("/y.txt"), 200);
    log = site_read("logs/error.log", NULL);
    ck_assert_ptr_null(strstr(log, "[emerg]"));
    free(log);
}
END_TEST

START_TEST(quick_mode)
{
    char port[16], dir[512], *argv[] = {"sluice", NULL, "-l", port, "-e", NULL, NULL};
    char log[512];

    site_write("html/in.txt", "inside\n");
    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    snprintf(log, sizeof log, "%s", site_path("logs/error.log"));
    argv[1] = dir;
    argv[5] = log;
    site_start_args(argv);
    site_await_port(site_port(0));
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    pid_t pid = site_pid();
    ck_assert_str_eq(status_line(pid, "NoNewPrivs"), "1");
    /* Root keeps what lets it read; nobody else has anything. */
    ck_assert_str_eq(status_line(pid, "CapEff"), geteuid() == 0 ? "0000000000000004" : "0000000000000000");
}
END_TEST

static const struct broken {
    const char *row, *error;
} broken[] = {
    {"landlock maybe;", "it must be \"on\" or \"off\""},
    {"seccomp;", "invalid number of arguments in \"seccomp\" directive"},
    {"landlock_read;", "invalid number of arguments in \"landlock_read\" directive"},
};

START_TEST(configuration_errors)
{
    struct site_run run;

    conf_with(broken[_i].row, "");
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    ck_assert_msg(strstr(run.err, broken[_i].error), "%s", run.err);
}
END_TEST

Suite *suite_sandbox(void)
{
    Suite *s = suite_create("sandbox");
    TCase *t = site_case(s, "sandbox", 60);

    if (on_nginx())
        return s;
    tcase_add_test(t, kernel_says_so);
    tcase_add_test(t, threads_are_confined);
    tcase_add_test(t, root_has_none);
    tcase_add_test(t, files_outside);
    tcase_add_loop_test(t, files_outside_allowed, 0, sizeof allowing / sizeof *allowing);
    tcase_add_test(t, each_part_can_be_off);
    tcase_add_loop_test(t, kernel_lacks_it, 0, sizeof lacking / sizeof *lacking);
    tcase_add_test(t, roots_that_vary);
    tcase_add_loop_test(t, paths_that_begin_with_a_variable, 0, sizeof open_paths / sizeof *open_paths);
    tcase_add_test(t, logs_are_reopened);
    tcase_add_test(t, reload_with_other_roots);
    tcase_add_test(t, single_process);
    if (needs_plain("quick_mode", "it writes its own listen"))
        tcase_add_tcp_test(t, quick_mode, "starts with a port");
    tcase_add_loop_test(t, configuration_errors, 0, sizeof broken / sizeof *broken);
    return s;
}
