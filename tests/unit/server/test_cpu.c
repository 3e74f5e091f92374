/* test_cpu.c - server/cpu: masks as nginx writes them, and cgroup quotas. */
#include "unit.h"

#include "server/cpu.h"

#include <errno.h>

START_TEST(test_mask)
{
    cpu_set_t mask;

    ck_assert_int_eq(cpu_mask_parse(TEXT("0101"), &mask), 0);
    ck_assert_int_eq(CPU_COUNT(&mask), 2);
    ck_assert(CPU_ISSET(0, &mask));
    ck_assert(CPU_ISSET(2, &mask));
    ck_assert_int_eq(cpu_mask_parse(TEXT("1000"), &mask), 0);
    ck_assert(CPU_ISSET(3, &mask));
    ck_assert_int_eq(cpu_mask_parse(TEXT(""), &mask), -EINVAL);
    ck_assert_int_eq(cpu_mask_parse(TEXT("012"), &mask), -EINVAL);
}
END_TEST

START_TEST(test_mask_too_long)
{
    static char digits[CPU_SETSIZE + 1];
    cpu_set_t mask;

    for (int i = 0; i <= CPU_SETSIZE; i++)
        digits[i] = '1';
    ck_assert_int_eq(cpu_mask_parse((struct text){digits, CPU_SETSIZE}, &mask), 0);
    ck_assert_int_eq(CPU_COUNT(&mask), CPU_SETSIZE);
    ck_assert_int_eq(cpu_mask_parse((struct text){digits, CPU_SETSIZE + 1}, &mask), -ERANGE);
}
END_TEST

START_TEST(test_cpu_of_worker)
{
    cpu_set_t mask;

    cpu_mask_parse(TEXT("10100"), &mask);
    ck_assert_int_eq(cpu_of_worker(&mask, 0), 2);
    ck_assert_int_eq(cpu_of_worker(&mask, 1), 4);
    ck_assert_int_eq(cpu_of_worker(&mask, 2), 2);
    CPU_ZERO(&mask);
    ck_assert_int_eq(cpu_of_worker(&mask, 0), -1);
}
END_TEST

START_TEST(test_quota)
{
    ck_assert_uint_eq(cpu_quota_parse("max 100000\n"), 0);
    ck_assert_uint_eq(cpu_quota_parse("100000 100000\n"), 1);
    ck_assert_uint_eq(cpu_quota_parse("150000 100000\n"), 2);
    ck_assert_uint_eq(cpu_quota_parse("1000 100000\n"), 1);
    ck_assert_uint_eq(cpu_quota_parse("-1 100000\n"), 0);
    ck_assert_uint_eq(cpu_quota_parse("100000 0\n"), 0);
    ck_assert_uint_eq(cpu_quota_parse(""), 0);
}
END_TEST

START_TEST(test_usable)
{
    ck_assert_uint_ge(cpu_usable(), 1);
}
END_TEST

Suite *suite_server_cpu(void)
{
    Suite *s = suite_create("server/cpu");
    TCase *tc = tcase_create("cpu");

    tcase_add_test(tc, test_mask);
    tcase_add_test(tc, test_mask_too_long);
    tcase_add_test(tc, test_cpu_of_worker);
    tcase_add_test(tc, test_quota);
    tcase_add_test(tc, test_usable);
    suite_add_tcase(s, tc);
    return s;
}
