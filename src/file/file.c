/* file.c - what a file's times tell, and the end of a counted one. Opened in open.c; shared through cache.c. */
#include "file/file.h"

#include <stdlib.h>
#include <unistd.h>

/* Reproducible builds give all files of an image one time, which is a whole second. Where files are
 * written, the time of a change is one only by chance. */
static bool are_made_up(struct timespec mtime, struct timespec ctime)
{
    return clock_same(mtime, ctime) && ctime.tv_nsec == 0;
}

bool file_times_are_doubtful(struct timespec mtime, struct timespec ctime, int64_t now_sec)
{
    enum { YOUNG_SEC = 2 };

    return ctime.tv_sec > now_sec - YOUNG_SEC || are_made_up(mtime, ctime);
}

void file_release(struct file *f)
{
    if (!f || --f->refs > 0)
        return;
    if (f->fd >= 0)
        close(f->fd);
    if (f->direct_fd >= 0 && f->direct_fd != f->fd)
        close(f->direct_fd);
    if (f->spare_direct_fd >= 0)
        close(f->spare_direct_fd);
    if (f->exact_fd >= 0)
        close(f->exact_fd);
    free(f->content);
    free(f);
}
