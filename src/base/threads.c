/* threads.c - a pool of threads for calls that may block.
 *
 * One mutex guards both lists; the eventfd is written once per batch, when the list of done jobs
 * was empty. */
#include "base/threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list queue, finished; /* struct job */
    atomic_size_t waiting;       /* changed under the lock */
    size_t max_queue;
    unsigned started, idle, running, threads;
    bool stopping;
    int eventfd;
    char name[16]; /* what the kernel takes for a thread */
    pthread_t ids[];
};

int pool_create(struct pool **out, const char *name, unsigned threads, size_t max_queue)
{
    struct pool *p = calloc(1, sizeof *p + threads * sizeof p->ids[0]);
    if (!p)
        return -ENOMEM;
    p->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->eventfd < 0) {
        int rc = -errno;
        free(p);
        return rc;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    list_init(&p->queue);
    list_init(&p->finished);
    p->threads = threads;
    p->max_queue = max_queue;
    snprintf(p->name, sizeof p->name, "%s", name);
    *out = p;
    return 0;
}

static struct job *take_first(struct list *head)
{
    struct job *job = container_of(head->next, struct job, node);
    list_remove(&job->node);
    return job;
}

static void *thread_main(void *arg)
{
    struct pool *p = arg;
    pthread_setname_np(pthread_self(), p->name);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (list_empty(&p->queue) && !p->stopping) {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
        if (p->stopping)
            break;
        struct job *job = take_first(&p->queue);
        p->waiting--;
        p->running++;
        pthread_mutex_unlock(&p->lock);
        job->run(job);
        pthread_mutex_lock(&p->lock);
        p->running--;
        bool first = list_empty(&p->finished);
        list_append(&p->finished, &job->node);
        if (first)
            eventfd_write(p->eventfd, 1);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Called with the lock held. */
static int start_thread(struct pool *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = -pthread_create(&p->ids[p->started], NULL, thread_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        p->started++;
    return rc;
}

/* Called with the lock held. What a thread takes at once does not wait, so that a queue of none is
 * one, too. */
static bool is_full(const struct pool *p)
{
    return p->waiting >= p->max_queue + (p->threads - p->running);
}

static int submit(struct pool *p, struct job *job, bool at_any_length)
{
    int rc = -EAGAIN;
    pthread_mutex_lock(&p->lock);
    if (p->stopping || (!at_any_length && is_full(p)))
        goto unlock;
    /* Threads come one by one, when more jobs wait than threads do. */
    if (p->waiting >= p->idle && p->started < p->threads && start_thread(p) < 0 && p->started == 0)
        goto unlock;
    list_append(&p->queue, &job->node);
    p->waiting++;
    if (p->idle > 0)
        pthread_cond_signal(&p->work);
    rc = 0;
unlock:
    pthread_mutex_unlock(&p->lock);
    return rc;
}

int pool_submit(struct pool *p, struct job *job)
{
    return submit(p, job, false);
}

int pool_append(struct pool *p, struct job *job)
{
    return submit(p, job, true);
}

int pool_eventfd(const struct pool *p)
{
    return p->eventfd;
}

static void run_done(struct list *jobs)
{
    while (!list_empty(jobs)) {
        struct job *job = take_first(jobs);
        job->done(job); /* may free the job */
    }
}

void pool_reap(struct pool *p)
{
    struct list jobs;
    eventfd_t count;
    list_init(&jobs);
    eventfd_read(p->eventfd, &count); /* before the list is taken: what finishes after that writes again */
    pthread_mutex_lock(&p->lock);
    list_splice(&jobs, &p->finished);
    pthread_mutex_unlock(&p->lock);
    run_done(&jobs);
}

size_t pool_waiting(const struct pool *p)
{
    return p->waiting;
}

void pool_destroy(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->started; i++)
        pthread_join(p->ids[i], NULL);

    run_done(&p->finished);
    run_done(&p->queue);
    close(p->eventfd);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
