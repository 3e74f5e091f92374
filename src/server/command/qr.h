/* qr.h - a QR code in the characters of a terminal. ISO/IEC 18004, libqrencode */
#ifndef SERVER_COMMAND_QR_H
#define SERVER_COMMAND_QR_H

#include "base/buffer.h"

/* Two rows of modules to a line of half blocks, the quiet zone around them; `colours`: white on black
 * whatever the terminal's are. 0; -ENOSYS: not in this build; -EINVAL: longer than a code can hold;
 * -ENOMEM. */
int qr_draw(struct buffer *out, const char *text, bool colours);

#endif
