/* transport_tls_none.c - stands in for transport_tls.c in builds without libssl. */
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
