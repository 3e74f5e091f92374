/* pid_file.c - the file that says which process is the master: written by it, read by `sluice -s`. */
#include "server/pid_file.h"

#include "base/log.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Beside the file and renamed onto it, so that nobody reads half a number. */
static int write_beside(const char *path, const char *beside, pid_t pid)
{
    char line[32];
    int len = snprintf(line, sizeof(line), "%d\n", (int)pid);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, line, (size_t)len) != len)
        rc = errno ? -errno : -EIO;
    close(fd);
    if (rc == 0 && rename(beside, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(beside);
    return rc;
}

int pid_file_write(const char *path, pid_t pid)
{
    char beside[PATH_MAX];
    int rc = -ENAMETOOLONG;

    if (snprintf(beside, sizeof(beside), "%s.%d", path, (int)pid) < (int)sizeof(beside))
        rc = write_beside(path, beside, pid);
    if (rc < 0)
        log_emerg(rc, "open() \"%s\" failed", path);
    return rc;
}

int pid_file_check(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 2;

    if (len >= sizeof(folder)) {
        log_emerg(ENAMETOOLONG, "open() \"%s\" failed", path);
        return -ENAMETOOLONG;
    }
    memcpy(folder, slash ? path : "./", len);
    folder[len] = '\0';
    if (access(folder, W_OK | X_OK) == 0)
        return 0;
    log_emerg(errno, "open() \"%s\" failed", path);
    return -errno;
}

void pid_file_remove(const char *path)
{
    if (unlink(path) < 0)
        log_alert(errno, "unlink() \"%s\" failed", path);
}

/* The first line into `bytes`; it may be anything. */
static int read_line(const char *path, char bytes[32], struct text *line)
{
    ssize_t n;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    n = read(fd, bytes, 32);
    close(fd);
    *line = (struct text){bytes, n > 0 ? (size_t)n : 0};
    while (line->len > 0 && (line->at[line->len - 1] == '\n' || line->at[line->len - 1] == '\r'))
        line->len--;
    return 0;
}

static int parse_pid(struct text digits, pid_t *pid)
{
    uint64_t number;

    if (number_parse(digits, &number) < 0 || number == 0 || number > INT_MAX)
        return -EINVAL;
    *pid = (pid_t)number;
    return 0;
}

int pid_file_read(const char *path, pid_t *pid)
{
    char bytes[32];
    struct text digits;
    int rc = read_line(path, bytes, &digits);

    return rc < 0 ? rc : parse_pid(digits, pid);
}

int pid_file_signal(const char *path, int signal)
{
    char bytes[32];
    struct text digits;
    pid_t pid;
    int rc = read_line(path, bytes, &digits);

    if (rc < 0) {
        log_error(-rc, "open() \"%s\" failed", path);
        return rc;
    }
    if (parse_pid(digits, &pid) < 0) {
        log_error(0, "invalid PID number \"%.*s\" in \"%s\"", TEXT_ARG(digits), path);
        return -EINVAL;
    }
    if (kill(pid, signal) == 0)
        return 0;
    log_alert(errno, "kill(%d, %d) failed", (int)pid, signal);
    return -ESRCH;
}
