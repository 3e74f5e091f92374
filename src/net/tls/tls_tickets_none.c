/* tls_tickets_none.c - stands in for tls_tickets.c where libssl is left out: there are no tickets, and
 * keys that an old binary leaves are given up. */
#include "net/tls/tls_tickets.h"

#include "net/tls/ticket_keys.h"

#include <errno.h>
#include <stdlib.h>

int tls_tickets_inherit(void)
{
    const char *set = getenv("SLUICE_TICKET_KEYS");
    struct ticket_keys *keys = NULL;

    if (!set)
        return 0;
    int rc = ticket_keys_adopt(&keys, atoi(set));
    unsetenv("SLUICE_TICKET_KEYS");
    ticket_keys_destroy(keys);
    return rc < 0 ? rc : -ENOTSUP;
}

int tls_tickets_pass_on(void)
{
    return 0;
}

int64_t tls_tickets_turn(void)
{
    return -1;
}
