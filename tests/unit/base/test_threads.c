/* test_threads.c - every accepted job gets exactly one `done`, on the thread that reaps. */
#include "base/threads.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>

enum { JOBS = 500 };

struct test_job {
    struct job job;
    int runs, dones;
    pthread_t ran_on;
};

static sem_t gate;

static struct test_job *of(struct job *job)
{
    return container_of(job, struct test_job, job);
}

static void run(struct job *job)
{
    of(job)->runs++;
    of(job)->ran_on = pthread_self();
}

static void run_at_gate(struct job *job)
{
    sem_wait(&gate);
    run(job);
}

static void done(struct job *job)
{
    of(job)->dones++;
}

static size_t dones(const struct test_job *jobs, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (size_t)jobs[i].dones;
    return sum;
}

static void reap_all(struct pool *p, const struct test_job *jobs, size_t count)
{
    while (dones(jobs, count) < count) {
        struct pollfd pfd = {pool_eventfd(p), POLLIN, 0};
        ck_assert_int_eq(poll(&pfd, 1, 10000), 1); /* a forgotten wake-up shows here */
        pool_reap(p);
    }
}

START_TEST(test_all_done)
{
    struct pool *p;
    static struct test_job jobs[JOBS];
    ck_assert_int_eq(pool_create(&p, "a name longer than the kernel takes", 4, JOBS), 0);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].job = (struct job){.run = run, .done = done};
        ck_assert_int_eq(pool_submit(p, &jobs[i].job), 0);
    }
    reap_all(p, jobs, JOBS);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(jobs[i].runs, 1);
        ck_assert_int_eq(jobs[i].dones, 1);
        ck_assert(!pthread_equal(jobs[i].ran_on, pthread_self()));
    }
    ck_assert_uint_eq(pool_waiting(p), 0);
    pool_destroy(p);
}
END_TEST

/* Each batch of one has its wake-up. */
START_TEST(test_one_by_one)
{
    struct pool *p;
    struct test_job jobs[20] = {0};
    ck_assert_int_eq(pool_create(&p, "t", 2, 10), 0);
    for (size_t i = 0; i < 20; i++) {
        jobs[i].job = (struct job){.run = run, .done = done};
        ck_assert_int_eq(pool_submit(p, &jobs[i].job), 0);
        reap_all(p, jobs, i + 1);
    }
    pool_destroy(p);
}
END_TEST

START_TEST(test_full)
{
    struct pool *p;
    struct test_job jobs[4] = {0};
    sem_init(&gate, 0, 0);
    ck_assert_int_eq(pool_create(&p, "t", 1, 2), 0);
    for (int i = 0; i < 4; i++)
        jobs[i].job = (struct job){.run = run_at_gate, .done = done};
    ck_assert_int_eq(pool_submit(p, &jobs[0].job), 0);
    while (pool_waiting(p) > 0) /* the one thread has it */
        sched_yield();
    ck_assert_int_eq(pool_submit(p, &jobs[1].job), 0);
    ck_assert_int_eq(pool_submit(p, &jobs[2].job), 0);
    ck_assert_int_eq(pool_submit(p, &jobs[3].job), -EAGAIN);
    ck_assert_uint_eq(pool_waiting(p), 2);
    for (int i = 0; i < 3; i++)
        sem_post(&gate);
    reap_all(p, jobs, 3);
    ck_assert_int_eq(jobs[3].dones, 0);
    pool_destroy(p);
    sem_destroy(&gate);
}
END_TEST

/* Without a queue: as many as there are threads, and no more at a time; but whoever has no other
 * line may wait in it. */
START_TEST(test_no_queue)
{
    struct pool *p;
    struct test_job jobs[5] = {0};
    sem_init(&gate, 0, 0);
    ck_assert_int_eq(pool_create(&p, "t", 2, 0), 0);
    for (int i = 0; i < 5; i++)
        jobs[i].job = (struct job){.run = run_at_gate, .done = done};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(pool_submit(p, &jobs[i].job), 0);
        ck_assert_int_eq(pool_submit(p, &jobs[2].job), -EAGAIN);
        for (int i = 3; i < 5; i++)
            ck_assert_int_eq(pool_append(p, &jobs[i].job), 0);
        ck_assert_int_eq(pool_submit(p, &jobs[2].job), -EAGAIN);
        for (int i = 0; i < 4; i++)
            sem_post(&gate);
        while (jobs[0].dones + jobs[1].dones + jobs[3].dones + jobs[4].dones < 4 * (round + 1)) {
            struct pollfd pfd = {pool_eventfd(p), POLLIN, 0};
            ck_assert_int_eq(poll(&pfd, 1, 10000), 1);
            pool_reap(p);
        }
    }
    ck_assert_int_eq(jobs[2].dones, 0);
    pool_destroy(p);
    sem_destroy(&gate);
}
END_TEST

