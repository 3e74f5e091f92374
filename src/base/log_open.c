/* log_open.c - what the path of a log stands for: a standard stream, another descriptor of this
 * process, or a file to be opened. */
#include "base/log_file.h"
#include "base/log_private.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

const char *log_stream_name(const char *path)
{
    if (strcmp(path, "stderr") == 0 || strcmp(path, "/dev/stderr") == 0)
        return "stderr";
    if (strcmp(path, "stdout") == 0 || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0)
        return "stdout";
    return NULL;
}

static log_open_fn *open_elsewhere;

void log_file_open_elsewhere(log_open_fn *fn)
{
    open_elsewhere = fn;
}

/* For root without CAP_DAC_OVERRIDE: a log that belongs to the workers' user is opened with that
 * user's rights, which the calling thread has meanwhile (setfsuid(2)). */
static int open_as_owner(const char *path, int flags)
{
    char link[32];
    struct stat st;
    int fd = -EACCES;

    if (geteuid() != 0)
        return fd;
    int found = open(path, O_PATH | O_CLOEXEC);
    if (found >= 0 && fstat(found, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", found);
        setfsuid(st.st_uid);
        fd = open(link, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | flags);
        fd = fd < 0 ? -EACCES : fd;
        setfsuid(0);
    }
    if (found >= 0)
        close(found);
    return fd;
}

int log_file_open_path(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | flags, 0644);
    if (fd >= 0 || errno != EACCES)
        return fd < 0 ? -errno : fd;
    return open_elsewhere ? open_elsewhere(path) : open_as_owner(path, flags);
}

/* "/proc/self/fd/1" and what links to it ("/dev/stdout", "/dev/fd/1") is a descriptor that is open
 * already: a socket cannot be opened by such a name, and what belongs to another user only by root.
 * -1: it is another path. */
static int descriptor_of(const char *path)
{
    enum { LINKS_MOST = 40 };
    char at[PATH_MAX], folder[PATH_MAX], target[PATH_MAX], own[32];
    uint64_t fd;

    snprintf(own, sizeof own, "/proc/%d/fd", (int)getpid());
    snprintf(at, sizeof at, "%s", path);
    for (int links = 0; links < LINKS_MOST; links++) {
        char *slash = strrchr(at, '/');
        if (!slash)
            return -1;
        *slash = '\0';
        if (!realpath(slash == at ? "/" : at, folder))
            return -1;
        if (strcmp(folder, own) == 0)
            return number_parse(text_of(slash + 1), &fd) == 0 && fd <= INT_MAX ? (int)fd : -1;
        *slash = '/';
        ssize_t len = readlink(at, target, sizeof target - 1);
        if (len <= 0)
            return -1;
        target[len] = '\0';
        if ((size_t)snprintf(at, sizeof at, "%s%s%s", target[0] == '/' ? "" : folder, target[0] == '/' ? "" : "/",
                             target) >= sizeof at)
            return -1;
    }
    return -1;
}

bool log_is_descriptor(const char *path)
{
    int fd = descriptor_of(path);
    int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

int log_file_open_any(const char *path, int flags, bool *descriptor)
{
    *descriptor = log_is_descriptor(path);
    if (!*descriptor)
        return log_file_open_path(path, flags);
    int fd = fcntl(descriptor_of(path), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return fd < 0 ? -errno : fd;
}
