/* pid_file.c - the file that says which process is the master: written by it, read by `sluice -s`.
 *
 * A regular file is replaced by renaming, so that nobody reads half a number. A link, a device or a
 * FIFO that stands in its place is written through, never renamed over and never removed; so is a
 * file in a folder that may not be written. */
#include "server/process/pid_file.h"

#include "base/log.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 /* as the kernel */ };

enum kind {
    NOTHING,
    PLAIN, /* a regular file by this very name: may be replaced and removed */
    OTHER  /* a link, device or FIFO: somebody put it there, so it is written through and stays */
};

static enum kind kind_of(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return NOTHING;
    return S_ISREG(st.st_mode) ? PLAIN : OTHER;
}

/* What an operation on a folder fails with where the folder is closed to us, but maybe not the file
 * in it; EBUSY: the file is mounted there. */
static bool is_closed_folder(int error)
{
    return error == EACCES || error == EPERM || error == EROFS || error == EBUSY;
}

/* ---- written ---- */

static int put(int fd, pid_t pid)
{
    char line[32];
    int len = snprintf(line, sizeof line, "%d\n", (int)pid);
    ssize_t n = write(fd, line, (size_t)len);

    return n == len ? 0 : n < 0 ? -errno : -EIO;
}

/* A new file, or -errno. A process of the same number that was killed may have left one. */
static int make_beside(const char *path)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0644);

    if (fd < 0 && errno == EEXIST && kind_of(path) == PLAIN && unlink(path) == 0)
        fd = open(path, flags, 0644);
    return fd < 0 ? -errno : fd;
}

/* Beside the file and renamed onto it, so that nobody reads half a number. */
static int replace(const char *path, pid_t pid)
{
    char beside[PATH_MAX];
    int fd, rc;

    if (snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid()) >= (int)sizeof beside)
        return -ENAMETOOLONG;
    fd = make_beside(beside);
    if (fd < 0)
        return fd;
    rc = put(fd, pid);
    close(fd);
    if (rc == 0 && rename(beside, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(beside);
    return rc;
}

/* The descriptor or -errno. Never waits: a FIFO without a reader is held open by ourselves, and
 * forgets what is written. */
static int open_through(const char *path, int flags)
{
    const int always = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, O_WRONLY | always);

    if (fd < 0 && errno == ENXIO)
        fd = open(path, O_RDWR | always);
    if (fd < 0 && errno == ENOENT && flags != 0) /* a link whose target is yet to be made */
        fd = open(path, O_WRONLY | flags | always, 0644);
    return fd < 0 ? -errno : fd;
}

static int empty(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0 ? -errno : 0;
}

static int write_through(const char *path, pid_t pid)
{
    int fd = open_through(path, O_CREAT);
    int rc;

    if (fd < 0)
        return fd;
    rc = empty(fd);
    if (rc == 0)
        rc = put(fd, pid);
    close(fd);
    return rc;
}

static int write_silently(const char *path, pid_t pid)
{
    enum kind kind = kind_of(path);
    int rc = kind == OTHER ? 0 : replace(path, pid);

    if (kind == OTHER || (kind == PLAIN && (is_closed_folder(-rc) || rc == -EEXIST)))
        rc = write_through(path, pid);
    return rc;
}

int pid_file_write(const char *path, pid_t pid)
{
    int rc = path ? write_silently(path, pid) : 0;

    if (rc < 0)
        log_emerg(rc, "open() \"%s\" failed", path);
    return rc;
}

/* ---- asked, for -t ---- */

static int may_make(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 2;

    if (len >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy(folder, slash ? path : "./", len);
    folder[len] = '\0';
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Goes on to where a link that leads nowhere yet leads in the end. */
static int follow(char path[PATH_MAX])
{
    for (int hops = 0; hops < MOST_LINKS; hops++) {
        char to[PATH_MAX];
        ssize_t len = readlink(path, to, sizeof to);
        char *slash = strrchr(path, '/');
        size_t kept = slash && len > 0 && to[0] != '/' ? (size_t)(slash - path) + 1 : 0;

        if (len < 0)
            return errno == ENOENT ? 0 : -errno;
        if (kept + (size_t)len >= PATH_MAX)
            return -ENAMETOOLONG;
        memcpy(path + kept, to, (size_t)len);
        path[kept + (size_t)len] = '\0';
    }
    return -ELOOP;
}

/* Nothing is opened: that alone has effects, where it is a device. */
static int may_write_through(const char *path)
{
    char target[PATH_MAX];
    struct stat st;

    if (stat(path, &st) < 0) {
        int rc = errno != ENOENT || strlen(path) >= sizeof target ? -errno : follow(strcpy(target, path));

        return rc < 0 ? rc : may_make(target);
    }
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (S_ISSOCK(st.st_mode))
        return -ENXIO;
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int pid_file_check(const char *path)
{
    enum kind kind = path ? kind_of(path) : NOTHING;
    int rc = kind == OTHER || !path ? 0 : may_make(path);

    if (kind == OTHER || (kind == PLAIN && is_closed_folder(-rc)))
        rc = may_write_through(path);
    if (rc < 0)
        log_emerg(rc, "open() \"%s\" failed", path);
    return rc;
}

/* ---- removed, moved ---- */

/* What cannot be removed, or must not be, at least names no process any more. */
static int forget(const char *path)
{
    int fd = open_through(path, 0);
    int rc;

    if (fd < 0)
        return fd;
    rc = empty(fd);
    close(fd);
    return rc;
}

void pid_file_remove(const char *path)
{
    int rc;

    if (!path)
        return;
    if (kind_of(path) == OTHER) {
        rc = forget(path);
        if (rc < 0 && rc != -ENOENT)
            log_alert(rc, "open() \"%s\" failed", path);
        return;
    }
    if (unlink(path) == 0)
        return;
    rc = -errno;
    if (!is_closed_folder(-rc) || forget(path) < 0)
        log_alert(rc, "unlink() \"%s\" failed", path);
}

int pid_file_move(const char *from, const char *to, pid_t pid)
{
    int rc;

    if (kind_of(from) == PLAIN && kind_of(to) != OTHER) {
        if (rename(from, to) == 0)
            return 0;
        rc = -errno;
        if (!is_closed_folder(-rc)) {
            log_alert(rc, "rename() %s to %s failed", from, to);
            return rc;
        }
    }
    rc = write_silently(to, pid);
    if (rc < 0)
        log_alert(rc, "open() \"%s\" failed", to);
    else
        pid_file_remove(from);
    return rc;
}

bool pid_file_is_same(const char *a, const char *b)
{
    struct stat first, second;

    return a && b && stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* ---- read ---- */

/* The first line into `bytes`; it may be anything. */
static int read_line(const char *path, char bytes[32], struct text *line)
{
    *line = TEXT("");
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
    int rc = path ? read_line(path, bytes, &digits) : -ENOENT;

    return rc < 0 ? rc : parse_pid(digits, pid);
}

int pid_file_signal(const char *path, int signal)
{
    char bytes[32];
    struct text digits;
    pid_t pid;
    int rc;

    if (!path) {
        log_error(0, "\"pid\" is off in this configuration: which process to signal is not known");
        return -ENOENT;
    }
    rc = read_line(path, bytes, &digits);
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
