/* disk_uring_none.c - in place of disk_uring.c where sluice is built without liburing (make
 * URING=0). */
#include "io/disk.h"

#include "disk_private.h"

#include <errno.h>

static int absent_open(struct disk *d, const char **note)
{
    (void)d;
    *note = "io_uring is not built in";
    return -ENOSYS;
}

const struct disk_ops disk_uring_ops = {.name = "io_uring", .open = absent_open};
