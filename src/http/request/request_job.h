/* request_job.h - work on a pool thread for one request, which may go away before it is done.
 * Embedded by its user, who allocates it: whichever of both ends last has it freed. (A listing is
 * made for many requests at once, and has a life of its own: listing_job.c.) */
#ifndef HTTP_REQUEST_REQUEST_JOB_H
#define HTTP_REQUEST_REQUEST_JOB_H

#include "base/threads.h"

struct request;

struct request_job {
    struct job job;
    struct request *request; /* NULL: it has gone away */
    bool done;
    void (*run)(struct request_job *j);    /* on a pool thread: touches only what the job owns */
    void (*orphan)(struct request_job *j); /* on the loop: done, and nobody asks for the result; frees it */
};

/* Sets what is above, and gives the job to `pool` by pool_submit() or pool_append(). 0: the request
 * is resumed exactly once, from the loop, unless request_job_leave() comes first; or what `submit`
 * returned, and the job is still the caller's. */
int request_job_begin(struct request_job *j, struct request *r, struct pool *pool,
                      int (*submit)(struct pool *p, struct job *job));

/* The request does not wait for it any more, whether it is done or not. */
void request_job_leave(struct request_job *j);

#endif
