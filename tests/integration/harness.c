/* harness.c - the server under test: its configuration, its processes, and what it must look like
 * when it is gone. */
#include "harness.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    pid_t owner;  /* the process that cleans up */
    pid_t server; /* 0: not running */
    bool alerts_allowed;
    uid_t uid; /* of what is run; 0: the test's own */
} site;

bool on_nginx(void)
{
    const char *set = getenv("HARNESS_NGINX");
    return set && *set && strcmp(set, "0");
}

int scaled(int msec)
{
    const char *scale = getenv("HARNESS_SCALE");
    int factor = scale ? atoi(scale) : 1;
    return msec * (factor > 0 ? factor : 1);
}

static const char *binary(void)
{
    const char *path = getenv("SLUICE");
    return path && *path ? path : "build/sluice";
}

/* ---- processes ---- */

static void redirect(int to, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, to) < 0)
        _exit(126);
    close(fd);
}

struct launch {
    char *const *argv; /* NULL: the written configuration */
    char *const *extra_env;
    int listen_fd;
    int stdout_fd;      /* 0: a file */
    const char *folder; /* to start in; NULL: this one */
};

static void set_environment(char *const extra_env[])
{
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    for (char *const *e = extra_env; e && *e; e++) {
        char *equals = strchr(*e, '=');
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(equals - *e), *e);
        setenv(name, strcmp(equals + 1, "@PID@") ? equals + 1 : pid, 1);
    }
}

static void become_user(void)
{
    gid_t gid = (gid_t)site.uid;
    if (site.uid &&
        (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(site.uid, site.uid, site.uid) < 0))
        _exit(126);
}

static void exec_server(const struct launch *l)
{
    setpgid(0, 0);
    become_user(); /* before the signal is chosen: it is forgotten otherwise */
    /* TERM, not KILL: a master passes it on to its workers. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == 1)
        _exit(126);
    if (l->stdout_fd > 0)
        dup2(l->stdout_fd, 1);
    else
        redirect(1, site_path("logs/stdout"));
    redirect(2, site_path("logs/stderr"));
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    if (l->listen_fd >= 0)
        dup2(l->listen_fd, 3);
    set_environment(l->extra_env);
    char exe[4096];
    if (!realpath(binary(), exe) || (l->folder && chdir(l->folder) < 0))
        _exit(126);
    unsetenv("PWD"); /* which is not that folder's name */
    if (l->argv)
        execv(exe, l->argv);
    char prefix[4096];
    snprintf(prefix, sizeof prefix, "%s/", site_dir());
    if (!l->argv)
        execl(exe, binary(), "-p", prefix, "-e", "logs/error.log", "-c", site_path("sluice.conf"), (char *)NULL);
    fprintf(stderr, "exec %s: %s\n", binary(), strerror(errno));
    _exit(127);
}

static void launch(const struct launch *l)
{
    ck_assert_msg(site.server == 0, "already running");
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        exec_server(l);
    setpgid(pid, pid);
    site.server = pid;
}

bool site_accepts(int port)
{
    struct channel ch = {.transport = site_transport()};
    bool accepts = site_transport()->connect(&ch, port, 0) == 0;
    if (accepts)
        site_transport()->close(&ch);
    return accepts;
}

/* The server is gone: says why in the test's failure. */
static void report_early_exit(int status)
{
    char *err = site_read("logs/stderr", NULL);
    char *log = site_read("logs/error.log", NULL);
    ck_abort_msg("the server ended at its start (status %d)\n%s\n%s", status, err ? err : "", log ? log : "");
}

static bool has_exited(int *status)
{
    int raw;
    if (waitpid(site.server, &raw, WNOHANG) != site.server)
        return false;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    site.server = 0;
    return true;
}

static bool lost_the_port(void)
{
    char *err = site_read("logs/stderr", NULL);
    char *log = site_read("logs/error.log", NULL);
    bool lost = (err && strstr(err, "ddress already in use")) || (log && strstr(log, "ddress already in use"));
    free(err);
    free(log);
    return lost;
}

void site_await_port(int port)
{
    int64_t deadline = now_msec() + scaled(8000);
    for (int status; !site_accepts(port); sleep_msec(3)) {
        if (site.server && has_exited(&status))
            report_early_exit(status);
        if (now_msec() > deadline)
            ck_abort_msg("nothing listens on port %d", port);
    }
}

/* The pid file is written once every socket listens, not only the first port. */
static void await_pid_file(int64_t deadline)
{
    char *conf = site_read("sluice.conf", NULL);
    bool has_one = conf && strstr(conf, "pid logs/sluice.pid");

    free(conf);
    while (has_one && now_msec() < deadline) {
        char *text = site_read("logs/sluice.pid", NULL);
        has_one = !text || atoi(text) != site_pid();
        free(text);
        if (has_one)
            sleep_msec(3);
    }
}

static bool accepts_or_lost(void)
{
    int64_t deadline = now_msec() + scaled(8000);
    for (int status; !site_accepts(site_port(0)); sleep_msec(3)) {
        if (has_exited(&status)) {
            if (lost_the_port())
                return false;
            report_early_exit(status);
        }
        if (now_msec() > deadline)
            ck_abort_msg("the server does not listen on port %d", site_port(0));
    }
    await_pid_file(deadline);
    return true;
}

void site_start(void)
{
    launch(&(struct launch){.listen_fd = -1});
    /* Somebody took a port between the look and the bind: other ports. */
    for (int tries = 0; !accepts_or_lost(); tries++) {
        ck_assert_int_lt(tries, 5);
        unlink(site_path("logs/stderr"));
        unlink(site_path("logs/error.log"));
        conf_move();
        launch(&(struct launch){.listen_fd = -1});
    }
}

