/* quick_qr.h - `sluice DIR --qr`: the address at which other machines of the network reach this one,
 * as a QR code for their cameras. */
#ifndef SERVER_COMMAND_QUICK_QR_H
#define SERVER_COMMAND_QUICK_QR_H

#include "net/address.h"

/* On standard error: the URL and its code, or why there is none. */
void quick_show_qr(const struct address *listening, const char *scheme);

#endif
