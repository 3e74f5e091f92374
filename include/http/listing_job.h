/* listing_job.h - listings are made on a thread, one for all who ask for the same at the same time: a large directory must
 * not hold up others, and a crowd in front of it not the disk. */
#ifndef HTTP_LISTING_JOB_H
#define HTTP_LISTING_JOB_H

#include "http/request.h"

/* Of a worker. */
struct listing_jobs {
    struct list jobs;    /* being made, or made a moment ago and still being sent */
    struct list waiting; /* requests' jobs that no thread has yet */
    unsigned running;
};

void listing_jobs_init(struct listing_jobs *all);

/* Takes part in making the listing of r->path for r->uri; connection_resume() comes when it is there. 0: it waits;
 * 1: it is there already; or -errno. */
int listing_join(struct request *r, struct text callback);

/* Once joined. Ready: the page, which lives until listing_leave(), or -errno. */
bool listing_is_ready(const struct request *r);
int listing_result(const struct request *r, struct text *type, struct text *page);
void listing_leave(struct request *r); /* legal at any time */

#endif
