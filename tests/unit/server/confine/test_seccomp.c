/* test_seccomp.c - server/seccomp and server/landlock, each in a process of its own: what still
 * works and what does not. */
#include "unit.h"

#include "server/confine/landlock.h"
#include "server/confine/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers make calls of their own, and valgrind has no such call. */
static bool works(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#endif
}

static int run(int (*fn)(void), unsigned roles)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int rc = seccomp_enter(roles);
        _exit(rc < 0 ? 100 : fn());
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int answer(long rc)
{
    return rc < 0 ? errno : 0;
}

static int call_open(void)
{
    return answer(open("/dev/null", O_RDONLY));
}

static int call_socket(void)
{
    return answer(socket(AF_INET, SOCK_DGRAM, 0));
}

static int call_packet_socket(void)
{
    return answer(socket(AF_PACKET, SOCK_RAW, 0));
}

static int call_unlink(void)
{
    return answer(unlink("/nowhere/at/all"));
}

static int call_code(void)
{
    return answer(
        (long)(intptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 ? -1 : 0);
}

static int call_process(void)
{
    return answer(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int call_clone3(void)
{
    return answer(syscall(SYS_clone3, NULL, 0));
}

static int call_kill_other(void)
{
    return answer(kill(getppid(), 0));
}

static int call_kill_self(void)
{
    return answer(kill(getpid(), 0));
}

static int call_execve(void)
{
    char *argv[] = {NULL};
    return answer(execve("/nowhere/at/all", argv, argv));
}

static int call_ptrace(void)
{
    return answer(syscall(SYS_ptrace, 0, 0, 0, 0));
}

static int call_terminal_input(void)
{
    return answer(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"));
}

static int call_unknown(void)
{
    return answer(syscall(SYS_inotify_init1, 0));
}

static void *nothing(void *arg)
{
    return arg;
}

static int call_thread(void)
{
    pthread_t t;
    return pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL);
}

enum { WORKER = SECCOMP_SERVES, SYSLOG = SECCOMP_SERVES | SECCOMP_SYSLOGS, SINGLE = SECCOMP_SERVES | SECCOMP_MANAGES };

static const struct call {
    const char *name;
    int (*fn)(void);
    unsigned roles;
    int expected; /* errno, 1000 + signal */
} calls[] = {
    {"open", call_open, WORKER, 0},
    {"thread", call_thread, WORKER, 0},
    {"kill self", call_kill_self, WORKER, 0},
    {"kill other", call_kill_other, WORKER, EPERM},
    {"socket", call_socket, WORKER, ENOSYS},
    {"socket, syslog", call_socket, SYSLOG, 0},
    {"packet socket, syslog", call_packet_socket, SYSLOG, EPERM},
    {"unlink", call_unlink, WORKER, ENOSYS},
    {"unlink, single", call_unlink, SINGLE, ENOENT},
    {"code", call_code, WORKER, EPERM},
    {"code, single", call_code, SINGLE, 0},
    {"process", call_process, WORKER, EPERM},
    {"process, single", call_process, SINGLE, EPERM},
    {"clone3", call_clone3, WORKER, ENOSYS},
    {"terminal input", call_terminal_input, WORKER, EPERM},
    {"unknown", call_unknown, WORKER, ENOSYS},
    {"execve", call_execve, WORKER, 1000 + SIGSYS},
    {"execve, single", call_execve, SINGLE, 1000 + SIGSYS},
    {"ptrace", call_ptrace, WORKER, 1000 + SIGSYS},
};

START_TEST(test_calls)
{
    int got = run(calls[_i].fn, calls[_i].roles);
    ck_assert_msg(got == calls[_i].expected, "%s: %d", calls[_i].name, got);
}
END_TEST

static int read_some(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* 0, or the number of what was not as it should be. */
static int use_files(void)
{
    int pipe_of_nobody[2];
    if (pipe(pipe_of_nobody) < 0)
        return 20;
    char pipe_name[32];
    snprintf(pipe_name, sizeof pipe_name, "/proc/self/fd/%d", pipe_of_nobody[1]);
    struct grant at[] = {{strdup(unit_path("in")), GRANT_READ | GRANT_LIST, 0},
                         {strdup(unit_path("logs")), GRANT_WRITE | GRANT_MAKE, 0},
                         {strdup(unit_path("none")), GRANT_READ, 0},
                         {pipe_name, GRANT_WRITE, 0}, /* the kernel takes no grant of it, and the others hold */
                         {strdup(unit_path("file")), GRANT_READ | GRANT_LIST, 0}};
    struct grants grants = {at, sizeof at / sizeof *at, 0};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int version = landlock_enter(&grants);
    if (version < 0)
        return version == -ENOSYS || version == -EOPNOTSUPP ? 0 : 1;
    if (at[0].error || at[1].error || at[2].error != ENOENT || !at[3].error || at[4].error)
        return 21;
    if (!(at[0].rights & GRANT_LIST) || at[4].rights & GRANT_LIST)
        return 22;
    return read_some(unit_path("in/f"), O_RDONLY) != 0                            ? 2
           : read_some(unit_path("in"), O_RDONLY) != 0                            ? 3
           : read_some(unit_path("in/f"), O_WRONLY) != EACCES                     ? 4
           : read_some(unit_path("in/g"), O_WRONLY | O_CREAT) != EACCES           ? 5
           : read_some(unit_path("out/f"), O_RDONLY) != EACCES                    ? 6
           : read_some(unit_path("out"), O_RDONLY) != EACCES                      ? 7
           : read_some(unit_path("in/../out/f"), O_RDONLY) != EACCES              ? 8
           : read_some(unit_path("in/link"), O_RDONLY) != EACCES                  ? 9
           : read_some(unit_path("logs/new"), O_WRONLY | O_CREAT | O_APPEND) != 0 ? 10
           : read_some(unit_path("logs/old"), O_RDONLY) != EACCES                 ? 11
           : read_some(unit_path("file"), O_RDONLY) != 0                          ? 12
           : unlink(unit_path("logs/old")) == 0                                   ? 13
                                                                                  : 0;
}

START_TEST(test_landlock)
{
    int status;
    unit_write("in/f", "i", 1);
    unit_write("out/f", "o", 1);
    unit_write("logs/old", "l", 1);
    unit_write("file", "f", 1);
    ck_assert_int_eq(symlink("../out/f", unit_path("in/link")), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(use_files());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *suite_server_seccomp(void)
{
    Suite *s = suite_create("server/seccomp");
    TCase *t = tcase_create("all");
    if (works())
        tcase_add_loop_test(t, test_calls, 0, sizeof calls / sizeof *calls);
    tcase_add_test(t, test_landlock);
    suite_add_tcase(s, t);
    return s;
}
