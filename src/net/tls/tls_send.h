/* tls_send.h - encrypting what is sent. Called through the transport's table, which is in tls.c. */
#ifndef NET_TLS_TLS_SEND_H
#define NET_TLS_TLS_SEND_H

#include "net/transport.h"

ssize_t tls_send(struct transport *t, const struct iovec *pieces, int count, bool more);

#endif
