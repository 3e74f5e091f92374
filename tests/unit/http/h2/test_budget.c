/* test_budget.c - who uses a connection is never stopped, who wastes it is. */
#include "unit.h"

#include "http/h2/budget.h"

/* Ten resets a second for an hour. */
START_TEST(seeks)
{
    struct budget b;

    budget_init(&b, 0);
    for (int64_t now = 0; now < 3600 * 1000; now += 100)
        ck_assert(budget_spend(&b, now, 1, 1, 1, 3));
}
END_TEST

START_TEST(resets)
{
    struct budget b;
    unsigned n = 0;

    budget_init(&b, 0);
    while (budget_spend(&b, 0, 1, 1, 1, 0))
        n++;
    ck_assert_uint_eq(n, BUDGET_RESETS);
    ck_assert(!budget_spend(&b, 0, 0, 0, 1000, 1000)); /* requests earn none */
    ck_assert(budget_spend(&b, 1000, 10, 0, 0, 0));
}
END_TEST

START_TEST(floods)
{
    struct budget b;
    unsigned n = 0;

    budget_init(&b, 0);
    while (budget_spend(&b, 0, 0, 1, 0, 0))
        n++;
    ck_assert_uint_eq(n, BUDGET_FRAMES);
}
END_TEST

/* WINDOW_UPDATE for the stream and the connection after each DATA frame. */
START_TEST(updates_windows)
{
    struct budget b;

    budget_init(&b, 0);
    for (unsigned i = 0; i < 10 * BUDGET_FRAMES; i++)
        ck_assert(budget_spend(&b, 0, 0, 2, 0, 1));
}
END_TEST

/* However much was earned, and however the clock goes. */
START_TEST(is_bounded)
{
    struct budget b;

    budget_init(&b, 0);
    ck_assert(budget_spend(&b, INT64_MAX / 1000000, 0, 0, 1000000, 1000000));
    ck_assert(budget_spend(&b, 5, 0, BUDGET_FRAMES, 0, 0));
    ck_assert(!budget_spend(&b, 5, 0, 1, 0, 0));
}
END_TEST

Suite *suite_http_budget(void)
{
    Suite *s = suite_create("http_budget");
    TCase *t = tcase_create("budget");

    tcase_add_test(t, seeks);
    tcase_add_test(t, resets);
    tcase_add_test(t, floods);
    tcase_add_test(t, updates_windows);
    tcase_add_test(t, is_bounded);
    suite_add_tcase(s, t);
    return s;
}
