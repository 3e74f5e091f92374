/* dial.h - a short conversation as a client: one request, and the beginning of what comes back.
 * Blocks; the caller limits how long (setitimer(2)). connect(2), SSL_connect(3). */
#ifndef NET_TLS_DIAL_H
#define NET_TLS_DIAL_H

#include "net/address.h"

#include <stdbool.h>

struct dial {
    const struct address *to;
    bool proxy_header; /* begin with a PROXY protocol header that names nobody */
    bool tls;          /* the server is not asked who it is: this is no secret, and it may be called 127.0.0.1 */
    const char *name;  /* for TLS: whose certificate is asked for; NULL: the default one */
};

/* Sends `request` and reads until the other side ends or `room` is used up. How many bytes came, or
 * -errno with *doing saying what failed ("connect" ...): -ENOSYS for TLS in a build without it,
 * -EPROTO where the handshake fails. */
long dial(const struct dial *d, struct text request, char *answer, size_t room, const char **doing);

#endif
