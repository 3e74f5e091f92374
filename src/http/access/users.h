/* users.h - a file of users (htpasswd.h) that is kept in memory, and found to be the same one by one
 * stat(2). For auth.c. */
#ifndef HTTP_ACCESS_USERS_H
#define HTTP_ACCESS_USERS_H

#include "http/access/htpasswd.h"

#include <time.h>

struct users;

/* Reads the file behind `fd` whole; leaves the descriptor's offset where it is. NULL: it is none to
 * be kept, or there is no memory. Not kept are files above 256 KiB; those that changed in the last
 * seconds before `now`, since the next change might leave the same times; those of filesystems that
 * ask a server or a daemon for each stat(2); and those with a {PLAIN} password, which should not
 * stay in memory. From any thread. */
struct users *users_read(int fd, const char *path, time_t now);

void users_free(struct users *u); /* NULL: nothing happens */

/* Whether it is what was read at `path`. */
bool users_are_at(const struct users *u, struct text path);

/* Whether what is at its path is the file that was read, unchanged. */
bool users_are_current(const struct users *u);

/* `s` has begun. True: the user is there, and s->stored is the password. */
bool users_find(const struct users *u, struct htpasswd_search *s);

#endif
