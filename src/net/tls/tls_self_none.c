/* tls_self_none.c - stands in for tls_self.c where sluice is built without libssl. */
#include "net/tls/tls_self.h"

#include <errno.h>

int tls_self_make(struct tls_self *s, const char *address)
{
    (void)address;
    buffer_init(&s->certificate);
    buffer_init(&s->key);
    s->fingerprint[0] = '\0';
    return -ENOSYS;
}
