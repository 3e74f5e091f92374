/* users.h - a file of users (htpasswd.h) that is kept in memory, and found to be the same one by one
 * stat(2). For auth.c. */
#ifndef HTTP_ACCESS_USERS_H
#define HTTP_ACCESS_USERS_H

#include "http/access/htpasswd.h"

#include <stdint.h>
#include <time.h>

struct users;

/* When they were asked for: of clock_now. */
struct users_time {
    time_t sec;
    int64_t msec;
};

/* Reads the file behind `fd` whole; leaves the descriptor's offset where it is. NULL: it is none to
 * be kept, or there is no memory. Not kept are files above 256 KiB; those that changed in the last
 * seconds before `asked`, since the next change might leave the same times; those that are not local
 * (file/local.h), whose daemon or server would be asked at each look; and those with a {PLAIN}
 * password, which should not stay in memory. For a thread. */
struct users *users_read(int fd, const char *path, struct users_time asked);

void users_free(struct users *u); /* NULL: nothing happens */

/* Whether it is what was read at `path`. */
bool users_are_at(const struct users *u, struct text path);

/* Whether what is at its path is the file that was read, unchanged. False too where only a disk could
 * tell, and a minute after it was read. */
bool users_are_current(struct users *u);

/* `s` has begun. True: the user is there, and s->stored is the password. */
bool users_find(const struct users *u, struct htpasswd_search *s);

#endif
