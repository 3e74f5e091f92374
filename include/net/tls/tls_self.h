/* tls_self.h - a certificate of one's own making, for a server that is to be tried out. */
#ifndef NET_TLS_TLS_SELF_H
#define NET_TLS_TLS_SELF_H

#include "base/buffer.h"

enum { TLS_SELF_FINGERPRINT = 96 }; /* bytes: SHA-256 as browsers show it, with its NUL */

struct tls_self {
    struct buffer certificate, key; /* PEM; nowhere but here */
    char fingerprint[TLS_SELF_FINGERPRINT];
};

/* For localhost and the loopback addresses, and for `address` (NULL: no other): P-256, signed by
 * itself, for a year. 0; -ENOSYS: built without libssl; -EIO: libssl would not. */
int tls_self_make(struct tls_self *s, const char *address);

#endif
