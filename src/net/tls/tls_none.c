/* tls_none.c - stands in for tls.c, tls_send.c and tls_wire.c where sluice is built without libssl:
 * no configuration that asks for TLS is accepted then. */
#include "net/tls/tls.h"

#include <errno.h>

bool tls_begins(unsigned char byte)
{
    return byte == 22;
}

int transport_tls(struct transport *t, const struct tls_acceptor *a, struct text early)
{
    (void)t, (void)a, (void)early;
    return -EPROTONOSUPPORT;
}

bool tls_agreed_h2(const struct tls *s)
{
    (void)s;
    return false;
}

void tls_trouble(const struct tls *s, char *out, size_t size)
{
    (void)s;
    if (size > 0)
        out[0] = '\0';
}
