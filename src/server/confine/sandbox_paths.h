/* sandbox_paths.h - the files that a worker needs, from its configuration. */
#ifndef SERVER_CONFINE_SANDBOX_PATHS_H
#define SERVER_CONFINE_SANDBOX_PATHS_H

#include "server/conf/cycle.h"
#include "server/confine/landlock.h"

#include <limits.h>

/* The part of a path before its first variable, as far as it is whole names: "/srv/$host/x" is
 * "/srv". False: there is none. */
bool sandbox_constant(const char *path, char out[PATH_MAX]);

/* Fills `grants` (zeroed); 0 or -ENOMEM, with what there is so far. Sorted by path. */
int sandbox_paths(struct grants *grants, const struct cycle *c);
void sandbox_paths_free(struct grants *grants);

#endif
