/* here.h - relative paths of the command line, made absolute. getcwd(3). */
#ifndef SERVER_PROCESS_HERE_H
#define SERVER_PROCESS_HERE_H

/* `path` as it stays right wherever it is used later: absolute, without "." and doubled slashes,
 * and none at its end. Links in it are not followed, so that they may be switched; the folder that
 * it starts in has the name by which the shell knows it. On the heap; NULL: no memory, or that
 * folder is gone. */
char *here_path(const char *path);

#endif
