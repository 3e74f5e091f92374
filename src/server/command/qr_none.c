/* qr_none.c - stands in for qr.c where sluice is built without libqrencode. */
#include "server/command/qr.h"

#include <errno.h>

int qr_draw(struct buffer *out, const char *text, bool colours)
{
    (void)out, (void)text, (void)colours;
    return -ENOSYS;
}
