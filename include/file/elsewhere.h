/* elsewhere.h - files that Landlock keeps from this process, and the process that opens them for
 * it. */
#ifndef FILE_ELSEWHERE_H
#define FILE_ELSEWHERE_H

#include "file/open.h"

/* Opens for reading: a folder, or whatever is there. Where it is a large file, *direct_fd becomes a
 * second descriptor of it, with O_DIRECT. The descriptor, or -errno. Blocks; any thread. */
typedef int elsewhere_open_fn(const char *path, const struct open_options *options, bool folder, int *direct_fd);

/* Landlock holds in this process from now on. `open`: who opens what it refuses; NULL: nobody. */
void elsewhere_begin(elsewhere_open_fn *open);

/* Whether an open of `path` that failed with EACCES was refused by Landlock, as far as can be told:
 * access(2) does not know of it, and the guard of `options` (may be NULL) lets the path through.
 * Touches no disk after the open. */
bool elsewhere_refused(const char *path, const struct open_options *options);

/* Asks for a path that elsewhere_refused(). As elsewhere_open_fn; -EACCES where nobody opens it. */
int elsewhere_open(const char *path, const struct open_options *options, bool folder, int *direct_fd);
bool elsewhere_can_open(void); /* whether there is somebody to ask */

#endif
