/* test_pid.c - the pid file where an administrator has put something else: a link, a FIFO, a
 * device, a file in a folder that may not be written. It is written through, and outlives the
 * server. A device is a node of the test's own. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char conf[] = "daemon off; %sworker_processes 1; pid %s; error_log logs/error.log info;\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /x { return 200 one; } } }";

static void configure(bool single, const char *pid)
{
    char text[1024];
    snprintf(text, sizeof text, conf, single ? "master_process off; " : "", pid);
    site_conf(text);
}

static mode_t type_of(const char *name)
{
    struct stat st;
    ck_assert_msg(lstat(site_path("%s", name), &st) == 0, "%s is gone", name);
    return st.st_mode & S_IFMT;
}

static pid_t pid_in(const char *name)
{
    char *text = site_read(name, NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

static void await_pid_in(const char *name, pid_t pid)
{
    for (int64_t deadline = now_msec() + scaled(8000); pid_in(name) != pid; sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "%s does not name %d", name, (int)pid);
}

static void expect_empty(const char *name)
{
    char *text = site_read(name, NULL);
    ck_assert_msg(text && !*text, "%s: %s", name, text ? text : "gone");
    free(text);
}

/* What stands where the pid file is to be: false where it cannot be made here. */
static bool make_link(void)
{
    site_write("run/target", "");
    return symlink("../run/target", site_path("logs/sluice.pid")) == 0;
}

static bool make_dangling_link(void)
{
    site_mkdir("run");
    return symlink(site_path("run/target"), site_path("logs/sluice.pid")) == 0;
}

static bool make_fifo(void)
{
    return mkfifo(site_path("logs/sluice.pid"), 0600) == 0;
}

static bool make_device(void)
{
    const char *path = site_path("logs/sluice.pid");
    int fd = mknod(path, S_IFCHR | 0666, makedev(1, 3)) == 0 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        printf("skipped: no device can be made here\n");
    else
        close(fd);
    return fd >= 0;
}

static const struct {
    bool (*make)(void);
    mode_t type;
} others[] = {{make_link, S_IFLNK}, {make_dangling_link, S_IFLNK}, {make_fifo, S_IFIFO}, {make_device, S_IFCHR}};

enum { OTHERS = sizeof others / sizeof others[0] };

/* Each with a master and without. */
START_TEST(what_is_no_file_stays)
{
    unsigned n = (unsigned)_i / 2;
    struct site_run run;
    configure(_i % 2, "logs/./sluice.pid"); /* the harness does not look for it */
    if (!others[n].make())
        return;
    site_check(&run);
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_uint_eq(type_of("logs/sluice.pid"), others[n].type);
    site_start();
    if (others[n].type == S_IFLNK) {
        await_pid_in("run/target", site_pid());
        site_run(&run, "-s", "reload", "-c", site_path("sluice.conf"), NULL);
        ck_assert_msg(run.status == 0, "%s", run.err);
        free(log_await("logs/error.log", "reconfiguring"));
    }
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_stop(SIGQUIT);
    ck_assert_uint_eq(type_of("logs/sluice.pid"), others[n].type);
    if (others[n].type == S_IFLNK)
        expect_empty("run/target");
}
END_TEST

START_TEST(a_file_in_a_closed_folder_works)
{
    struct site_run run;
    configure(_i, "@DIR@/run/sluice.pid");
    site_write("run/sluice.pid", "1234567\n");
    if (!site_run_as(65534))
        return;
    ck_assert_int_eq(chown(site_path("run/sluice.pid"), 65534, 65534), 0);
    site_check(&run);
    ck_assert_msg(run.status == 0, "%s", run.err);
    site_start();
    await_pid_in("run/sluice.pid", site_pid());
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_stop(SIGQUIT);
    expect_empty("run/sluice.pid");
    configure(_i, "@DIR@/run/other.pid"); /* which would have to be made */
    site_check(&run);
    ck_assert_int_eq(run.status, 1);
    ck_assert_msg(strstr(run.err, "other.pid\" failed (13: Permission denied)"), "%s", run.err);
}
END_TEST

