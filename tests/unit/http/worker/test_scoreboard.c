/* test_scoreboard.c - slots of workers that come and go: totals stay, what is true of now goes with
 * its worker. */
#include "http/worker/scoreboard.h"

#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scoreboard *board;

static void setup(void)
{
    ck_assert_int_eq(scoreboard_create(&board), 0);
}

static void teardown(void)
{
    scoreboard_destroy(board);
}

static struct counters sum(void)
{
    struct counters c;
    scoreboard_sum(board, &c);
    return c;
}

START_TEST(test_totals_outlive_a_worker)
{
    int slot = scoreboard_take(board);
    struct counters *c = scoreboard_counters(board, slot);
    c->requests = 7;
    c->io.bytes[IO_DIRECT] = 1ULL << 40;
    c->statuses[2] = 5;
    c->log_dropped = 3;
    c->cache.hits = 11;
    c->cache.entries = 2;
    c->cache.content_bytes = 100;
    c->gzip_cache.hits = 13;
    c->gzip_cache.entries = c->gzip_cache.bytes = 4;
    c->io.reads_in_flight = 1;
    c->io.buffers_lent = c->io.buffers_cap = 4096;
    c->states[CONN_SENDING] = 9;
    ck_assert_uint_eq(sum().workers, 1);
    scoreboard_give(board, slot);

    struct counters after = sum();
    ck_assert_uint_eq(after.requests, 7);
    ck_assert_uint_eq(after.io.bytes[IO_DIRECT], 1ULL << 40);
    ck_assert_uint_eq(after.statuses[2], 5);
    ck_assert_uint_eq(after.log_dropped, 3);
    ck_assert_uint_eq(after.cache.hits, 11);
    ck_assert_uint_eq(after.cache.entries + after.cache.content_bytes, 0);
    ck_assert_uint_eq(after.gzip_cache.hits, 13);
    ck_assert_uint_eq(after.gzip_cache.entries + after.gzip_cache.bytes, 0);
    ck_assert_uint_eq(after.io.reads_in_flight + after.io.buffers_lent + after.io.buffers_cap, 0);
    ck_assert_uint_eq(after.workers, 0);
    ck_assert_uint_eq(counters_connections(&after).active, 0);

    ck_assert_int_eq(scoreboard_take(board), slot);
    ck_assert_uint_eq(sum().workers, 1);
    scoreboard_counters(board, slot)->requests++; /* on top of what is there */
    ck_assert_uint_eq(sum().requests, 8);
}
END_TEST

START_TEST(test_slots_are_apart)
{
    int first = scoreboard_take(board), second = scoreboard_take(board);
    struct counters *a = scoreboard_counters(board, first), *b = scoreboard_counters(board, second);
    ck_assert_int_ne(first, second);
    ck_assert_uint_ge((size_t)labs((char *)b - (char *)a), sizeof(struct counters));
    a->requests = 1;
    b->requests = 2;
    scoreboard_give(board, first);
    b->requests++;
    ck_assert_uint_eq(sum().requests, 4);
    ck_assert_uint_eq(sum().workers, 1);
}
END_TEST

