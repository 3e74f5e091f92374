/* tls_fact_none.c - stands in for tls_fact.c and tls_client.c where sluice is built without libssl:
 * there are no such connections. */
#include "net/tls/tls_fact.h"

struct text tls_fact(const struct tls *s, enum tls_fact which, struct arena *arena)
{
    (void)s, (void)which, (void)arena;
    return TEXT_NONE;
}

bool tls_is_of(const struct tls *s, const struct tls_context *c)
{
    (void)s, (void)c;
    return false;
}

enum tls_client tls_client_state(const struct tls *s, bool any, struct arena *arena, const char **why)
{
    (void)s, (void)any, (void)arena, (void)why;
    return TLS_CLIENT_NONE;
}

void tls_forget_session(const struct tls *s)
{
    (void)s;
}
