/* test_room.c - what memory leaves for the page cache, from files as the kernel would show them. */
#include "io/room.h"

#include "unit.h"

#include <string.h>

static void file(const char *name, const char *text)
{
    unit_write(name, text, strlen(text));
}

static void machine(const char *group_line)
{
    file("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n");
    if (group_line)
        file("proc/self/cgroup", group_line);
}

static uint64_t room(void)
{
    return room_read(unit_dir());
}

#define AVAILABLE (UINT64_C(8000000) * 1024)

START_TEST(test_machine_alone)
{
    ck_assert_uint_eq(room(), 0);
    machine(NULL);
    ck_assert_uint_eq(room(), AVAILABLE);
    machine("0::/some/where\n");
    ck_assert_uint_eq(room(), AVAILABLE);
}
END_TEST

START_TEST(test_version_2)
{
    machine("0::/system.slice/sluice.service\n");
    file("sys/fs/cgroup/system.slice/sluice.service/memory.max", "max\n");
    file("sys/fs/cgroup/system.slice/sluice.service/memory.high", "max\n");
    file("sys/fs/cgroup/system.slice/sluice.service/memory.current", "90000000\n");
    file("sys/fs/cgroup/system.slice/sluice.service/memory.stat",
         "anon 5000000\nfile 80000000\ninactive_file 30000000\nactive_file 40000000\n");
    ck_assert_uint_eq(room(), AVAILABLE);
    file("sys/fs/cgroup/system.slice/sluice.service/memory.max", "100000000\n");
    ck_assert_uint_eq(room(), 80000000);
    file("sys/fs/cgroup/system.slice/sluice.service/memory.high", "95000000\n");
    ck_assert_uint_eq(room(), 75000000);
    file("sys/fs/cgroup/system.slice/sluice.service/memory.high", "10000000\n");
    ck_assert_uint_eq(room(), 0);
}
END_TEST

/* The group around it has less. */
START_TEST(test_groups_around)
{
    machine("0::/outer/inner\n");
    file("sys/fs/cgroup/outer/inner/memory.max", "500000000\n");
    file("sys/fs/cgroup/outer/inner/memory.current", "0\n");
    file("sys/fs/cgroup/outer/memory.max", "300000000\n");
    file("sys/fs/cgroup/outer/memory.current", "100000000\n");
    ck_assert_uint_eq(room(), 200000000);
}
END_TEST

/* In a container the group is the root of what it sees, whatever its name says. */
START_TEST(test_container)
{
    machine("0::/\n");
    file("sys/fs/cgroup/memory.max", "200000000\n");
    file("sys/fs/cgroup/memory.current", "50000000\n");
    file("sys/fs/cgroup/memory.stat", "inactive_file 10000000\n");
    ck_assert_uint_eq(room(), 160000000);
    machine("0::/docker/0123\n");
    ck_assert_uint_eq(room(), 160000000);
}
END_TEST

START_TEST(test_version_1)
{
    machine("12:cpu,cpuacct:/a\n9:name=systemd:/\n5:hugetlb,memory:/a/b\n1:memoryx:/c\n0::/\n");
    file("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    file("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "1000\n");
    file("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1000\n");
    file("sys/fs/cgroup/memory/c/memory.usage_in_bytes", "1000\n");
    ck_assert_uint_eq(room(), AVAILABLE);
    file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "400000000\n");
    file("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "400000000\n");
    file("sys/fs/cgroup/memory/a/memory.stat",
         "inactive_file 1\nactive_file 2\ntotal_inactive_file 300000000\ntotal_active_file 50000000\n");
    ck_assert_uint_eq(room(), 350000000);
}
END_TEST

START_TEST(test_limit)
{
    ck_assert_uint_eq(room_limit(unit_dir()), UINT64_MAX);
    machine("5:hugetlb,memory:/a/b\n0::/c\n");
    ck_assert_uint_eq(room_limit(unit_dir()), UINT64_MAX);
    file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "400000000\n");
    ck_assert_uint_eq(room_limit(unit_dir()), 400000000);
    file("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "300000000\n");
    ck_assert_uint_eq(room_limit(unit_dir()), 300000000);
    file("sys/fs/cgroup/unified/c/memory.max", "200000000\n");
    file("sys/fs/cgroup/unified/memory.max", "max\n");
    ck_assert_uint_eq(room_limit(unit_dir()), 200000000);
}
END_TEST

START_TEST(test_nonsense)
{
    machine("\n:\n::\n0:\n0::\nmemory\n1:memory\n1::/x\n1:memory:\n");
    ck_assert_uint_eq(room(), AVAILABLE);
    file("proc/meminfo", "MemAvailable");
    ck_assert_uint_eq(room(), 0);
}
END_TEST

/* Whatever this machine is, it answers. */
START_TEST(test_here)
{
    ck_assert_uint_gt(room_read(""), 0);
}
END_TEST

Suite *suite_io_room(void)
{
    Suite *s = suite_create("io/room");
    TCase *t = tcase_create("room");
    tcase_add_test(t, test_machine_alone);
    tcase_add_test(t, test_version_2);
    tcase_add_test(t, test_groups_around);
    tcase_add_test(t, test_container);
    tcase_add_test(t, test_version_1);
    tcase_add_test(t, test_limit);
    tcase_add_test(t, test_nonsense);
    tcase_add_test(t, test_here);
    suite_add_tcase(s, t);
    return s;
}
