/* dict_zstd_none.c - stands in for dict_zstd.c where libzstd is left out. */
#include "dict_private.h"

#include <errno.h>

const char *const dict_zstd_lacks = "this sluice was built without libzstd";

ssize_t dict_zstd(struct text dictionary, struct text content, char **out)
{
    (void)dictionary;
    (void)content;
    *out = NULL;
    return -ENOSYS;
}
