/* layout_job.c - see layout_job.h.
 *
 * A layout is known by its folder and by what index.json was when it was looked up, which each
 * request does. So no answer is older than the index that its request has seen. */
#include "http/registry/layout_job.h"

#include "base/clock.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <stdlib.h>

enum { KEPT_MOST = 256, KEPT_BYTES_MOST = 32 * 1024 * 1024 };

/* Of a file, as far as it tells one content from another. */
struct state {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};

struct layout_job {
    struct job job;
    struct list node;   /* in layout_jobs.all, the latest used first */
    struct list joined; /* struct layout_part */
    unsigned users;     /* those, and those that are just being told */
    struct layout_jobs *all;
    struct open_options guard;
    struct state index; /* as the first request saw it, then as it was read */
    bool referrers;
    struct layout *layout;
    int rc;
    int64_t asked_sec;         /* before index.json was read */
    bool done, keepable, kept; /* keepable: whoever changes the index makes another one */
    atomic_bool given_up;      /* nobody waits for it any more: a thread that has it stops soon */
    char folder[];
};

/* Of a worker, made when first needed. */
struct layout_jobs {
    struct worker_part part;
    struct list all;
    size_t kept, kept_bytes; /* of those that nobody waits for */
};

/* ---- life ---- */

static void destroy(struct layout_job *j)
{
    if (j->kept) {
        j->all->kept--;
        j->all->kept_bytes -= j->layout->bytes;
    }
    list_remove(&j->node);
    layout_free(j->layout);
    free(j);
}

static void on_end(struct worker_part *p)
{
    struct layout_jobs *all = container_of(p, struct layout_jobs, part);

    while (!list_empty(&all->all))
        destroy(container_of(all->all.next, struct layout_job, node));
    free(all);
}

static struct layout_jobs *jobs_of(struct worker *w)
{
    if (w->layouts)
        return w->layouts;
    w->layouts = calloc(1, sizeof *w->layouts);
    if (!w->layouts)
        return NULL;
    list_init(&w->layouts->all);
    worker_keep(w, &w->layouts->part, on_end);
    return w->layouts;
}

static void evict(struct layout_jobs *all)
{
    for (struct list *node = all->all.prev, *before; node != &all->all; node = before) {
        struct layout_job *j = container_of(node, struct layout_job, node);
        before = node->prev;
        if (all->kept <= KEPT_MOST && all->kept_bytes <= KEPT_BYTES_MOST)
            return;
        if (j->kept && j->users == 0)
            destroy(j);
    }
}

static bool may_be_kept(const struct layout_job *j)
{
    return j->layout->whole && j->layout->bytes <= KEPT_BYTES_MOST / 2 &&
           !file_times_are_doubtful(j->index.mtime, j->index.ctime, j->asked_sec);
}

/* ---- reading ---- */

static struct state state_of_file(const struct file *f)
{
    return (struct state){f->dev, f->ino, f->size, f->mtime, f->ctime};
}

static bool is_same_state(const struct state *a, const struct state *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
           a->mtime.tv_nsec == b->mtime.tv_nsec && a->ctime.tv_sec == b->ctime.tv_sec &&
           a->ctime.tv_nsec == b->ctime.tv_nsec;
}

static void on_run(struct job *job)
{
    struct layout_job *j = container_of(job, struct layout_job, job);
    const struct open_options *guard = open_guarded(&j->guard) ? &j->guard : NULL;

    j->rc = layout_read(&j->layout, j->folder, guard, j->referrers, &j->given_up);
}

/* Those who wait are told one by one; each may bring about the end of any, and the last one that of
 * the job. */
static void on_done(struct job *job)
{
    struct layout_job *j = container_of(job, struct layout_job, job);
    struct list told;

    j->done = true;
    if (j->rc == 0) {
        const struct stat *st = &j->layout->status;
        j->index = (struct state){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
        j->keepable = may_be_kept(j);
    }
    if (j->users == 0) {
        destroy(j);
        return;
    }
    list_init(&told);
    list_splice(&told, &j->joined);
    while (!list_empty(&told)) {
        struct layout_part *p = container_of(told.next, struct layout_part, node);
        list_remove(&p->node);
        list_append(&j->joined, &p->node);
        request_resume(p->request);
    }
}

/* ---- requests ---- */

static bool is_same_guard(const struct open_options *a, const struct open_options *b)
{
    return a->beneath == b->beneath && a->symlinks == b->symlinks && a->root_len == b->root_len &&
           a->trusted == b->trusted;
}

/* One that is being read, or is kept, or just being told to those who waited. What an earlier index
 * has made goes away. */
static struct layout_job *find(struct layout_jobs *all, struct text folder, const struct state *index,
                               const struct open_options *guard, bool referrers)
{
    list_each (&all->all, node, next) {
        struct layout_job *j = container_of(node, struct layout_job, node);
        if (j->given_up || !is_same_guard(&j->guard, guard) || !text_equal(text_of(j->folder), folder))
            continue;
        bool current = is_same_state(&j->index, index);
        if (current && (j->referrers || !referrers) && (!j->done || j->keepable))
            return j;
        if (j->kept && j->users == 0 && (!current || referrers))
            destroy(j);
    }
    return NULL;
}

static struct layout_job *create(struct layout_jobs *all, struct text folder, const struct state *index,
                                 const struct open_options *guard, bool referrers)
{
    struct layout_job *j = calloc(1, sizeof *j + folder.len + 1);

    if (!j)
        return NULL;
    memcpy(j->folder, folder.at, folder.len);
    list_init(&j->joined);
    j->all = all;
    j->guard = *guard;
    j->index = *index;
    j->referrers = referrers;
    j->asked_sec = clock_now.sec;
    j->rc = -ECANCELED;
    j->job.run = on_run;
    j->job.done = on_done;
    j->job.patient = true;
    list_prepend(&all->all, &j->node);
    return j;
}

int layout_join(struct layout_part *p, struct request *r, struct text folder, const struct file *index,
                const struct open_options *guard, bool referrers)
{
    struct layout_jobs *all = jobs_of(r->worker);
    struct state seen = state_of_file(index);
    struct layout_job *j = all ? find(all, folder, &seen, guard, referrers) : NULL;

    if (all && !j) {
        j = create(all, folder, &seen, guard, referrers);
        int rc = j ? pool_append(io_pool(r->worker->io, TEXT_NONE), &j->job) : 0;
        if (rc < 0) {
            destroy(j);
            return rc;
        }
    }
    if (!j)
        return -ENOMEM;
    list_remove(&j->node);
    list_prepend(&all->all, &j->node);
    *p = (struct layout_part){.job = j, .request = r};
    list_append(&j->joined, &p->node);
    j->users++;
    return j->done ? 1 : 0;
}

bool layout_is_ready(const struct layout_part *p)
{
    return p->job->done;
}

const struct layout *layout_result(const struct layout_part *p, int *rc)
{
    *rc = p->job->rc;
    return *rc == 0 ? p->job->layout : NULL;
}

/* A job that a thread has ends there first, which it is told to do. */
void layout_leave(struct layout_part *p)
{
    struct layout_job *j = p->job;

    if (!j)
        return;
    p->job = NULL;
    list_remove(&p->node);
    if (--j->users > 0)
        return;
    if (!j->done) {
        j->given_up = true;
    } else if (!j->keepable) {
        destroy(j);
    } else if (!j->kept) {
        j->kept = true;
        j->all->kept++;
        j->all->kept_bytes += j->layout->bytes;
        evict(j->all);
    }
}
