/* test_admission.c - who gets a place: crawls and loops, a head and its tail, memory that shrinks. */
#include "io/admission.h"

#include "unit.h"

#include <math.h>
#include <stdlib.h>

enum { FILES = 2000 };

static const uint64_t mib = 1024 * 1024, size = 5 * 1024 * 1024;
static struct admission *a;

static void setup(void)
{
    a = admission_create();
    ck_assert_ptr_nonnull(a);
}

static void teardown(void)
{
    admission_destroy(a);
}

/* The whole file; whether it has a place then. */
static bool ask(uint64_t key)
{
    admission_ask(a, key, size, size, 0);
    return admission_has_place(a, key);
}

static unsigned places(uint64_t first, unsigned count)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        n += admission_has_place(a, first + i);
    return n;
}

START_TEST(test_second_time)
{
    admission_room(a, 1024 * mib);
    ck_assert(!ask(1));
    ck_assert(ask(1));
    ck_assert_uint_eq(admission_demand(a, 1, size), 2000);
    ck_assert(!admission_has_place(a, 2));
    ck_assert_uint_eq(admission_demand(a, 2, size), 0);
}
END_TEST

START_TEST(test_no_room)
{
    for (unsigned i = 0; i < 10; i++)
        ck_assert(!ask(1));
    admission_room(a, size); /* of which a part is for large files */
    for (unsigned i = 0; i < 10; i++)
        ck_assert(!ask(1));
    admission_room(a, 2 * size);
    ck_assert(ask(1));
}
END_TEST

START_TEST(test_ranges_are_not_the_file)
{
    admission_room(a, 8192 * mib);
    for (unsigned i = 0; i < 1000; i++)
        admission_ask(a, 1, 1024 * mib, mib, 0);
    ck_assert(!admission_has_place(a, 1));
    for (unsigned i = 0; i < 600; i++)
        admission_ask(a, 1, 1024 * mib, mib, 0);
    ck_assert(admission_has_place(a, 1));
}
END_TEST

START_TEST(test_crawl_gets_nothing)
{
    admission_room(a, 300 * mib);
    for (unsigned i = 0; i < 20; i++)
        ask(i % 10);
    ck_assert_uint_eq(places(0, 10), 10);
    for (unsigned i = 0; i < 4000; i++)
        ck_assert(!ask(1000 + i));
    ck_assert_uint_eq(places(0, 10), 10);
}
END_TEST

/* Each file is wanted as much as the next: those that came first stay, and no more than fit. */
START_TEST(test_loop_does_not_turn_over)
{
    unsigned changes = 0;
    bool had[100] = {false};

    admission_room(a, 300 * mib);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 100; i++) {
            ask(i);
            bool has = admission_has_place(a, i);
            changes += has != had[i];
            had[i] = has;
        }
    }
    ck_assert_uint_eq(places(0, 100), 45);
    ck_assert_uint_le(changes, 55);
}
END_TEST

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* A file number, Zipf with exponent 1. */
static unsigned zipf(uint32_t *seed, unsigned files)
{
    double u = draw(seed) / 16777216.0;
    unsigned n = (unsigned)pow(files + 1, u) - 1;
    return n < files ? n : files - 1;
}

/* The share of requests for files that have a place is near that of the best possible set, 0.66 here. */
START_TEST(test_zipf_head)
{
    uint32_t seed = 1;
    unsigned hits = 0;

    admission_room(a, 1000 * mib); /* 150 places */
    for (unsigned i = 0; i < 20000; i++)
        ask(zipf(&seed, FILES));
    ck_assert_uint_ge(places(0, 20), 19);
    ck_assert_uint_le(places(0, FILES), 150);
    for (unsigned i = 0; i < 20000; i++)
        hits += ask(zipf(&seed, FILES));
    ck_assert_msg(hits > 20000 * 0.63, "%u hits", hits);
}
END_TEST

START_TEST(test_new_head)
{
    uint32_t seed = 1;

    admission_room(a, 200 * mib); /* 30 places */
    for (unsigned i = 0; i < 5000; i++)
        ask(zipf(&seed, 300));
    for (unsigned i = 0; i < 5000; i++)
        ask(5000 + zipf(&seed, 300));
    ck_assert_uint_le(places(0, 300), 2);
    ck_assert_uint_ge(places(5000, 10), 9);
}
END_TEST

START_TEST(test_memory_shrinks)
{
    admission_room(a, 1000 * mib);
    for (unsigned i = 0; i < 200; i++)
        ask(i % 100);
    ck_assert_uint_eq(places(0, 100), 100);
    admission_room(a, 100 * mib);
    for (unsigned i = 0; i < 30; i++)
        ask(1000 + i);
    ck_assert_uint_eq(places(0, 100), 15);
    admission_room(a, 0);
    for (unsigned i = 0; i < 30; i++)
        ask(i);
    ck_assert_uint_eq(places(0, 2000), 0);
}
END_TEST

START_TEST(test_large_newcomer_clears_its_room)
{
    bool in = false;

    admission_room(a, 1000 * mib); /* 750 MiB for large files */
    for (unsigned i = 0; i < 300; i++)
        ask(i % 150);
    for (unsigned i = 0; i < 40 && !in; i++) {
        admission_ask(a, 5000, 400 * mib, 400 * mib, 0);
        in = admission_has_place(a, 5000);
    }
    ck_assert(in);
    ck_assert_uint_le(places(0, 150), 70);
    ck_assert_uint_ge(places(0, 150), 50);
}
END_TEST

START_TEST(test_file_changes_size)
{
    admission_room(a, 100 * mib); /* 75 MiB for large files */
    ask(1);
    ck_assert(ask(1));
    for (unsigned i = 0; i < 20; i++)
        admission_ask(a, 1, 500 * mib, 500 * mib, 0);
    ck_assert(!admission_has_place(a, 1));
    for (unsigned i = 0; i < 30; i++)
        ask(10 + i % 15); /* all of the room is there again */
    ck_assert_uint_eq(places(10, 15), 15);
}
END_TEST

/* More places than there are, given and taken in any order: the chains of the table stay whole. */
START_TEST(test_table_under_churn)
{
    uint32_t seed = 3;

    admission_room(a, UINT64_C(40000) * size);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 60000; i++) {
            uint64_t key = draw(&seed) % 3000 + round * 1500;
            ask(key);
            if (i % 1000 == 0)
                admission_room(a, (draw(&seed) % 4000) * size);
        }
    }
    admission_room(a, 0);
    for (unsigned i = 0; i < 1000; i++)
        ask(1000000 + i);
    ck_assert_uint_eq(places(0, 10000), 0);
}
END_TEST

Suite *suite_io_admission(void)
{
    Suite *s = suite_create("io/admission");
    TCase *t = tcase_create("admission");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_second_time);
    tcase_add_test(t, test_no_room);
    tcase_add_test(t, test_ranges_are_not_the_file);
    tcase_add_test(t, test_crawl_gets_nothing);
    tcase_add_test(t, test_loop_does_not_turn_over);
    tcase_add_test(t, test_zipf_head);
    tcase_add_test(t, test_new_head);
    tcase_add_test(t, test_memory_shrinks);
    tcase_add_test(t, test_large_newcomer_clears_its_room);
    tcase_add_test(t, test_file_changes_size);
    tcase_add_test(t, test_table_under_churn);
    suite_add_tcase(s, t);
    return s;
}
