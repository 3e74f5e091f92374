/* tls_dial_none.c - stands in for tls_dial.c where sluice is built without libssl. */
#include "net/tls/tls_dial.h"

#include <errno.h>

long tls_dial(int fd, const char *name, struct text request, char *answer, size_t room, const char **doing)
{
    (void)fd, (void)name, (void)request, (void)answer, (void)room;
    *doing = "TLS handshake";
    return -ENOSYS;
}
