/* test_upgrade.c - what a binary upgrade (USR2) leaves and says: the files of unix: sockets, what the service manager is told, and
 * where it is written that it failed. What clients see meanwhile: test_reload.c. */
#include "harness.h"

#include <errno.h>
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
    snprintf(text, sizeof(text), conf, more);
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
    ck_assert_uint_lt(strlen(site_path("%s", name)), sizeof(at.sun_path));
    strcpy(at.sun_path, site_path("%s", name));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
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
        ck_assert_int_eq(status_of("/x"), 200);
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
    struct client c;
    struct response r;
    client_open_unix(&c, site_path("old.sock"));
    client_say(&c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "one");
    response_free(&r);
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

Suite *suite_upgrade(void)
{
    Suite *s = suite_create("upgrade");
    if (on_nginx()) /* it knows neither LISTEN_FDS nor NOTIFY_SOCKET */
        return s;
    TCase *sockets = site_case(s, "sockets", 40);
    tcase_add_loop_test(sockets, socket_of_the_manager_stays, 0, 2);
    tcase_add_test(sockets, socket_of_a_trial_goes);
    tcase_add_loop_test(sockets, what_took_the_name_stays, 0, 3);
    return s;
}
