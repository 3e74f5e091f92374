/* transport_h2.h - the transports that carry a test's HTTP/1 as HTTP/2; transport_h2_none.c stands in
 * for them in builds without libnghttp2. */
#ifndef TRANSPORT_H2_H
#define TRANSPORT_H2_H

#include "transport.h"

struct site_client;

const struct site_transport *transport_h2(void);     /* over TCP, by prior knowledge; NULL: there is none */
const struct site_transport *transport_h2_tls(void); /* over TLS, by ALPN; NULL: there is none */

/* A connection for a client that speaks HTTP/2 itself: over the chosen transport, or the one below it. */
void client_open_h2(struct site_client *c, int port);
void client_open_h2_tls(struct site_client *c, int port); /* whatever HARNESS_TRANSPORT says */

struct channel channel_of_h2(struct channel below); /* carries HTTP/1 over a connection that is there */

#endif