/* The pid file moves with the configuration; two names of one file are one. */
START_TEST(reload_to_another_name)
{
    configure(false, "logs/./sluice.pid");
    ck_assert(make_link());
    site_start();
    await_pid_in("run/target", site_pid());
    configure(false, "run/target");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "start worker processes", 2));
    await_pid_in("run/target", site_pid());
    configure(false, "run/third");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "start worker processes", 3));
    ck_assert_int_eq(pid_in("run/third"), site_pid());
    ck_assert_int_ne(access(site_path("run/target"), F_OK), 0);
    site_stop(SIGQUIT);
    ck_assert_uint_eq(type_of("logs/sluice.pid"), S_IFLNK);
    ck_assert_int_ne(access(site_path("run/third"), F_OK), 0);
}
END_TEST

static pid_t await_other_pid(const char *name, pid_t than)
{
    pid_t pid;
    for (int64_t deadline = now_msec() + scaled(8000); (pid = pid_in(name)) <= 0 || pid == than; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    return pid;
}

/* While a new binary runs, both masters are named, whatever stands in the way of a rename. */
static void await_upgrade(const char *oldbin)
{
    pid_t old = site_pid(), new;
    site_kill(SIGUSR2);
    new = await_other_pid("run/target", old);
    if (oldbin)
        ck_assert_int_eq(pid_in(oldbin), old);
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    free(log_await("logs/error.log", "new binary process"));
    await_pid_in("run/target", old);
    if (oldbin)
        ck_assert_int_le(pid_in(oldbin), 0);
    ck_assert_int_eq(site_status_of("/x"), 200);
    site_stop(SIGQUIT);
}

START_TEST(upgrade_with_a_link)
{
    configure(false, "logs/./sluice.pid");
    ck_assert(make_link());
    site_start();
    await_pid_in("run/target", site_pid());
    await_upgrade("logs/sluice.pid.oldbin");
    ck_assert_uint_eq(type_of("logs/sluice.pid"), S_IFLNK);
    ck_assert_int_ne(access(site_path("logs/sluice.pid.oldbin"), F_OK), 0);
}
END_TEST

START_TEST(upgrade_with_a_link_in_the_way)
{
    configure(false, "run/target");
    site_write("logs/old", "");
    site_mkdir("run");
    ck_assert_int_eq(symlink("../logs/old", site_path("run/target.oldbin")), 0);
    site_start();
    await_pid_in("run/target", site_pid());
    await_upgrade("run/target.oldbin");
    ck_assert_uint_eq(type_of("run/target.oldbin"), S_IFLNK);
    ck_assert_int_ne(access(site_path("run/target"), F_OK), 0);
}
END_TEST

START_TEST(upgrade_in_a_closed_folder)
{
    configure(false, "@DIR@/run/target");
    site_write("run/target", "");
    if (!site_run_as(65534))
        return;
    site_allow_alerts(); /* there is no .oldbin to be had */
    ck_assert_int_eq(chown(site_path("run/target"), 65534, 65534), 0);
    site_start();
    await_pid_in("run/target", site_pid());
    await_upgrade(NULL);
    expect_empty("run/target");
}
END_TEST

/* The pid file's name changes while it is that of an old master. */
START_TEST(reload_during_an_upgrade)
{
    pid_t old, new;
    configure(false, "run/first");
    site_mkdir("run");
    site_start();
    old = site_pid();
    await_pid_in("run/first", old);
    site_kill(SIGUSR2);
    new = await_other_pid("run/first", old);
    configure(false, "run/second");
    site_kill(SIGHUP);
    await_pid_in("run/second.oldbin", old);
    free(log_await_count("logs/error.log", "start worker processes", 3));
    ck_assert_int_eq(pid_in("run/first"), new); /* the other one's */
    ck_assert_int_eq(kill(new, SIGQUIT), 0);
    await_pid_in("run/second", old);
    ck_assert_int_ne(access(site_path("run/second.oldbin"), F_OK), 0);
    site_stop(SIGQUIT);
    ck_assert_int_ne(access(site_path("run/second"), F_OK), 0);
}
END_TEST

Suite *suite_pid(void)
{
    Suite *s = suite_create("pid");
    if (on_nginx()) /* it removes them, devices too */
        return s;
    TCase *tc = site_case(s, "pid", 40);
    tcase_add_loop_test(tc, what_is_no_file_stays, 0, 2 * OTHERS);
    tcase_add_loop_test(tc, a_file_in_a_closed_folder_works, 0, 2);
    tcase_add_test(tc, reload_to_another_name);
    tcase_add_test(tc, upgrade_with_a_link);
    tcase_add_test(tc, upgrade_with_a_link_in_the_way);
    tcase_add_test(tc, upgrade_in_a_closed_folder);
    tcase_add_test(tc, reload_during_an_upgrade);
    return s;
}
