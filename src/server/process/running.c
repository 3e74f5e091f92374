/* running.c - finds the running server's memory of demand by its pid file and /proc/PID/fd. See
 * running.h, io/admission_memory.c; proc(5).
 *
 * The server has no door for this that others could knock at: the kernel decides who may look, as
 * it does for a debugger. What is found is copied and believed no further than a description goes:
 * the pid file may be old, and its number be another process's by now. */
#include "server/process/running.h"

#include "server/process/pid_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_admission(int folder, const char *name)
{
    static const char memory[] = "/memfd:" ADMISSION_MEMORY " (deleted)";
    char target[sizeof memory];

    return readlinkat(folder, name, target, sizeof target) == (ssize_t)sizeof memory - 1 &&
           memcmp(target, memory, sizeof memory - 1) == 0;
}

/* A descriptor or -errno. */
static int open_admission(DIR *fds)
{
    const struct dirent *entry;

    while ((entry = readdir(fds))) {
        if (!is_admission(dirfd(fds), entry->d_name))
            continue;
        int fd = openat(dirfd(fds), entry->d_name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    return -ENOENT;
}

static DIR *open_fds(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    return opendir(path);
}

/* -ESRCH: none runs. -ENOENT: that process has none to show: it is no sluice, or one of another
 * version. */
static int copy_admission(const char *pid_path, struct admission **out, pid_t *pid)
{
    int rc = pid_file_read(pid_path, pid);

    if (rc < 0)
        return rc == -EACCES ? rc : -ESRCH;
    DIR *fds = open_fds(*pid);
    if (!fds)
        return errno == ENOENT ? -ESRCH : -errno;
    int fd = open_admission(fds);
    rc = fd < 0 ? fd : admission_copy(out, fd);
    if (fd >= 0)
        close(fd);
    closedir(fds);
    return rc == -EINVAL ? -ENOENT : rc;
}

void running_ask(struct running *r, const char *pid_path)
{
    const size_t size = sizeof r->why;
    pid_t pid = 0;

    r->admission = NULL;
    int rc = copy_admission(pid_path, &r->admission, &pid);
    if (rc == 0)
        snprintf(r->why, size, "as the running server counts (process %d)", (int)pid);
    else if (rc == -ESRCH)
        snprintf(r->why, size, "no server runs that has counted more");
    else if (rc == -ENOENT)
        snprintf(r->why, size, "process %d, which the pid file names, has no count that can be read", (int)pid);
    else
        snprintf(r->why, size, "the count of the running server may not be read (%s)", strerror(-rc));
}

void running_forget(struct running *r)
{
    admission_destroy(r->admission);
    r->admission = NULL;
}
