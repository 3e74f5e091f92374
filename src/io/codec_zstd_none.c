/* codec_zstd_none.c - in place of codec_zstd.c where sluice is built without libzstd (make ZSTD=0). */
#include "io/filter.h"

#include <errno.h>

const bool codec_has_zstd = false;

enum { LEVEL_LEAST = -131072, LEVEL_MOST = 22 }; /* the library's */

int codec_zstd(struct codec **out, const struct zstd_options *o, struct codec_spares *spares)
{
    (void)out, (void)o, (void)spares;
    return -ENOSYS;
}

int codec_unzstd(struct codec **out, struct codec_spares *spares)
{
    (void)out, (void)spares;
    return -ENOSYS;
}

int codec_zstd_level_least(void)
{
    return LEVEL_LEAST;
}

int codec_zstd_level_most(void)
{
    return LEVEL_MOST;
}
