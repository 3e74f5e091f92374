/* transport_tls.h - the row of transports that needs libssl; transport_tls_none.c stands in for it in
 * builds without. */
#ifndef TRANSPORT_TLS_H
#define TRANSPORT_TLS_H

#include "transport.h"

const struct site_transport *transport_tls(void); /* NULL: there is none */
struct channel channel_of_tls(int fd); /* over a connected socket; the handshake comes with the first bytes */

void transport_tls_renew(void); /* another certificate in the place of the server's */

/* transport.c */
void channel_tcp_address(char *out, size_t size, int port);
int channel_connect_tcp(struct channel *ch, int port, int rcvbuf);

#endif
