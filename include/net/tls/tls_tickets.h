/* tls_tickets.h - the ticket keys of this server, as its processes see them: made before the
 * workers are forked, turned by the master, handed to a new binary. See net/tls/ticket_keys.h. */
#ifndef NET_TLS_TLS_TICKETS_H
#define NET_TLS_TLS_TICKETS_H

#include <stdint.h>

/* Takes the keys of the old binary over, if it left any (SLUICE_TICKET_KEYS in the environment); -errno:
 * it did, and they are of no use. Before the first context is made. */
int tls_tickets_inherit(void);

/* In the forked process that becomes a new binary: leaves it the keys, if there are any. 0 or -errno. */
int tls_tickets_pass_on(void);

/* Makes and wipes what is due; msec until the next time, or -1: no configuration uses these keys. */
int64_t tls_tickets_turn(void);

#endif
