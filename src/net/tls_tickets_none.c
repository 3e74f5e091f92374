/* tls_tickets_none.c - stands in for tls_tickets.c where libssl is left out: there are no tickets. */
#include "net/tls_tickets.h"

int tls_tickets_inherit(void)
{
    return 0;
}

int tls_tickets_pass_on(void)
{
    return 0;
}

int64_t tls_tickets_turn(void)
{
    return -1;
}
