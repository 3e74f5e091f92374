/* file.c - the end of a counted file. Opened in open.c; shared through cache.c. */
#include "file/file.h"

#include <stdlib.h>
#include <unistd.h>

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
