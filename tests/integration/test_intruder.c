/* test_intruder.c - what somebody could do who has taken over a worker: system calls made from
 * inside one that serves (faulty.h). Each guard holds where it is on, and only there; what nobody
 * but an intruder asks for ends the worker, and another takes its place. */
#include "faulty.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct faulty *control;

static bool start(const char *main_rows, const char *server_rows)
{
    char text[2048];

    control = faulty_setup();
    if (!control)
        return false;
    site_write("html/in.txt", "inside\n");
    site_write("outside/secret.txt", "secret\n");
    ck_assert_int_eq(chmod(site_path("html/in.txt"), 0666), 0); /* nothing but the guards keeps the worker from it */
    ck_assert_int_eq(chmod(site_path("html"), 0777), 0);
    snprintf(text, sizeof text,
             "@MAIN@\n%s\nevents { }\nhttp {\n@HTTP@\nserver {\nlisten 127.0.0.1:@PORT@;\nroot @DIR@/html;\n%s\n}\n}\n",
             main_rows, server_rows);
    site_conf(text);
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    site_allow_alerts();
    faulty_follow_worker();
    /* Connections that only asked whether the port is open are over before anything is ordered. */
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET / HTTP/1.0\r\n\r\n");
    while (client_fill(&c))
        ;
    client_close(&c);
    return !site_is_instrumented();
}

struct call {
    const char *name;
    enum { BY_LANDLOCK, BY_SECCOMP } guard;
    long number, args[6];
    const char *path; /* ERRAND_PATH */
    int refused;      /* errno where the guard is on */
    int open;         /* where it is off: 0: it succeeds, errno, or NOT_TRIED */
};
enum { NOT_TRIED = -1, NEW_FILE = O_WRONLY | O_CREAT | O_EXCL };

#define OPEN(path, flags)   SYS_openat, {AT_FDCWD, ERRAND_PATH, flags, 0600}, path
#define CALL(name, ...)     SYS_##name, {__VA_ARGS__}, ""
#define ON(path, name, ...) SYS_##name, {__VA_ARGS__}, path

static const struct call calls[] = {
    {"a file outside", BY_LANDLOCK, OPEN("@outside/secret.txt", O_RDONLY), EACCES, 0},
    {"a file of the system", BY_LANDLOCK, OPEN("/etc/passwd", O_RDONLY), EACCES, 0},
    {"a folder outside", BY_LANDLOCK, OPEN("@outside", O_RDONLY | O_DIRECTORY), EACCES, 0},
    {"the root folder", BY_LANDLOCK, OPEN("/", O_RDONLY | O_DIRECTORY), EACCES, 0},
    {"a magic link", BY_LANDLOCK, OPEN("/proc/self/root/etc/passwd", O_RDONLY), EACCES, NOT_TRIED},
    {"what the log says", BY_LANDLOCK, OPEN("@logs/access.log", O_RDONLY), EACCES, 0},
    {"to write a file that is served", BY_LANDLOCK, OPEN("@html/in.txt", O_WRONLY), EACCES, 0},
    {"to empty a file that is served", BY_LANDLOCK, OPEN("@html/in.txt", O_RDONLY | O_TRUNC), EACCES, 0},
    {"to make a file that is served", BY_LANDLOCK, OPEN("@html/new", NEW_FILE), EACCES, 0},
    {"to make a file elsewhere", BY_LANDLOCK, OPEN("/tmp/sluice-intruder", NEW_FILE), EACCES, NOT_TRIED},
    {"a socket", BY_SECCOMP, CALL(socket, AF_INET, SOCK_DGRAM, 0), ENOSYS, 0},
    {"a TCP socket", BY_SECCOMP, CALL(socket, AF_INET, SOCK_STREAM, 0), ENOSYS, 0},
    {"a unix socket", BY_SECCOMP, CALL(socket, AF_UNIX, SOCK_STREAM, 0), ENOSYS, 0},
    {"to listen", BY_SECCOMP, CALL(listen, -1, 1), ENOSYS, EBADF},
    {"to connect", BY_SECCOMP, CALL(connect, -1, 0, 0), ENOSYS, EBADF},
    {"to remove a file", BY_SECCOMP, ON("@html/none", unlinkat, AT_FDCWD, ERRAND_PATH, 0), ENOSYS, ENOENT},
    {"to change a mode", BY_SECCOMP, ON("@html/none", fchmodat, AT_FDCWD, ERRAND_PATH, 0), ENOSYS, ENOENT},
    {"new code", BY_SECCOMP, CALL(mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1), EPERM, 0},
    {"a process", BY_SECCOMP, CALL(clone, SIGCHLD), EPERM, NOT_TRIED},
    {"a signal to another", BY_SECCOMP, CALL(kill, 1, 0), EPERM, NOT_TRIED},
    {"to be traced", BY_SECCOMP, CALL(prctl, PR_SET_DUMPABLE, 1), EPERM, 0},
    {"io_uring", BY_SECCOMP, CALL(io_uring_setup, 1, 0), ENOSYS, EFAULT},
    {"Linux AIO", BY_SECCOMP, CALL(io_setup, 1, 0), ENOSYS, EFAULT},
};

