/* quick_types.c - media types for `sluice DIR` where conf/mime.types is not installed: the same
 * table. */
#include "server/command/quick.h"

static const char types[] =
#include "conf/mime.types.inc"
    ;

void quick_types(struct buffer *out)
{
    buffer_add(out, types, sizeof types - 1);
}
