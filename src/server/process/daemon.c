/* daemon.c - into the background. The starting process waits until the daemon serves, so that
 * whoever ran it may rely on the pid file, the sockets and the exit code. */
#include "server/process/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn static void wait_for_child(int fd)
{
    char byte;
    ssize_t n;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    _exit(n == 1 ? 0 : 1);
}

/* Descriptor 2 stays until nothing more can fail that whoever started us should see. */
static int leave_terminal(void)
{
    int fd;

    if (setsid() < 0) {
        log_emerg(errno, "setsid() failed");
        return -errno;
    }
    umask(0);
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        log_emerg(errno, "open(\"/dev/null\") failed");
        return -errno;
    }
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

int daemon_start(int *started)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        log_emerg(errno, "pipe2() failed");
        return -errno;
    }
    pid = fork();
    if (pid < 0) {
        log_emerg(errno, "fork() failed");
        close(ends[0]);
        close(ends[1]);
        return -errno;
    }
    if (pid > 0) {
        close(ends[1]);
        wait_for_child(ends[0]);
    }
    close(ends[0]);
    *started = ends[1];
    return leave_terminal();
}

void daemon_settle(const struct log *log, bool background)
{
    int rc = background ? log_stderr_take(log) : 0;

    log_terminal_name = NULL;
    if (rc < 0)
        log_alert(rc, "the standard error stream could not be led to the error log");
}
