/* disk_libaio_none.c - in place of disk_libaio.c where sluice is built without libaio (make
 * AIO=0). */
#include "io/disk.h"

#include "disk_private.h"

#include <errno.h>

static int absent_open(struct disk *d, const char **note)
{
    (void)d;
    *note = "Linux AIO is not built in";
    return -ENOSYS;
}

const struct disk_ops disk_libaio_ops = {.name = "libaio", .open = absent_open};
