/* codec_zlib_none.c - in place of codec_zlib.c where sluice is built without zlib (make ZLIB=0). */
#include "io/filter.h"

#include <errno.h>

const bool codec_has_zlib = false;

int codec_deflate(struct codec **out, const struct deflate_options *o)
{
    (void)out, (void)o;
    return -ENOSYS;
}

int codec_deflate_kept(struct codec **out, const struct deflate_options *o, struct codec_spares *spares)
{
    (void)out, (void)o, (void)spares;
    return -ENOSYS;
}

int codec_inflate_kept(struct codec **out, struct codec_spares *spares)
{
    (void)out, (void)spares;
    return -ENOSYS;
}

int codec_inflate(struct codec **out)
{
    (void)out;
    return -ENOSYS;
}
