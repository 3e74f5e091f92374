/* capabilities.h - giving up what root could do. capabilities(7) */
#ifndef SERVER_CONFINE_CAPABILITIES_H
#define SERVER_CONFINE_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this process has none. */
bool capabilities_none(void);

/* Empties the bounding set, as far as this process may (it takes CAP_SETPCAP: before a change of
 * user). */
void capabilities_unbound(void);

/* Keeps no capability but those of the mask `keep`, of those that are there. 0 or -errno. */
int capabilities_drop(uint64_t keep);

#endif
