/* test_demand.c - the sketch: never too little, seldom too much, and it forgets. */
#include "io/demand.h"

#include "unit.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t mib = 1024 * 1024;
static struct demand *d;

static void setup(void)
{
    void *memory = mmap(NULL, sizeof *d, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    d = memory;
}

static void teardown(void)
{
    munmap(d, sizeof *d);
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

/* Two processes at once: nothing that either adds is lost, and each file is forgotten once, not
 * once per process. */
START_TEST(test_processes_add_up)
{
    enum { TIMES = 50000, PROCESSES = 4 };
    const uint64_t size = 1024 * mib;

    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid > 0)
            continue;
        for (unsigned n = 0; n < TIMES; n++) {
            demand_add(d, 7, 4096, size, 50 + n % 3); /* their clocks differ a little */
            demand_add(d, 100 + i, 4096, size, 50);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(demand_permille(d, 7, 4096), TIMES * PROCESSES * 1000U);
    for (unsigned i = 0; i < PROCESSES; i++)
        ck_assert_uint_eq(demand_permille(d, 100 + i, 4096), TIMES * 1000U);
}
END_TEST

/* All of them find at the same time that the window is over. */
START_TEST(test_processes_forget_once)
{
    enum { ROUNDS = 50, PROCESSES = 4 };

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t key = 1000 + round;
        int gate[2];
        demand_window(d, 0);
        ck_assert_int_eq(pipe(gate), 0);
        for (unsigned i = 0; i < 64; i++)
            demand_add(d, key, mib, mib, 50);
        demand_window(d, 64 * mib);
        for (unsigned i = 0; i < PROCESSES; i++) {
            pid_t pid = fork();
            ck_assert_int_ge(pid, 0);
            if (pid > 0)
                continue;
            char c;
            close(gate[1]);
            if (read(gate[0], &c, 1) == 0)
                demand_add(d, 1, 1, mib, 50);
            _exit(0);
        }
        close(gate[0]);
        close(gate[1]);
        for (unsigned i = 0; i < PROCESSES; i++)
            ck_assert_int_gt(wait(NULL), 0);
        ck_assert_uint_eq(demand_permille(d, key, mib), 32000);
    }
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
    tcase_add_test(t, test_processes_add_up);
    tcase_add_test(t, test_processes_forget_once);
    suite_add_tcase(s, t);
    return s;
}
