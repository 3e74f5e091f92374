/* elsewhere.c - whether Landlock refused an open, and whom to ask then. Set by
 * server/confine/sandbox.c, used by open.c.
 *
 * Landlock knows files by their inodes: what has taken the place of a granted folder is refused,
 * though its path is one that the configuration names. */
#include "file/elsewhere.h"

#include <errno.h>
#include <unistd.h>

static bool holds;
static elsewhere_open_fn *opener;

void elsewhere_begin(elsewhere_open_fn *open)
{
    holds = true;
    opener = open;
}

bool elsewhere_can_open(void)
{
    return opener != NULL;
}

bool elsewhere_refused(const char *path, const struct open_options *options)
{
    struct stat st;

    return holds && access(path, R_OK) == 0 && (!open_guarded(options) || file_stat(path, options, &st) == 0);
}

int elsewhere_open(const char *path, const struct open_options *options, bool folder, int *direct_fd)
{
    return opener ? opener(path, options, folder, direct_fd) : -EACCES;
}
