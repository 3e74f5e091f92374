/* test_cpu.c - server/cpu: masks as nginx writes them, and cgroup quotas. */
#include "unit.h"

#include "server/conf/cpu.h"

#include <errno.h>
#include <string.h>

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

static void file(const char *name, const char *text)
{
    unit_write(name, text, strlen(text));
}

static unsigned quota(void)
{
    return cpu_quota_read(unit_dir());
}

#define MOUNTS_V1                                                                                                      \
    "22 1 0:21 / /proc rw,nosuid - proc proc rw\n"                                                                     \
    "30 25 0:27 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,xattr,name=systemd\n"                          \
    "31 25 0:28 / /sys/fs/cgroup/cpuset rw shared:10 - cgroup cgroup rw,cpuset\n"                                      \
    "32 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n"                            \
    "33 25 0:30 / /sys/fs/cgroup/unified rw shared:12 - cgroup2 cgroup2 rw\n"

START_TEST(test_version_1)
{
    ck_assert_uint_eq(quota(), 0);
    file("proc/self/cgroup", "11:cpuset:/c\n5:cpu,cpuacct:/web/own\n1:name=systemd:/web/own\n0::/web/own\n");
    ck_assert_uint_eq(quota(), 0);
    file("proc/self/mountinfo", MOUNTS_V1);
    ck_assert_uint_eq(quota(), 0);
    file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota(), 0);
    file("sys/fs/cgroup/cpu,cpuacct/web/own/cpu.cfs_quota_us", "250000\n");
    file("sys/fs/cgroup/cpu,cpuacct/web/own/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota(), 3);
    file("sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_quota_us", "400000\n"); /* more, around it */
    file("sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota(), 3);
    file("sys/fs/cgroup/cpu,cpuacct/web/cpu.cfs_quota_us", "100000\n");
    ck_assert_uint_eq(quota(), 1);
    file("sys/fs/cgroup/cpu,cpuacct/other/cpu.cfs_quota_us", "1000\n");
    file("sys/fs/cgroup/cpu,cpuacct/other/cpu.cfs_period_us", "1000\n");
    file("proc/self/cgroup", "5:cpuacct,cpu:/\n");
    ck_assert_uint_eq(quota(), 0);
}
END_TEST

/* Its mount shows the container's own group as the root, or a group between. */
START_TEST(test_version_1_in_a_container)
{
    file("proc/self/cgroup", "4:cpu,cpuacct:/docker/0123\n");
    file("proc/self/mountinfo",
         "32 25 0:29 /docker/0123 /sys/fs/cgroup/cpu ro master:11 - cgroup cgroup rw,cpu,cpuacct\n");
    file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
    file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(quota(), 2);
    file("sys/fs/cgroup/cpu/0123/cpu.cfs_quota_us", "50000\n");
    file("sys/fs/cgroup/cpu/0123/cpu.cfs_period_us", "50000\n");
    ck_assert_uint_eq(quota(), 2);
    file("proc/self/mountinfo", "32 25 0:29 /docker /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    ck_assert_uint_eq(quota(), 1);
    file("proc/self/mountinfo", "32 25 0:29 /dock /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    ck_assert_uint_eq(quota(), 2); /* not a part of the group's path: what is shown counts */
}
END_TEST

START_TEST(test_version_2)
{
    file("proc/self/cgroup", "0::/system.slice/sluice.service\n");
    file("proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    file("sys/fs/cgroup/system.slice/sluice.service/cpu.max", "150000 100000\n");
    ck_assert_uint_eq(quota(), 2);
    file("sys/fs/cgroup/system.slice/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(quota(), 1);
    file("sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
    ck_assert_uint_eq(quota(), 2);
    file("proc/self/cgroup", "0::/\n");
    ck_assert_uint_eq(quota(), 0);
    file("sys/fs/cgroup/cpu.max", "300000 100000\n"); /* a namespace of its own */
    ck_assert_uint_eq(quota(), 3);
    file("proc/self/mountinfo", "33 25 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    ck_assert_uint_eq(quota(), 0);
    file("sys/fs/cgroup/unified/cpu.max", "400000 100000\n");
    ck_assert_uint_eq(quota(), 4);
}
END_TEST

START_TEST(test_quota_of_nonsense)
{
    file("proc/self/cgroup", "\n:\n::\n0:\n0::\ncpu\n4:cpu\n4:cpu:\n4:cpux:/\n4:cpu:/a\n0::/a");
    file("proc/self/mountinfo",
         "\n - \n1 2 3 4 - cgroup cgroup rw,cpu\n1 2 3 / /m - cgroup\n1 2 3 / /m - cgroup cgroup\n"
         "1 2 3 / /m rw\n1 2 3 / /m rw - cgroup cgroup cpuset,cpux\n1 2 3 / /m rw - cgroup cgroup cpu");
    ck_assert_uint_eq(quota(), 0);
    file("m/cpu.cfs_quota_us", "x\n");
    file("m/cpu.cfs_period_us", "1000\n");
    ck_assert_uint_eq(quota(), 0);
    file("m/cpu.cfs_quota_us", "1000\n");
    ck_assert_uint_eq(quota(), 1);
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
    tcase_add_test(tc, test_version_1);
    tcase_add_test(tc, test_version_1_in_a_container);
    tcase_add_test(tc, test_version_2);
    tcase_add_test(tc, test_quota_of_nonsense);
    tcase_add_test(tc, test_usable);
    suite_add_tcase(s, tc);
    return s;
}
