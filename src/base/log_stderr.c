/* log_stderr.c - descriptor 2 of a process that stands on its own: what libraries and the loader
 * say there goes to the error log, and so does what a new binary says before it has one. Follows
 * the log when it is reopened. */
#include "base/log.h"
#include "base/log_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool taken;
static _Atomic(struct log_file *) followed; /* the writer's thread reopens it */

bool log_file_is_stderr(const struct log_file *lf)
{
    return lf->is_stream && lf->fd == STDERR_FILENO;
}

bool log_file_reaches_stderr(const struct log_file *lf)
{
    struct stat file, two;

    if (lf->fd < 0 || fstat(lf->fd, &file) < 0 || fstat(STDERR_FILENO, &two) < 0)
        return false;
    return file.st_dev == two.st_dev && file.st_ino == two.st_ino;
}

/* The first output that is a file; NULL: none is. *keeps: one is stderr itself. */
static struct log_file *file_of(const struct log *log, bool *keeps)
{
    struct log_file *first = NULL;

    *keeps = false;
    for (const struct log_output *o = log->outputs; o; o = o->next) {
        *keeps = *keeps || !o->file || log_file_is_stderr(o->file);
        if (!first && o->file && o->file->fd >= 0 && !o->file->is_stream)
            first = o->file;
    }
    return first;
}

static int point_to(int fd)
{
    return dup2(fd, STDERR_FILENO) < 0 ? -errno : 0;
}

static int point_nowhere(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int rc = fd < 0 ? -errno : point_to(fd);

    if (fd > STDERR_FILENO)
        close(fd);
    return rc;
}

int log_stderr_take(const struct log *log)
{
    bool keeps;
    struct log_file *lf = file_of(log, &keeps);

    taken = true;
    followed = keeps ? NULL : lf;
    return keeps ? 0 : lf ? point_to(lf->fd) : point_nowhere();
}

int log_stderr_move(const struct log *log)
{
    return taken ? log_stderr_take(log) : 0;
}

void log_stderr_reopened(const struct log_file *lf)
{
    if (followed == lf)
        point_to(lf->fd);
}

void log_stderr_forget(const struct log_file *lf)
{
    if (followed == lf)
        followed = NULL;
}
