/* request_job.c - see request_job.h. */
#include "http/request/request_job.h"

#include "http/request/request.h"

static void on_run(struct job *job)
{
    struct request_job *j = container_of(job, struct request_job, job);

    j->run(j);
}

static void on_done(struct job *job)
{
    struct request_job *j = container_of(job, struct request_job, job);

    j->done = true;
    if (j->request)
        request_resume(j->request);
    else
        j->orphan(j);
}

int request_job_begin(struct request_job *j, struct request *r, struct pool *pool,
                      int (*submit)(struct pool *p, struct job *job))
{
    j->request = r;
    j->done = false;
    j->job.run = on_run;
    j->job.done = on_done;
    return submit(pool, &j->job);
}

void request_job_leave(struct request_job *j)
{
    if (j->done)
        j->orphan(j);
    else
        j->request = NULL;
}