static const struct test_job *order[JOBS];
static int ordered;

static void run_in_order(struct job *job)
{
    run(job);
    order[ordered++] = of(job);
}

/* One thread: those that cannot wait go first, and those that can get one turn of four. */
START_TEST(test_order)
{
    struct pool *p;
    struct test_job first = {.job = {.run = run_at_gate, .done = done}}, jobs[13] = {0};
    sem_init(&gate, 0, 0);
    ordered = 0;
    ck_assert_int_eq(pool_create(&p, "t", 1, 20), 0);
    ck_assert_int_eq(pool_submit(p, &first.job), 0);
    while (pool_waiting(p) > 0)
        sched_yield();
    for (int i = 0; i < 13; i++) {
        jobs[i].job = (struct job){.run = run_in_order, .done = done, .patient = i < 4};
        ck_assert_int_eq(pool_submit(p, &jobs[i].job), 0);
    }
    sem_post(&gate);
    reap_all(p, jobs, 13);
    static const int expected[13] = {4, 5, 6, 0, 7, 8, 9, 1, 10, 11, 12, 2, 3};
    for (int i = 0; i < 13; i++)
        ck_assert_int_eq((int)(order[i] - jobs), expected[i]);
    pool_destroy(p);
    sem_destroy(&gate);
}
END_TEST

/* Those that can wait never have all threads. */
START_TEST(test_reserve)
{
    struct pool *p;
    struct test_job slow[4] = {0}, quick = {.job = {.run = run, .done = done}};
    sem_init(&gate, 0, 0);
    ck_assert_int_eq(pool_create(&p, "t", 4, 1), 0);
    for (int i = 0; i < 4; i++) {
        slow[i].job = (struct job){.run = run_at_gate, .done = done, .patient = true};
        ck_assert_int_eq(pool_submit(p, &slow[i].job), 0);
    }
    struct test_job surplus = {.job = {.run = run, .done = done, .patient = true}};
    ck_assert_int_eq(pool_submit(p, &surplus.job), -EAGAIN); /* three run, one waits */
    ck_assert_int_eq(pool_submit(p, &quick.job), 0);
    reap_all(p, &quick, 1); /* while the slow ones are at the gate */
    ck_assert_uint_eq(dones(slow, 4), 0);
    for (int i = 0; i < 4; i++)
        sem_post(&gate);
    reap_all(p, slow, 4);
    pool_destroy(p);
    sem_destroy(&gate);
}
END_TEST

static void *open_gate(void *arg)
{
    (void)arg;
    poll(NULL, 0, 50);
    sem_post(&gate);
    return NULL;
}

START_TEST(test_destroy)
{
    struct pool *p;
    struct test_job jobs[3] = {0};
    pthread_t opener;
    sem_init(&gate, 0, 0);
    ck_assert_int_eq(pool_create(&p, "t", 1, 10), 0);
    for (int i = 0; i < 3; i++) {
        jobs[i].job = (struct job){.run = run_at_gate, .done = done};
        ck_assert_int_eq(pool_submit(p, &jobs[i].job), 0);
    }
    while (pool_waiting(p) > 2)
        sched_yield();
    pthread_create(&opener, NULL, open_gate, NULL);
    pool_destroy(p); /* waits for the running job, drops the others */
    pthread_join(opener, NULL);
    ck_assert_int_eq(jobs[0].runs, 1);
    ck_assert_int_eq(jobs[1].runs + jobs[2].runs, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(jobs[i].dones, 1);
    sem_destroy(&gate);
}
END_TEST

START_TEST(test_unused)
{
    struct pool *p;
    ck_assert_int_eq(pool_create(&p, "t", 32, 10), 0);
    pool_reap(p);
    pool_destroy(p);
}
END_TEST

Suite *suite_base_threads(void)
{
    Suite *s = suite_create("base/threads");
    TCase *t = tcase_create("threads");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_all_done);
    tcase_add_test(t, test_one_by_one);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_no_queue);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_reserve);
    tcase_add_test(t, test_destroy);
    tcase_add_test(t, test_unused);
    suite_add_tcase(s, t);
    return s;
}
