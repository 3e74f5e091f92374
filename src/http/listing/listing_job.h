/* listing_job.h - listings are made on a thread, one for all requests that ask for the same at the
 * same time: a large directory must not hold up others, and a crowd in front of it not the disk.
 * readdir(3). */
#ifndef HTTP_LISTING_LISTING_JOB_H
#define HTTP_LISTING_LISTING_JOB_H

#include "http/request/request.h"

/* Takes part in making the listing of r->path for r->uri. 0: the request waits, and is resumed
 * exactly once, from the loop, unless listing_leave() comes first; 1: it is there already; or
 * -errno. `utf8`: its names are read as that. */
int listing_join(struct request *r, struct text callback, bool utf8);

/* Once joined. Ready: the page, which lives until listing_leave(), or -errno. */
bool listing_is_ready(const struct request *r);
int listing_result(const struct request *r, struct text *type, struct text *page);
void listing_leave(struct request *r); /* legal at any time */

#endif
