/* codec_brotli_none.c - in place of codec_brotli.c where sluice is built without Brotli's libraries
 * (make BROTLI=0). */
#include "io/filter.h"

#include <errno.h>

const bool codec_has_brotli = false;

int codec_brotli(struct codec **out, const struct brotli_options *o, struct codec_spares *spares)
{
    (void)out, (void)o, (void)spares;
    return -ENOSYS;
}

int codec_unbrotli(struct codec **out, struct codec_spares *spares)
{
    (void)out, (void)spares;
    return -ENOSYS;
}
