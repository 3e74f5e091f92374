/* test_bulk.c - shares of large responses. */
#include "http/worker/bulk.h"
#include "unit.h"

enum { ALONE = 2 << 20, KIB = 1024 };

static struct loop *loop;
static struct bulk bulk;
static struct deferred turns_of[2];
static struct {
    long who;
    uint64_t bytes;
} shares[64]; /* in the order of giving */
static unsigned given, turns, turns_most;
static uint64_t small_per_turn;
static struct deferred other; /* keeps the loop turning, and sends small answers */

static void on_turn(void *arg)
{
    struct deferred *turn = arg;

    uint64_t share = bulk_share(&bulk, turn);
    if (share == 0)
        return;
    shares[given].who = turn - turns_of;
    shares[given++].bytes = share;
    bulk_used(&bulk, share);
    bulk_queue(&bulk, turn);
}

static void on_other(void *arg)
{
    (void)arg;
    if (turns++ == turns_most) {
        loop_stop(loop);
        return;
    }
    if (small_per_turn > 0)
        bulk_small_sent(&bulk, small_per_turn);
    loop_defer(loop, &other);
}

/* `turns` turns of the loop with both responses always ready. */
static void run(unsigned count)
{
    turns = given = 0;
    turns_most = count;
    loop_defer(loop, &other);
    loop_run(loop);
}

static void setup(void)
{
    ck_assert_int_eq(loop_create(&loop), 0);
    bulk = (struct bulk){0};
    bulk_init(&bulk, loop);
    deferred_init(&other, on_other, NULL);
    small_per_turn = 0;
    for (int i = 0; i < 2; i++)
        deferred_init(&turns_of[i], on_turn, &turns_of[i]);
}

static void teardown(void)
{
    loop_destroy(loop);
}

START_TEST(alone_each_has_a_whole_round_in_turn)
{
    bulk_queue(&bulk, &turns_of[0]);
    bulk_queue(&bulk, &turns_of[1]);
    run(8);
    ck_assert_int_ge((int)given, 6);
    for (unsigned i = 0; i < given; i++) {
        ck_assert_uint_eq(shares[i].bytes, ALONE);
        ck_assert_int_eq(shares[i].who, i % 2);
    }
}
END_TEST

START_TEST(beside_small_answers_as_many_bytes)
{
    small_per_turn = 300 * KIB;
    bulk_queue(&bulk, &turns_of[0]);
    run(8);
    for (unsigned i = 1; i < given; i++)
        ck_assert_uint_eq(shares[i].bytes, 300 * KIB);
}
END_TEST

START_TEST(what_is_small_counts_for_something)
{
    small_per_turn = 1; /* counts 16 KiB: 64 KiB are saved up in four turns */
    bulk_queue(&bulk, &turns_of[0]);
    run(20);
    ck_assert_int_ge((int)given, 4);
    ck_assert_int_le((int)given, 6);
    ck_assert_uint_eq(shares[given - 1].bytes, 64 * KIB);
}
END_TEST

START_TEST(a_long_pause_saves_up_no_more_than_a_round)
{
    bulk_small_sent(&bulk, 100 << 20);
    bulk_queue(&bulk, &turns_of[0]);
    run(2);
    ck_assert_uint_eq(shares[0].bytes, 512 * KIB);
}
END_TEST

START_TEST(who_is_not_in_line_gets_none)
{
    ck_assert_uint_eq(bulk_share(&bulk, &turns_of[0]), 0);
    ck_assert(!list_empty(&turns_of[0].node));
}
END_TEST

Suite *suite_http_bulk(void)
{
    Suite *s = suite_create("http_bulk");
    TCase *t = tcase_create("bulk");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, alone_each_has_a_whole_round_in_turn);
    tcase_add_test(t, beside_small_answers_as_many_bytes);
    tcase_add_test(t, what_is_small_counts_for_something);
    tcase_add_test(t, a_long_pause_saves_up_no_more_than_a_round);
    tcase_add_test(t, who_is_not_in_line_gets_none);
    suite_add_tcase(s, t);
    return s;
}
