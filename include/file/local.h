/* local.h - can a path be asked about without a word from a daemon or another machine? For what is
 * kept in memory and compared with its path at each use. */
#ifndef FILE_LOCAL_H
#define FILE_LOCAL_H

#include <stdbool.h>

/* Every folder and link on the way of an absolute `path`, and what it leads to, is on a file system
 * that answers from this machine's memory and disks, and keeps an inode's time of change. Of a path
 * that leads nowhere: as far as it goes. False too where it cannot be told. Blocks: for a thread. */
bool path_is_local(const char *path);

#endif
