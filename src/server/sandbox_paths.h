/* sandbox_paths.h - the files that a worker needs, from its configuration. */
#ifndef SERVER_SANDBOX_PATHS_H
#define SERVER_SANDBOX_PATHS_H

#include "landlock.h"
#include "server/cycle.h"

/* Fills `grants` (zeroed); 0 or -ENOMEM, with what there is so far. */
int sandbox_paths(struct grants *grants, const struct cycle *c);
void sandbox_paths_free(struct grants *grants);

#endif
