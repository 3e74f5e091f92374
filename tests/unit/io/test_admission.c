/* test_admission.c - who gets a place: crawls and loops, a head and its tail, memory that shrinks;
 * and several processes that ask at the same time, or are killed over it. */
#include "io/admission.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* To put into the memory what a killed process leaves there. */
#include "../../../src/io/admission_private.h"

enum { FILES = 2000 };

static const uint64_t mib = 1024 * 1024, size = 5 * 1024 * 1024;
static struct admission *a;

static void setup(void)
{
    ck_assert_int_eq(admission_create(&a), 0);
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

/* The share of requests for files that have a place is near that of the best possible set, 0.66
 * here. */
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

/* ---- several processes ---- */

/* Runs `fn` in processes of their own, `count` at once. */
static void in_processes(unsigned count, void (*fn)(unsigned number))
{
    int status;

    for (unsigned i = 0; i < count; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            fn(i);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
}

static void ask_for_one(unsigned number)
{
    (void)number;
    ask(1);
}

START_TEST(test_processes_learn_together)
{
    in_processes(1, ask_for_one);
    admission_room(a, 1024 * mib);
    ck_assert(!admission_has_place(a, 1));
    in_processes(1, ask_for_one);
    ck_assert(admission_has_place(a, 1));
    ck_assert_uint_eq(admission_demand(a, 1, size), 2000);
    ask(2);
    in_processes(1, ask_for_one);
    ck_assert(ask(2));
    ck_assert_uint_eq(admission_demand(a, 1, size), 3000);
}
END_TEST

/* Fills 300 MiB anew: neither more nor less than fits. */
static void expect_all_of_the_room(void)
{
    admission_room(a, 0);
    for (unsigned i = 0; i < 100; i++)
        ask(100000 + i);
    ck_assert_uint_eq(places(0, FILES), 0);
    admission_room(a, 300 * mib);
    for (unsigned i = 0; i < 500; i++)
        ask(200000 + i % 50);
    ck_assert_uint_eq(places(200000, 50), 45);
}

static void ask_for_many(unsigned number)
{
    uint32_t seed = number + 1;

    for (unsigned i = 0; i < 20000; i++) {
        unsigned key = zipf(&seed, FILES);
        admission_ask(a, key, size * (1 + key % 3), size * (1 + key % 3), 0);
        if (i % 1000 == 0) {
            admission_room(a, (100 + draw(&seed) % 200) * mib);
            admission_recount(a);
        }
    }
}

START_TEST(test_processes_at_once)
{
    admission_room(a, 300 * mib);
    in_processes(4, ask_for_many);
    expect_all_of_the_room();
}
END_TEST

/* The same file, by all of them at once: it gets one place, not one from each. */
static uint64_t wanted;

static void ask_for_wanted(unsigned number)
{
    (void)number;
    for (unsigned i = 0; i < 10; i++)
        ask(wanted);
}

START_TEST(test_one_place_for_a_file)
{
    const int64_t pages = (int64_t)size / 4096;

    admission_room(a, 8192 * mib);
    for (wanted = 1; wanted <= 100; wanted++) {
        in_processes(3, ask_for_wanted);
        ck_assert(admission_has_place(a, wanted));
        ck_assert_int_eq(atomic_load(&a->table->promised), (int64_t)wanted * pages);
    }
}
END_TEST

/* Where two of them gave it one each all the same, it keeps one with the next request. */
START_TEST(test_second_place_is_given_up)
{
    _Atomic(uint64_t) *places = &a->table->places[0][0];
    const int64_t pages = (int64_t)size / 4096;
    unsigned at = 0, left = 0;

    admission_room(a, 8192 * mib);
    ask(1);
    ask(1);
    while (places[at] == 0)
        at++;
    for (unsigned way = 0; way < ADMISSION_WAYS; way++)
        places[at / ADMISSION_WAYS * ADMISSION_WAYS + way] = places[at];
    atomic_fetch_add(&a->table->promised, pages * (ADMISSION_WAYS - 1));
    ck_assert(ask(1));
    for (unsigned i = 0; i < ADMISSION_SETS * ADMISSION_WAYS; i++)
        left += places[i] != 0;
    ck_assert_uint_eq(left, 1);
    ck_assert_int_eq(atomic_load(&a->table->promised), pages);
}
END_TEST

/* Whoever sets pages aside and is killed before it gives the place: they come back with the second
 * count. */
START_TEST(test_killed_before_the_place)
{
    admission_room(a, 300 * mib);
    ask(1);
    ask(1);
    atomic_fetch_add(&a->table->promised, (int64_t)(200 * mib / 4096));
    admission_recount(a);
    for (unsigned i = 0; i < 100; i++)
        ask(10 + i % 50);
    ck_assert_uint_lt(places(0, FILES), 10);
    admission_recount(a);
    admission_recount(a);
    for (unsigned i = 0; i < 200; i++)
        ask(10 + i % 50);
    ck_assert_uint_eq(places(0, FILES), 45);
    expect_all_of_the_room();
}
END_TEST

/* A place whose set is not marked is found, too; a set without places is no longer looked at. */
START_TEST(test_killed_before_the_mark)
{
    admission_room(a, 300 * mib);
    for (unsigned i = 0; i < 90; i++)
        ask(i % 45);
    ck_assert_uint_eq(places(0, 45), 45);
    memset((void *)a->table->busy, 0, sizeof a->table->busy);
    admission_recount(a);
    expect_all_of_the_room();
    memset((void *)a->table->busy, 0xff, sizeof a->table->busy);
    admission_recount(a);
    uint64_t marked = 0;
    for (unsigned i = 0; i < ADMISSION_SETS / 64; i++)
        marked += (uint64_t)__builtin_popcountll(a->table->busy[i]);
    ck_assert_uint_le(marked, 45);
    expect_all_of_the_room();
}
END_TEST

START_TEST(test_killed_at_any_time)
{
    uint32_t seed = 7;

    admission_room(a, 300 * mib);
    for (unsigned i = 0; i < 60; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            for (;;)
                ask_for_many(i);
        }
        usleep(draw(&seed) % 3000);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    }
    admission_recount(a);
    admission_recount(a);
    expect_all_of_the_room();
}
END_TEST

/* What a process leaves that was made to do anything at all with the memory: nothing hangs or is
 * read beside it. */
START_TEST(test_any_content)
{
    uint32_t seed = 11;
    unsigned char *bytes = (unsigned char *)a->table;

    for (unsigned round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof *a->table; i++)
            bytes[i] = round == 0 ? 0xff : round == 1 ? 0x80 : (unsigned char)draw(&seed);
        for (unsigned i = 0; i < 2000; i++)
            admission_ask(a, draw(&seed), 1 + draw(&seed) * (uint64_t)draw(&seed), 1 + draw(&seed), i);
        admission_recount(a);
        admission_recount(a);
        admission_claim_room(a, 5);
    }
}
END_TEST

