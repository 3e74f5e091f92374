/* tls_pair_none.c - stands in for tls_pair.c where sluice is built without libssl: no handshake asks
 * for anything. */
#include "net/tls/tls_pair.h"

#include <errno.h>
#include <stddef.h>

int tls_pair_read(struct tls_pair **out, struct text certificate, struct text key, struct text passwords,
                  struct buffer *why, bool *of_key)
{
    (void)out, (void)certificate, (void)key, (void)passwords, (void)why, (void)of_key;
    return -ENOSYS;
}

void tls_pair_acquire(struct tls_pair *p)
{
    (void)p;
}

void tls_pair_release(struct tls_pair *p)
{
    (void)p;
}

struct tls_context *tls_pairs_awaited(const struct tls *s)
{
    (void)s;
    return NULL;
}

int tls_pair_give(struct tls *s, const struct tls_pair *p)
{
    (void)s, (void)p;
    return -ENOSYS;
}
