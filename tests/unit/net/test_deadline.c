/* test_deadline.c - net/deadline: order, replacement, callbacks that set and clear, and many
 * lengths. */
#include "unit.h"

#include "base/clock.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>

struct item {
    struct deadline deadline;
    int64_t fired; /* clock_now.msec, 0: not yet */
    struct item *victim;
    int again;
};

static struct loop *loop;
static struct deadlines *ds;
static struct timer *limit;
static unsigned fired;

static void on_expired(struct deadline *d)
{
    struct item *item = container_of(d, struct item, deadline);

    ck_assert(!deadline_is_set(d));
    ck_assert_int_ge(clock_now.msec, d->at); /* never before it is due */
    item->fired = clock_now.msec;
    fired++;
    if (item->victim)
        deadline_clear(&item->victim->deadline);
    if (item->again-- > 0)
        deadline_set(ds, d, 0);
}

static void item_init(struct item *item)
{
    memset(item, 0, sizeof *item);
    deadline_init(&item->deadline, on_expired);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void setup(void)
{
    fired = 0;
    ck_assert_int_eq(loop_create(&loop), 0);
    ck_assert_int_eq(deadlines_create(&ds, loop), 0);
    limit = loop_timer(loop, stop, NULL);
}

static void teardown(void)
{
    deadlines_destroy(ds);
    timer_destroy(limit);
    loop_destroy(loop);
}

static void run_for(int64_t msec)
{
    timer_set(limit, msec);
    loop_run(loop);
    clock_update();
}

START_TEST(test_fires_in_time)
{
    struct item soon, late, far;

    item_init(&soon);
    item_init(&late);
    item_init(&far);
    deadline_set(ds, &far.deadline, 3600 * 1000);
    deadline_set(ds, &late.deadline, 120);
    deadline_set(ds, &soon.deadline, 20); /* the timer must move to the earlier one */
    ck_assert(deadline_is_set(&soon.deadline));
    run_for(400);
    ck_assert_int_ne(soon.fired, 0);
    ck_assert_int_ne(late.fired, 0);
    ck_assert_int_le(soon.fired, late.fired);
    ck_assert(deadline_is_set(&far.deadline));
    ck_assert_uint_eq(fired, 2);
    deadline_clear(&far.deadline);
}
END_TEST

START_TEST(test_replace_and_clear)
{
    struct item a, b;

    item_init(&a);
    item_init(&b);
    deadline_clear(&a.deadline);
    deadline_set(ds, &a.deadline, 10);
    deadline_set(ds, &a.deadline, 3600 * 1000);
    deadline_set(ds, &b.deadline, 10);
    deadline_clear(&b.deadline);
    run_for(150);
    ck_assert_uint_eq(fired, 0);
    deadline_set(ds, &b.deadline, 10); /* the timer went on from what was cleared to a head that is far away */
    run_for(150);
    ck_assert_uint_eq(fired, 1);
    ck_assert(deadline_is_set(&a.deadline));
    deadline_clear(&a.deadline);
}
END_TEST

START_TEST(test_callback_clears_and_sets)
{
    struct item a, b, c;

    item_init(&a);
    item_init(&b);
    item_init(&c);
    a.victim = &b;
    c.again = 2;
    deadline_set(ds, &a.deadline, 10);
    deadline_set(ds, &b.deadline, 10);
    deadline_set(ds, &c.deadline, 10);
    run_for(400);
    ck_assert_int_eq(b.fired, 0);
    ck_assert_uint_eq(fired, 4); /* a, and c three times */
}
END_TEST

/* More lengths at a time than there are FIFOs: some are late, none is early, none is lost. */
START_TEST(test_many_lengths)
{
    enum { COUNT = 200 };
    struct item *items = calloc(COUNT, sizeof *items);

    ck_assert_ptr_nonnull(items);
    for (int i = 0; i < COUNT; i++) {
        item_init(&items[i]);
        deadline_set(ds, &items[i].deadline, 100000 - 400 * i);
    }
    for (int i = 0; i < COUNT; i++)
        deadline_set(ds, &items[i].deadline, 1 + i % 7);
    run_for(250);
    ck_assert_uint_eq(fired, COUNT);
    free(items);
}
END_TEST

START_TEST(test_destroy_with_some_set)
{
    struct item a;
    struct deadlines *mine;

    item_init(&a);
    ck_assert_int_eq(deadlines_create(&mine, loop), 0);
    deadline_set(mine, &a.deadline, 1000);
    deadlines_destroy(mine);
    ck_assert(!deadline_is_set(&a.deadline));
}
END_TEST

Suite *suite_net_deadline(void)
{
    Suite *s = suite_create("net/deadline");
    TCase *tc = tcase_create("deadline");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_fires_in_time);
    tcase_add_test(tc, test_replace_and_clear);
    tcase_add_test(tc, test_callback_clears_and_sets);
    tcase_add_test(tc, test_many_lengths);
    tcase_add_test(tc, test_destroy_with_some_set);
    suite_add_tcase(s, tc);
    return s;
}
