/* test_demand.c - the sketch: never too little, seldom too much, and it forgets. */
#include "io/demand.h"

#include "unit.h"

#include <stdlib.h>

static const uint64_t mib = 1024 * 1024;
static struct demand *d;

static void setup(void)
{
    d = demand_create();
    ck_assert_ptr_nonnull(d);
}

static void teardown(void)
{
    demand_destroy(d);
}

START_TEST(test_counts_files)
{
    ck_assert_uint_eq(demand_permille(d, 7, 5 * mib), 0);
    for (unsigned n = 1; n <= 5; n++) {
        demand_add(d, 7, 5 * mib, 5 * mib, 0);
        ck_assert_uint_eq(demand_permille(d, 7, 5 * mib), n * 1000);
    }
    ck_assert_uint_eq(demand_permille(d, 8, 5 * mib), 0);
}
END_TEST

START_TEST(test_weighs_bytes)
{
    for (unsigned i = 0; i < 256; i++)
        demand_add(d, 7, mib, 1024 * mib, 0);
    ck_assert_uint_eq(demand_permille(d, 7, 1024 * mib), 250);
    for (unsigned i = 0; i < 1000; i++)
        demand_add(d, 8, 1, 1024 * mib, 0); /* a page each */
    ck_assert_uint_le(demand_permille(d, 8, 1024 * mib), 4);
    ck_assert_uint_ge(demand_permille(d, 8, 1024 * mib), 3);
}
END_TEST

START_TEST(test_no_overflow)
{
    for (unsigned i = 0; i < 4; i++)
        demand_add(d, 7, INT64_MAX, INT64_MAX, 0);
    ck_assert_uint_le(demand_permille(d, 7, INT64_MAX), 4000);
    ck_assert_uint_eq(demand_permille(d, 7, 1), UINT32_MAX);
    demand_window(d, 1);
    demand_add(d, 7, INT64_MAX, 1, 0);
    ck_assert_uint_eq(demand_permille(d, 7, 1), UINT32_MAX);
}
END_TEST

START_TEST(test_forgets_by_bytes)
{
    demand_window(d, 40 * mib);
    for (unsigned i = 0; i < 4; i++)
        demand_add(d, 7, 5 * mib, 5 * mib, 0);
    for (unsigned i = 0; i < 4; i++)
        demand_add(d, 8, 5 * mib, 5 * mib, 0);
    ck_assert_uint_eq(demand_permille(d, 7, 5 * mib), 4000);
    demand_add(d, 8, 5 * mib, 5 * mib, 0);
    ck_assert_uint_eq(demand_permille(d, 7, 5 * mib), 2000);
    ck_assert_uint_eq(demand_permille(d, 8, 5 * mib), 3000);
}
END_TEST

START_TEST(test_forgets_by_time)
{
    demand_add(d, 7, 8 * mib, 8 * mib, 50);
    demand_add(d, 8, 8 * mib, 8 * mib, 50 + DEMAND_HALF_LIFE_MSEC - 1);
    ck_assert_uint_eq(demand_permille(d, 7, 8 * mib), 1000);
    demand_add(d, 8, 8 * mib, 8 * mib, 50 + DEMAND_HALF_LIFE_MSEC);
    ck_assert_uint_eq(demand_permille(d, 7, 8 * mib), 500);
    demand_add(d, 8, 8 * mib, 8 * mib, 50 + INT64_C(4) * DEMAND_HALF_LIFE_MSEC);
    ck_assert_uint_eq(demand_permille(d, 7, 8 * mib), 62);
    demand_add(d, 8, 8 * mib, 8 * mib, INT64_MAX);
    ck_assert_uint_eq(demand_permille(d, 7, 8 * mib), 0);
}
END_TEST

/* How many of `files` that are asked for once look as if asked for one and a half times. */
static unsigned mistaken(unsigned files)
{
    unsigned n = 0;

    for (unsigned i = 0; i < files; i++) {
        demand_add(d, 1000000 + i, 5 * mib, 5 * mib, 0);
        uint32_t seen = demand_permille(d, 1000000 + i, 5 * mib);
        ck_assert_uint_ge(seen, 1000); /* never too little */
        n += seen >= 1500;
    }
    return n;
}

START_TEST(test_crawl_of_thousands)
{
    ck_assert_uint_eq(mistaken(4000), 0);
}
END_TEST

START_TEST(test_endless_crawl)
{
    ck_assert_uint_le(mistaken(400000), 400000 / 400);
}
END_TEST

Suite *suite_io_demand(void)
{
    Suite *s = suite_create("io/demand");
    TCase *t = tcase_create("demand");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_counts_files);
    tcase_add_test(t, test_weighs_bytes);
    tcase_add_test(t, test_no_overflow);
    tcase_add_test(t, test_forgets_by_bytes);
    tcase_add_test(t, test_forgets_by_time);
    tcase_add_test(t, test_crawl_of_thousands);
    tcase_add_test(t, test_endless_crawl);
    suite_add_tcase(s, t);
    return s;
}
