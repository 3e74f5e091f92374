/* listing_job.c - see listing_job.h.
 *
 * Few are made at a time: the pool's threads are also needed to open files. A page is shared while
 * it is being sent, but not given to anybody new when it is older than a moment. */
#include "http/listing/listing_job.h"

#include "base/clock.h"
#include "http/files/confine.h"
#include "http/listing/listing.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <stdlib.h>

enum { RUNNING_MOST = 4, FRESH_MSEC = 1000 };

struct listing_job {
    struct job job;
    struct list node;    /* in listing_jobs.jobs */
    struct list in_line; /* in listing_jobs.waiting */
    struct list joined;  /* struct listing_part */
    unsigned users;      /* those, and those that are just being told */
    struct listing_jobs *all;
    struct pool *pool;
    struct listing_want want;
    struct open_options guard;
    char *path;
    struct buffer page;
    int64_t done_msec;
    int rc;
    bool done, started;
    atomic_bool given_up; /* nobody waits for it any more: a thread that has it stops soon */
};

/* A request's. */
struct listing_part {
    struct list node; /* in job->joined */
    struct listing_job *job;
    struct request *request;
};

/* Of a worker, made when first needed. */
struct listing_jobs {
    struct worker_part part;
    struct list jobs;    /* being made, or made a moment ago and still being sent */
    struct list waiting; /* requests' jobs that no thread has yet */
    unsigned running;
};

static void on_end(struct worker_part *p)
{
    free(container_of(p, struct listing_jobs, part));
}

static struct listing_jobs *jobs_of(struct worker *w)
{
    if (w->listings)
        return w->listings;
    w->listings = calloc(1, sizeof *w->listings);
    if (!w->listings)
        return NULL;
    list_init(&w->listings->jobs);
    list_init(&w->listings->waiting);
    worker_keep(w, &w->listings->part, on_end);
    return w->listings;
}

static void destroy(struct listing_job *j)
{
    list_remove(&j->node);
    list_remove(&j->in_line);
    buffer_fini(&j->page);
    free(j->path);
    free(j);
}

static void on_run(struct job *job)
{
    struct listing_job *j = container_of(job, struct listing_job, job);
    const struct open_options *guard = open_guarded(&j->guard) ? &j->guard : NULL;
    j->rc = listing_print(j->path, &j->want, guard, &j->given_up, &j->page);
}

static int submit(struct listing_job *j)
{
    int rc = pool_append(j->pool, &j->job);

    list_remove(&j->in_line);
    j->started = rc == 0;
    j->all->running += rc == 0;
    return rc;
}

/* Those who wait are told one by one; each may bring about the end of any, and the last one that of
 * the job. */
static void finish(struct listing_job *j, int rc)
{
    struct list told;

    j->done = true;
    j->done_msec = clock_now.msec;
    j->rc = rc;
    list_init(&told);
    list_splice(&told, &j->joined);
    while (!list_empty(&told)) {
        struct listing_part *p = container_of(told.next, struct listing_part, node);
        list_remove(&p->node);
        list_append(&j->joined, &p->node);
        request_resume(p->request);
    }
}

static void start_next(struct listing_jobs *all)
{
    while (all->running < RUNNING_MOST && !list_empty(&all->waiting)) {
        struct listing_job *j = container_of(all->waiting.next, struct listing_job, in_line);
        int rc = submit(j);
        if (rc < 0)
            finish(j, rc);
    }
}

static void on_done(struct job *job)
{
    struct listing_job *j = container_of(job, struct listing_job, job);
    struct listing_jobs *all = j->all;

    all->running--;
    if (j->users == 0)
        destroy(j);
    else
        finish(j, j->rc == 0 && j->page.failed ? -ENOMEM : j->rc);
    start_next(all);
}

/* Path, URI and callback lie behind one another in one piece of memory. NULL: no memory. */
static struct listing_job *create(struct request *r, const struct listing_want *want, const struct open_options *guard)
{
    struct listing_jobs *all = jobs_of(r->worker);
    struct listing_job *j = calloc(1, sizeof *j);
    char *to = malloc(r->path.len + 1 + want->uri.len + 1 + want->callback.len + 1);

    if (!all || !j || !to) {
        free(j);
        free(to);
        return NULL;
    }
    buffer_init(&j->page);
    list_init(&j->joined);
    list_init(&j->in_line);
    j->path = text_put(&to, r->path);
    j->want = *want;
    j->want.uri.at = text_put(&to, want->uri);
    if (want->callback.len > 0)
        j->want.callback.at = text_put(&to, want->callback);
    j->guard = *guard;
    j->all = all;
    j->pool = io_pool(r->worker->io, TEXT_NONE);
    j->job.run = on_run;
    j->job.done = on_done;
    list_append(&j->all->jobs, &j->node);
    return j;
}

static bool is_same_guard(const struct open_options *a, const struct open_options *b)
{
    return a->beneath == b->beneath && a->symlinks == b->symlinks && a->root_len == b->root_len &&
           a->trusted == b->trusted;
}

static bool is_same(const struct listing_job *j, struct text path, const struct listing_want *want,
                    const struct open_options *guard)
{
    return j->want.conf == want->conf && j->want.utf8 == want->utf8 && is_same_guard(&j->guard, guard) &&
           text_equal(text_of(j->path), path) && text_equal(j->want.uri, want->uri) &&
           text_equal(j->want.callback, want->callback);
}

static struct listing_job *find(const struct request *r, const struct listing_want *want,
                                const struct open_options *guard)
{
    if (!r->worker->listings)
        return NULL;
    list_each (&r->worker->listings->jobs, node, next) {
        struct listing_job *j = container_of(node, struct listing_job, node);
        bool fresh = !j->done || clock_now.msec - j->done_msec < FRESH_MSEC;
        if (!j->given_up && fresh && is_same(j, r->path, want, guard))
            return j;
    }
    return NULL;
}

int listing_join(struct request *r, struct text callback, bool utf8)
{
    struct open_options guard = {0};
    if (r->location->confine && confine_folder_options(r, r->path, &guard) < 0)
        return -ENOMEM;
    const struct listing_want want = {r->uri, r->location->listing, callback, utf8};
    struct listing_part *p = arena_alloc(&r->arena, sizeof *p);
    struct listing_job *j = p ? find(r, &want, &guard) : NULL;
    int rc = 0;

    if (p && !j) {
        j = create(r, &want, &guard);
        if (j && j->all->running < RUNNING_MOST)
            rc = submit(j);
        else if (j)
            list_append(&j->all->waiting, &j->in_line);
    }
    if (!j)
        return -ENOMEM;
    if (rc < 0) {
        destroy(j);
        return rc;
    }
    *p = (struct listing_part){.job = j, .request = r};
    list_append(&j->joined, &p->node);
    j->users++;
    r->listing = p;
    return j->done ? 1 : 0;
}

bool listing_is_ready(const struct request *r)
{
    return r->listing->job->done;
}

int listing_result(const struct request *r, struct text *type, struct text *page)
{
    const struct listing_job *j = r->listing->job;

    *type = listing_type(j->want.conf, j->want.callback);
    *page = (struct text){j->page.data, j->page.len};
    return j->rc;
}

/* A job that a thread has ends there first, which it is told to do. */
void listing_leave(struct request *r)
{
    struct listing_part *p = r->listing;

    if (!p)
        return;
    r->listing = NULL;
    list_remove(&p->node);
    if (--p->job->users > 0)
        return;
    if (p->job->done || !p->job->started)
        destroy(p->job);
    else
        p->job->given_up = true;
}
