/* transport_h2_none.c - stands in for transport_h2.c in builds without libnghttp2. */
#include "transport_h2.h"

const struct site_transport *transport_h2(void)
{
    return NULL;
}

const struct site_transport *transport_h2_tls(void)
{
    return NULL;
}

struct channel channel_of_h2(struct channel below)
{
    return below;
}
