/* log_gzip.c - log lines as gzip members: what the writer writes of a file with gzip=. See
 * log_private.h. */
#include "base/log_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { WITH_GZIP_HEAD = 16 };

bool log_gzip_works(void)
{
    return true;
}

int log_gzip(const char *bytes, size_t len, int level, char **out, size_t *out_len)
{
    z_stream z = {0};
    if (len > UINT_MAX)
        return -E2BIG;
    if (deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + WITH_GZIP_HEAD, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    size_t bound = deflateBound(&z, len);
    *out = malloc(bound);
    if (!*out || bound > UINT_MAX) {
        free(*out);
        deflateEnd(&z);
        return -ENOMEM;
    }
    z.next_in = (z_const Bytef *)bytes;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)*out;
    z.avail_out = (uInt)bound;
    int rc = deflate(&z, Z_FINISH);
    *out_len = bound - z.avail_out;
    deflateEnd(&z);
    if (rc == Z_STREAM_END)
        return 0;
    free(*out);
    return -EIO;
}