void site_start_unawaited(void)
{
    launch(&(struct launch){.listen_fd = -1});
}

void site_start_with(char *const extra_env[], int listen_fd)
{
    launch(&(struct launch){.extra_env = extra_env, .listen_fd = listen_fd});
}

void site_start_args(char *const argv[])
{
    launch(&(struct launch){.argv = argv, .listen_fd = -1});
}

void site_start_from(const char *folder, int stdout_fd, char *const argv[])
{
    launch(&(struct launch){.argv = argv, .listen_fd = -1, .stdout_fd = stdout_fd, .folder = folder});
}

pid_t site_pid(void)
{
    return site.server;
}

void site_forget(void)
{
    site.server = 0;
}

void site_kill(int sig)
{
    ck_assert_int_ne(site.server, 0);
    ck_assert_int_eq(kill(site.server, sig), 0);
}

int site_wait_exit(void)
{
    int64_t deadline = now_msec() + scaled(15000);
    for (int status; now_msec() < deadline; sleep_msec(3)) {
        if (has_exited(&status))
            return status;
    }
    ck_abort_msg("the server does not end");
}

void site_stop(int sig)
{
    pid_t group = site.server;
    site_kill(sig);
    int status = site_wait_exit();
    ck_assert_msg(status == 0, "the server ended with status %d after signal %d", status, sig);
    ck_assert_msg(processes_in(group) == 0, "the server is gone, but left a worker");
}

bool site_run_as(uid_t uid)
{
    int status;
    if (geteuid() != 0) {
        printf("skipped: only root can be somebody else\n");
        return false;
    }
    site.uid = uid;
    ck_assert_int_eq(chown(site_path("logs"), uid, (gid_t)uid), 0);
    if (!site_transport()->is_tcp)
        ck_assert_int_eq(chown(site_path(SITE_SOCKETS), uid, (gid_t)uid), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        become_user();
        _exit(access(binary(), X_OK) == 0 && access(site_path("sluice.conf"), R_OK) == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (status != 0)
        printf("skipped: user %d cannot run what is tested\n", (int)uid);
    return status == 0;
}

void site_allow_alerts(void)
{
    site.alerts_allowed = true;
}

static void read_all(int fd, char *out, size_t size)
{
    size_t len = 0;
    for (ssize_t n; len + 1 < size && (n = read(fd, out + len, size - len - 1)) > 0;)
        len += (size_t)n;
    out[len] = '\0';
    close(fd);
}

void site_run_bare(struct site_run *run, char *const argv[])
{
    int out[2], err = open(site_path("logs/run.err"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(err, 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        become_user();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(out[1], 1);
        dup2(err, 2);
        alarm((unsigned)scaled(20000) / 1000);
        execv(binary(), argv);
        _exit(127);
    }
    close(out[1]);
    read_all(out[0], run->out, sizeof run->out);
    int raw;
    ck_assert_int_eq(waitpid(pid, &raw, 0), pid);
    run->status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    lseek(err, 0, SEEK_SET);
    read_all(err, run->err, sizeof run->err);
    unlink(site_path("logs/run.err"));
}

void site_run(struct site_run *run, ...)
{
    char prefix[4096];
    snprintf(prefix, sizeof prefix, "%s/", site_dir());
    char *argv[32] = {(char *)binary(), (char *)"-p", prefix, (char *)"-e", (char *)"logs/error.log"};
    size_t count = 5;
    va_list ap;
    va_start(ap, run);
    for (char *arg; count < 31 && (arg = va_arg(ap, char *));)
        argv[count++] = arg;
    va_end(ap);
    site_run_bare(run, argv);
}

/* ---- before and after a test ---- */

/* Not after a failed assertion: check then ends the process at once, the server gets
 * PR_SET_PDEATHSIG, and the folder is left to main.c. */
static void at_exit(void)
{
    if (getpid() != site.owner)
        return;
    if (site.server) {
        kill(-site.server, SIGKILL);
        waitpid(site.server, NULL, 0);
    }
    files_remove();
}

void site_setup(void)
{
    if (on_nginx())
        site_allow_alerts();
    site.owner = getpid();
    atexit(at_exit);
    files_setup();
    conf_setup();
}

static void check_log(const char *name, const char *const words[])
{
    char *log = site_read(name, NULL);
    for (; log && *words; words++) {
        const char *at = strstr(log, *words);
        if (!at)
            continue;
        while (at > log && at[-1] != '\n')
            at--;
        ck_abort_msg("in %s: %.1500s", name, at);
    }
    free(log);
}

void site_teardown(void)
{
    if (site.server)
        site_stop(SIGTERM);
    if (!site.alerts_allowed)
        check_log("logs/error.log", (const char *const[]){"[alert]", "[crit]", "[emerg]", NULL});
    check_log("logs/stderr", (const char *const[]){"Sanitizer", "runtime error:", "Assertion", NULL});
    conf_forget();
}

TCase *site_case(Suite *suite, const char *name, int seconds)
{
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, seconds);
    tcase_add_checked_fixture(tc, site_setup, site_teardown);
    suite_add_tcase(suite, tc);
    return tc;
}

TCase *site_case_with(Suite *suite, const char *name, int seconds, void (*pages)(void))
{
    TCase *tc = site_case(suite, name, seconds);
    tcase_add_checked_fixture(tc, pages, NULL);
    return tc;
}