START_TEST(test_room_is_claimed_once)
{
    ck_assert(admission_claim_room(a, 5000));
    ck_assert(!admission_claim_room(a, 5000));
    ck_assert(!admission_claim_room(a, 4998)); /* the clock of another worker */
    ck_assert(!admission_claim_room(a, 5000 + ADMISSION_ROOM_MSEC - 1));
    ck_assert(admission_claim_room(a, 5000 + ADMISSION_ROOM_MSEC));
    atomic_store(&a->table->room_msec, INT64_MAX); /* no time that anybody had */
    ck_assert(admission_claim_room(a, 7000));
    ck_assert(!admission_claim_room(a, 7000));
}
END_TEST

/* ---- a copy ---- */

/* As `sluice explain` finds it. */
static int memory_of(pid_t pid)
{
    char path[64], target[64];

    for (int fd = 3; fd < 100; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n > 0 && strncmp(target, "/memfd:" ADMISSION_MEMORY, strlen("/memfd:" ADMISSION_MEMORY)) == 0)
            return open(path, O_RDONLY | O_CLOEXEC);
    }
    return -1;
}

START_TEST(test_copy)
{
    struct admission *copy;

    admission_room(a, 300 * mib);
    ask(1);
    int fd = memory_of(getpid());
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(admission_copy(&copy, fd), 0);
    admission_ask(copy, 1, size, size, 0);
    ck_assert(admission_has_place(copy, 1));
    ck_assert_uint_eq(admission_demand(copy, 1, size), 2000);
    ck_assert(!admission_claim_room(copy, 100000));
    ck_assert(!admission_has_place(a, 1));
    ck_assert_uint_eq(admission_demand(a, 1, size), 1000);
    admission_destroy(copy);
    close(fd);
}
END_TEST

START_TEST(test_copy_of_something_else)
{
    struct admission *copy = NULL;
    int fd = memory_of(getpid()), pipes[2];
    struct {
        uint64_t layout, size;
    } head;

    ck_assert_int_eq(ftruncate(a->fd, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(pread(fd, &head, sizeof head, 0), sizeof head);
    ck_assert_uint_eq(head.size, sizeof *a->table);
    a->table->layout++;
    ck_assert_int_eq(admission_copy(&copy, fd), -EINVAL);
    close(fd);
    fd = open(unit_write("short", &head, sizeof head), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(admission_copy(&copy, fd), -EINVAL);
    close(fd);
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(admission_copy(&copy, pipes[0]), -EINVAL);
    ck_assert_int_eq(admission_copy(&copy, -1), -EBADF);
    ck_assert_ptr_null(copy);
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

    t = tcase_create("processes");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_processes_learn_together);
    tcase_add_test(t, test_processes_at_once);
    tcase_add_test(t, test_one_place_for_a_file);
    tcase_add_test(t, test_second_place_is_given_up);
    tcase_add_test(t, test_killed_before_the_place);
    tcase_add_test(t, test_killed_before_the_mark);
    tcase_add_test(t, test_killed_at_any_time);
    tcase_add_test(t, test_any_content);
    tcase_add_test(t, test_room_is_claimed_once);
    tcase_add_test(t, test_copy);
    tcase_add_test(t, test_copy_of_something_else);
    suite_add_tcase(s, t);
    return s;
}
