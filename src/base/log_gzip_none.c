/* log_gzip_none.c - stands in for log_gzip.c in a build without zlib. */
#include "base/log_private.h"

#include <errno.h>

bool log_gzip_works(void)
{
    return false;
}

int log_gzip(const char *bytes, size_t len, int level, char **out, size_t *out_len)
{
    (void)bytes, (void)len, (void)level, (void)out, (void)out_len;
    return -ENOSYS;
}
