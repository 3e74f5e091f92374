/* transport_tls_none.c - stands in for transport_tls.c in builds without libssl. */
#include "harness.h"
#include "transport_tls.h"

const struct site_transport *transport_tls(void)
{
    return NULL;
}

void transport_tls_renew(void)
{
}

struct channel channel_of_tls(int fd)
{
    return (struct channel){.fd = fd};
}

void channel_offer(struct channel *ch, const char *protocols)
{
    (void)ch;
    (void)protocols;
}

void client_open_tls(struct site_client *c, int port, int rcvbuf)
{
    *c = (struct site_client){.channel = {.fd = -1}};
    ck_abort_msg("no TLS to port %d (%d)", port, rcvbuf);
}