START_TEST(test_other_processes_are_seen)
{
    int slot = scoreboard_take(board);
    pid_t pid = fork();
    if (pid == 0) {
        scoreboard_counters(board, slot)->requests = 42;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    ck_assert_uint_eq(sum().requests, 42);
}
END_TEST

START_TEST(test_no_slot_left)
{
    int slot = 0;
    for (int i = 0; slot != SCOREBOARD_NO_SLOT; i++) {
        slot = scoreboard_take(board);
        ck_assert_int_lt(i, 100000);
    }
    ck_assert_ptr_null(scoreboard_counters(board, slot));
    scoreboard_give(board, slot);
    scoreboard_give(board, 5);
    ck_assert_int_eq(scoreboard_take(board), 5);
}
END_TEST

/* Counts two things for workers that come and go, the one with the later place first, until it is
 * killed. */
static void come_and_go(int told)
{
    for (bool tell = true;; tell = false) {
        int slot = scoreboard_take(board);
        volatile uint64_t *late = &scoreboard_counters(board, slot)->log_dropped;
        volatile uint64_t *early = &scoreboard_counters(board, slot)->io.responses[0];
        *late += 1;
        *early += 1;
        scoreboard_give(board, slot);
        if (tell && write(told, "x", 1) != 1)
            _exit(1);
    }
}

/* A master that was killed while it gave a slot back leaves no half of a sum: whatever was counted
 * is there once. */
START_TEST(test_killed_master)
{
    enum { ROUNDS = 200 };
    for (int i = 0; i < ROUNDS; i++) {
        int told[2];
        char byte;
        struct counters before = sum();
        ck_assert_int_eq(pipe(told), 0);
        pid_t pid = fork();
        if (pid == 0)
            come_and_go(told[1]);
        ck_assert_int_eq(read(told[0], &byte, 1), 1);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(told[0]);
        close(told[1]);
        struct counters after = sum();
        uint64_t early = after.io.responses[0] - before.io.responses[0];
        uint64_t late = after.log_dropped - before.log_dropped;
        ck_assert_uint_gt(late, 0);
        ck_assert_msg(late - early <= 1, "%llu and %llu", (unsigned long long)early, (unsigned long long)late);
    }
}
END_TEST

/* Who adds up while slots come and go sees each number once, and never less than before. */
START_TEST(test_sums_never_go_down)
{
    enum { ROUNDS = 20000 };
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            int slot = scoreboard_take(board);
            scoreboard_counters(board, slot)->requests++;
            scoreboard_give(board, slot);
        }
        _exit(0);
    }
    uint64_t last = 0;
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        uint64_t now = sum().requests;
        ck_assert_uint_ge(now, last);
        ck_assert_uint_le(now, ROUNDS);
        last = now;
    }
    ck_assert_uint_eq(sum().requests, ROUNDS);
}
END_TEST

START_TEST(test_connections_as_nginx_counts)
{
    struct counters c = {.requests = 0};
    for (int state = CONN_HANDSHAKE; state < CONN_CLOSED; state++)
        c.states[state] = 1ULL << (4 * state);
    struct connections_now now = counters_connections(&c);
    ck_assert_uint_eq(now.waiting, 0x11);
    ck_assert_uint_eq(now.reading, 0x100);
    ck_assert_uint_eq(now.writing, 0x1111000);
    ck_assert_uint_eq(now.active, 0x1111111);
}
END_TEST

START_TEST(test_failed_reads)
{
    ck_assert_uint_eq(scoreboard_failed_reads(board, 0), 0);
    for (int64_t at = 1; at <= 10; at++)
        scoreboard_read_failed(board, at);
    ck_assert_uint_eq(scoreboard_failed_reads(board, 0), 10);
    ck_assert_uint_eq(scoreboard_failed_reads(board, 8), 2);
    ck_assert_uint_eq(scoreboard_failed_reads(board, 10), 0);
    for (int64_t at = 11; at <= 3 * SCOREBOARD_FAILURES; at++)
        scoreboard_read_failed(board, at);
    ck_assert_uint_eq(scoreboard_failed_reads(board, 0), SCOREBOARD_FAILURES);
    ck_assert_uint_eq(scoreboard_failed_reads(board, 3 * SCOREBOARD_FAILURES - 5), 5);
}
END_TEST

Suite *suite_http_scoreboard(void)
{
    Suite *s = suite_create("http/scoreboard");
    TCase *t = tcase_create("scoreboard");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_totals_outlive_a_worker);
    tcase_add_test(t, test_slots_are_apart);
    tcase_add_test(t, test_other_processes_are_seen);
    tcase_add_test(t, test_no_slot_left);
    tcase_add_test(t, test_killed_master);
    tcase_add_test(t, test_sums_never_go_down);
    tcase_add_test(t, test_failed_reads);
    tcase_add_test(t, test_connections_as_nginx_counts);
    suite_add_tcase(s, t);
    return s;
}