static void order(long number, const long args[6], const char *path)
{
    struct errand *e = &control->errand;

    e->number = number;
    memcpy(e->args, args, sizeof e->args);
    snprintf(e->path, sizeof e->path, "%s", *path == '@' ? site_path("%s", path + 1) : path);
    atomic_store(&e->done, false);
    atomic_store(&e->wanted, true);
}

/* From inside: the errno, 0 where it worked. */
static int errno_of(const struct call *c)
{
    order(c->number, c->args, c->path);
    ck_assert_int_eq(site_status_of("/in.txt"), 200);
    ck_assert_msg(atomic_load(&control->errand.done), "%s: not tried", c->name);
    long result = control->errand.result;
    return result < 0 ? (int)-result : 0;
}

static const struct guards {
    const char *rows;
    bool landlock, seccomp;
} guards[] = {
    {"", true, true},
    {"landlock off;", false, true},
    {"seccomp off;", true, false},
    {"landlock off; seccomp off; no_new_privs off; drop_capabilities off;", false, false},
};

START_TEST(calls_are_refused)
{
    const struct guards *g = &guards[_i];

    if (!start(g->rows, "aio threads;")) /* no reader that has calls of its own */
        return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        bool on = c->guard == BY_LANDLOCK ? g->landlock && has_landlock() : g->seccomp;
        int expected = on ? c->refused : c->open;
        if (expected == NOT_TRIED)
            continue;
        int is = errno_of(c);
        ck_assert_msg(is == expected, "%s: %s (%s): %d instead of %d", g->rows, c->name, strerror(is), is, expected);
    }
}
END_TEST

/* A reader of the disk has its calls, and no other. */
START_TEST(readers_have_their_calls)
{
    static const struct {
        const char *aio;
        int uring, aio_calls;
    } readers[] = {
        {"directio 4k; aio on;", EFAULT, EFAULT},     {"directio 4k; aio io_uring;", EFAULT, EFAULT},
        {"directio 4k; aio libaio;", ENOSYS, EFAULT}, {"directio 4k; aio threads;", ENOSYS, ENOSYS},
        {"directio 4k; aio off;", ENOSYS, ENOSYS},    {"directio off; aio on;", EFAULT, EFAULT},
    };
    const struct call uring = {"io_uring", BY_SECCOMP, CALL(io_uring_setup, 1, 0), 0, 0};
    const struct call aio = {"Linux AIO", BY_SECCOMP, CALL(io_setup, 1, 0), 0, 0};

    if (!start("", readers[_i].aio))
        return;
    ck_assert_msg(errno_of(&uring) == readers[_i].uring, "%s: io_uring: %d", readers[_i].aio, errno_of(&uring));
    ck_assert_msg(errno_of(&aio) == readers[_i].aio_calls, "%s: AIO: %d", readers[_i].aio, errno_of(&aio));
}
END_TEST

static const struct fatal {
    const char *name;
    long number, args[6];
} fatal[] = {
    {"execve", SYS_execve, {ERRAND_PATH}},
    {"ptrace", SYS_ptrace, {PTRACE_TRACEME}},
    {"process_vm_readv", SYS_process_vm_readv, {1}},
    {"setuid", SYS_setuid, {0}},
    {"capset", SYS_capset, {0}},
    {"unshare", SYS_unshare, {CLONE_NEWUSER}},
    {"mount", SYS_mount, {ERRAND_PATH, ERRAND_PATH}},
    {"bpf", SYS_bpf, {0}},
};
enum { FATALS = sizeof fatal / sizeof *fatal };

START_TEST(intruders_end)
{
    if (!start("", ""))
        return;
    for (unsigned i = 0; i < FATALS; i++) {
        struct site_client c;
        order(fatal[i].number, fatal[i].args, "/none/at/all");
        client_open(&c, site_port(0));
        client_say(&c, "GET /in.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert_msg(!client_fill(&c), "%s: the worker goes on", fatal[i].name);
        client_close(&c);
        free(log_await_count("logs/error.log", "exited on signal 31", i + 1));
        ck_assert_msg(!atomic_load(&control->errand.done), "%s: errno %ld", fatal[i].name, -control->errand.result);
        free(log_await_count("logs/error.log", "start worker process ", i + 2));
        faulty_follow_worker();
        ck_assert_int_eq(site_status_of("/in.txt"), 200);
    }
}
END_TEST

Suite *suite_intruder(void)
{
    Suite *s = suite_create("intruder");
    TCase *t = site_case(s, "intruder", 60);

    if (on_nginx())
        return s;
    tcase_add_loop_test(t, calls_are_refused, 0, sizeof guards / sizeof *guards);
    tcase_add_loop_test(t, readers_have_their_calls, 0, 6);
    tcase_add_test(t, intruders_end);
    return s;
}
