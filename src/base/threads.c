/* threads.c - a pool of threads for calls that may block.
 *
 * One mutex guards all lists. Who wakes somebody does so after it has let go of the mutex, which
 * the other wants first. At most one thread is being woken at a time: it wakes the next if there is
 * more to do, so that a turn of the loop that brings many jobs costs the loop one wake-up, and jobs
 * that a few threads get done cost few. Threads sleep on a semaphore: after a condition variable the
 * mutex would count as contended, and each release of it be one more call. The eventfd is written once per batch, when the list of
 * done jobs was empty.
 *
 * Jobs that can wait stand in a line of their own: of four jobs that are taken while both lines
 * have some, one is from there; and some threads take nothing from it, so that there is always one
 * free soon for those that cannot. */
#include "base/threads.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct pool {
    pthread_mutex_t lock;
    sem_t work;                           /* one for each thread that is woken */
    struct list queue, patient, finished; /* struct job */
    atomic_size_t waiting;                /* in both lines; changed under the lock */
    size_t patient_waiting, max_queue;
    unsigned started, idle, running, threads;
    unsigned returning; /* telling that something is finished, and looking for work next */
    unsigned patient_running, patient_most;
    unsigned passed; /* taken in a row while a patient one waited */
    bool waking;     /* a thread was signalled, and has not looked yet */
    bool stopping;
    bool owes_waking; /* the submitting thread's own */
    pool_later_fn *later;
    void *later_arg;
    int eventfd;
    char name[16]; /* what the kernel takes for a thread */
    pthread_t ids[];
};

enum { PASSED_MOST = 3 };

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
    sem_init(&p->work, 0, 0);
    list_init(&p->queue);
    list_init(&p->patient);
    list_init(&p->finished);
    p->threads = threads;
    p->patient_most = threads > 1 ? threads - (threads + 3) / 4 : 1;
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

/* All with the lock held from here to start_thread(). */

static bool may_take_patient(const struct pool *p)
{
    return !list_empty(&p->patient) && p->patient_running < p->patient_most;
}

static bool has_work(const struct pool *p)
{
    return !list_empty(&p->queue) || may_take_patient(p);
}

static struct job *take_next(struct pool *p)
{
    bool patient = may_take_patient(p) && (list_empty(&p->queue) || p->passed >= PASSED_MOST);
    struct job *job = take_first(patient ? &p->patient : &p->queue);

    p->passed = patient || list_empty(&p->patient) ? 0 : p->passed + 1;
    p->waiting--;
    p->running++;
    if (patient) {
        p->patient_waiting--;
        p->patient_running++;
    }
    return job;
}

/* Whether somebody is to be signalled, after the lock was released. */
static bool wants_waking(struct pool *p)
{
    if (p->waking || p->idle == 0 || !has_work(p))
        return false;
    p->waking = true;
    return true;
}

/* False: there is no more work to come. */
static bool wait_for_work(struct pool *p)
{
    while (!has_work(p) && !p->stopping) {
        p->idle++;
        pthread_mutex_unlock(&p->lock);
        while (sem_wait(&p->work) < 0)
            ; /* EINTR, by a debugger at most */
        pthread_mutex_lock(&p->lock);
        p->idle--;
        p->waking = false;
    }
    return !p->stopping;
}

/* True: nobody has told the reaping thread yet. */
static bool put_finished(struct pool *p, struct job *job)
{
    bool first = list_empty(&p->finished);

    list_append(&p->finished, &job->node);
    p->running--;
    p->patient_running -= job->patient;
    return first;
}

static void *thread_main(void *arg)
{
    struct pool *p = arg;

    pthread_setname_np(pthread_self(), p->name);
    pthread_mutex_lock(&p->lock);
    while (wait_for_work(p)) {
        struct job *job = take_next(p);
        bool wake = wants_waking(p);
        pthread_mutex_unlock(&p->lock);
        if (wake)
            sem_post(&p->work);
        job->run(job);
        pthread_mutex_lock(&p->lock);
        if (!put_finished(p, job))
            continue;
        p->returning++;
        pthread_mutex_unlock(&p->lock);
        eventfd_write(p->eventfd, 1);
        pthread_mutex_lock(&p->lock);
        p->returning--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

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
static bool is_full(const struct pool *p, const struct job *job)
{
    if (job->patient && p->patient_waiting >= p->max_queue + (p->patient_most - p->patient_running))
        return true;
    return p->waiting >= p->max_queue + (p->threads - p->running);
}

static int submit(struct pool *p, struct job *job, bool at_any_length)
{
    bool wake = false;
    int rc = -EAGAIN;

    pthread_mutex_lock(&p->lock);
    if (p->stopping || (!at_any_length && is_full(p, job)))
        goto unlock;
    /* Threads come one by one, when more jobs wait than threads do. */
    if (p->waiting >= p->idle + p->returning && p->started < p->threads && start_thread(p) < 0 && p->started == 0)
        goto unlock;
    list_append(job->patient ? &p->patient : &p->queue, &job->node);
    p->waiting++;
    p->patient_waiting += job->patient;
    wake = wants_waking(p);
    rc = 0;
unlock:
    pthread_mutex_unlock(&p->lock);
    if (wake) {
        p->owes_waking = true;
        if (p->later)
            p->later(p->later_arg);
        else
            pool_wake(p);
    }
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

void pool_wake_later(struct pool *p, pool_later_fn *later, void *arg)
{
    p->later = later;
    p->later_arg = arg;
}

void pool_wake(struct pool *p)
{
    if (!p->owes_waking)
        return;
    p->owes_waking = false;
    sem_post(&p->work);
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
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->started; i++)
        sem_post(&p->work);
    for (unsigned i = 0; i < p->started; i++)
        pthread_join(p->ids[i], NULL);

    run_done(&p->finished);
    run_done(&p->queue);
    run_done(&p->patient);
    close(p->eventfd);
    sem_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
