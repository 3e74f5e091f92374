/* test_renewal.c - server/renewal: when new workers are started, and how often at most. */
#include "unit.h"

#include "server/process/renewal.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct child all[8];
static struct children cs;
static struct renewal r;

static void setup(void)
{
    memset(&cs, 0, sizeof cs);
    memset(&r, 0, sizeof r);
    memset(all, 0, sizeof all);
    cs.at = all;
    cs.count = 1;
    cs.generation = 3;
    all[0].pid = 1;
    ck_assert_int_eq(pipe2(cs.outdated, O_NONBLOCK | O_CLOEXEC), 0);
}

static void hear(unsigned generation, int64_t now)
{
    ck_assert_int_eq(write(cs.outdated[1], &generation, sizeof generation), sizeof generation);
    renewal_heard(&r, &cs, now);
}

/* It is due at `expected`, and done then. */
static void expect_at(int64_t now, int64_t expected)
{
    ck_assert_int_eq(renewal_wait(&r, &cs, now), expected - now);
    ck_assert_int_eq(renewal_wait(&r, &cs, expected - 1), 1);
    ck_assert_int_eq(renewal_wait(&r, &cs, expected), 0);
    ck_assert_int_eq(renewal_wait(&r, &cs, expected), -1);
}

START_TEST(test_once)
{
    ck_assert_int_eq(renewal_wait(&r, &cs, 5000), -1);
    hear(3, 5000);
    hear(3, 5500); /* another worker, or another folder */
    expect_at(5500, 6000);
}
END_TEST

/* Of workers that leave, nothing new is to be learnt. */
START_TEST(test_old_generation)
{
    hear(2, 5000);
    ck_assert_int_eq(renewal_wait(&r, &cs, 9000), -1);
    hear(2, 9000);
    hear(3, 9000);
    expect_at(9000, 10000);
}
END_TEST

START_TEST(test_pauses)
{
    int64_t last = 6000, pause = 10000;

    hear(3, 5000);
    expect_at(5000, last);
    for (int i = 0; i < 10; i++) { /* again and again, at once */
        hear(3, last + 1);
        expect_at(last + 1, last + pause);
        last += pause;
        pause = pause < 640000 ? 2 * pause : pause;
    }
    last += 2 * pause + 1; /* a long rest */
    hear(3, last);
    expect_at(last, last + 1000);
}
END_TEST

/* A file that is replaced each minute, all day. */
START_TEST(test_each_minute)
{
    unsigned renewals = 0;

    for (int64_t now = 1000; now < 24 * 3600 * 1000; now += 60 * 1000) {
        hear(3, now);
        for (int64_t at = now; at < now + 60 * 1000; at += 1000)
            renewals += renewal_wait(&r, &cs, at) == 0;
    }
    ck_assert_uint_ge(renewals, 100);
    ck_assert_uint_le(renewals, 24 * 6);
}
END_TEST

START_TEST(test_who_drains)
{
    cs.count = 4;
    for (unsigned i = 1; i < cs.count; i++) {
        all[i].pid = 1;
        all[i].leaving = true;
    }
    hear(3, 5000);
    ck_assert_int_eq(renewal_wait(&r, &cs, 5000), 1000);
    ck_assert_int_eq(renewal_wait(&r, &cs, 7000), -1); /* three generations are at it */
    cs.count = 3;
    ck_assert_int_eq(renewal_wait(&r, &cs, 8000), 0);
}
END_TEST

/* While a new binary serves, there is nobody to replace. */
START_TEST(test_nobody_serves)
{
    hear(3, 5000);
    all[0].leaving = true;
    ck_assert_int_eq(renewal_wait(&r, &cs, 9000), -1);
}
END_TEST

Suite *suite_server_renewal(void)
{
    Suite *s = suite_create("server/renewal");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, test_once);
    tcase_add_test(t, test_old_generation);
    tcase_add_test(t, test_pauses);
    tcase_add_test(t, test_each_minute);
    tcase_add_test(t, test_who_drains);
    tcase_add_test(t, test_nobody_serves);
    suite_add_tcase(s, t);
    return s;
}
