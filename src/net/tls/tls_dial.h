/* tls_dial.h - the same conversation in TLS, on a connected socket that blocks. SSL_connect(3). */
#ifndef NET_TLS_TLS_DIAL_H
#define NET_TLS_TLS_DIAL_H

#include "base/text.h"

/* As dial(). Writes to a closed connection raise SIGPIPE, unless it is ignored. */
long tls_dial(int fd, const char *name, struct text request, char *answer, size_t room, const char **doing);

#endif
