/* test_bucket.c - http/bucket: nginx's arithmetic, row by row. */
#include "http/limit/bucket.h"
#include "unit.h"

static const struct {
    struct bucket before;
    int64_t rate, now, excess;
} rows[] = {
    {{1000, 0}, 1000, 1000, 1000},      /* a second request in the same millisecond */
    {{1000, 0}, 1000, 1500, 500},       /* half a second at one per second leaks half of it */
    {{1000, 0}, 1000, 2000, 0},         /* exactly in time */
    {{1000, 0}, 1000, 9000, 0},         /* nothing is saved up */
    {{1000, 5000}, 1000, 2000, 5000},   /* one in, one out */
    {{1000, 5000}, 2000, 2000, 4000},   /* two out */
    {{1000, 0}, 500, 2000, 500},        /* 30r/m */
    {{1000, 0}, 16, 2000, 984},         /* 1r/m is 16 thousandths a second */
    {{1000, 700}, 1000, 999, 1700},     /* another worker's clock is a little ahead */
    {{100000, 700}, 1000, 40000, 1700}, /* a minute: still */
    {{100000, 700}, 1000, 39999, 1699}, /* more: the clock went back; one millisecond has passed */
    {{0, 0}, INT64_MAX / 2, 100000, 0}, /* nothing overflows */
    {{1000, -1000}, 1000, 1000, 0},     /* the first request of a key */
};

START_TEST(test_excess)
{
    ck_assert_int_eq(bucket_with(&rows[_i].before, rows[_i].rate, rows[_i].now), rows[_i].excess);
}
END_TEST

START_TEST(test_count)
{
    struct bucket b = {1000, 0};
    bucket_count(&b, 1000, 1000);
    ck_assert_int_eq(b.excess, 1000);
    bucket_count(&b, 1500, 1500);
    ck_assert_int_eq(b.last_msec, 1500);
    bucket_count(&b, 1600, 1400); /* time never goes back a little */
    ck_assert_int_eq(b.last_msec, 1500);
    bucket_count(&b, 1600, -70000); /* but after a jump it follows */
    ck_assert_int_eq(b.last_msec, -70000);
}
END_TEST

START_TEST(test_wait)
{
    ck_assert_int_eq(bucket_wait(0, 0, 1000), 0);
    ck_assert_int_eq(bucket_wait(1000, 0, 1000), 1000);
    ck_assert_int_eq(bucket_wait(1000, 0, 2000), 500);
    ck_assert_int_eq(bucket_wait(3000, 2000, 1000), 1000);
    ck_assert_int_eq(bucket_wait(2000, 2000, 1000), 0);
    ck_assert_int_eq(bucket_wait(1999, 0, 16), 124937);
    ck_assert_int_eq(bucket_wait(5000, INT64_MAX, 1000), 0);
}
END_TEST

START_TEST(test_forgettable)
{
    struct bucket b = {1000, 0};
    ck_assert(!bucket_is_forgettable(&b, 1000, 60999));
    ck_assert(bucket_is_forgettable(&b, 1000, 61000));
    b.excess = 100000; /* a hundred requests ahead */
    ck_assert(!bucket_is_forgettable(&b, 1000, 61000));
    ck_assert(bucket_is_forgettable(&b, 1000, 101000));
}
END_TEST

Suite *suite_http_bucket(void)
{
    Suite *s = suite_create("http_bucket");
    TCase *tc = tcase_create("bucket");
    tcase_add_loop_test(tc, test_excess, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, test_count);
    tcase_add_test(tc, test_wait);
    tcase_add_test(tc, test_forgettable);
    suite_add_tcase(s, tc);
    return s;
}
