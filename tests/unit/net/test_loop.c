/* test_loop.c - net/loop: edges, order within a turn, and objects destroyed at awkward moments. */
#include "unit.h"

#include "base/clock.h"
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;
static struct timer *limit;
static int pair[2], other[2];
static char trace[256];

static void note(const char *what)
{
    strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void setup(void)
{
    trace[0] = '\0';
    ck_assert_int_eq(loop_create(&loop), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other), 0);
    limit = loop_timer(loop, stop, NULL); /* stops loops that nothing else stops */
    ck_assert_ptr_nonnull(limit);
}

static void teardown(void)
{
    timer_destroy(limit);
    loop_destroy(loop);
    for (int i = 0; i < 2; i++) {
        close(pair[i]);
        close(other[i]);
    }
}

static void run_for(int64_t msec)
{
    timer_set(limit, msec);
    loop_run(loop);
}

static unsigned seen, calls;

static void on_io(void *arg, unsigned what)
{
    (void)arg;
    calls++;
    seen |= what;
}

START_TEST(test_edge_reports_once)
{
    struct watch *w = watch_create(loop, pair[0], LOOP_READ | LOOP_WRITE | LOOP_CLOSED, true, on_io, NULL);

    ck_assert_ptr_nonnull(w);
    seen = calls = 0;
    run_for(30);
    ck_assert_uint_eq(calls, 1);
    ck_assert_uint_eq(seen, LOOP_WRITE);
    seen = calls = 0;
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    run_for(30);
    ck_assert_uint_eq(calls, 1); /* nobody read it, and still there is no second report */
    ck_assert_uint_eq(seen & LOOP_READ, LOOP_READ);
    seen = 0;
    ck_assert_int_eq(shutdown(pair[1], SHUT_WR), 0);
    run_for(30);
    ck_assert_uint_eq(seen & LOOP_CLOSED, LOOP_CLOSED);
    watch_destroy(w);
}
END_TEST

static void on_level(void *arg, unsigned what)
{
    (void)what;
    if (++*(unsigned *)arg == 3)
        loop_stop(loop);
}

START_TEST(test_level_reports_again)
{
    unsigned count = 0;
    struct watch *w = watch_create(loop, pair[0], LOOP_READ, false, on_level, &count);

    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    loop_run(loop);
    ck_assert_uint_eq(count, 3);
    watch_destroy(w);
}
END_TEST

static struct watch *first, *second, *third;

/* Both descriptors are readable in the same turn; whoever runs first destroys both and reuses the
 * memory. */
static void on_rivals(void *arg, unsigned what)
{
    (void)arg;
    (void)what;
    note("x");
    watch_destroy(first);
    watch_destroy(second);
    first = second = NULL;
    third = watch_create(loop, pair[1], LOOP_READ, true, on_io, NULL);
    ck_assert_ptr_nonnull(third);
}

START_TEST(test_destroy_while_pending)
{
    calls = 0;
    first = watch_create(loop, pair[0], LOOP_READ, true, on_rivals, NULL);
    second = watch_create(loop, other[0], LOOP_READ, true, on_rivals, NULL);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    ck_assert_int_eq(write(other[1], "x", 1), 1);
    run_for(30);
    ck_assert_str_eq(trace, "x");
    ck_assert_uint_eq(calls, 0);
    watch_destroy(third);
}
END_TEST

/* A descriptor closed and opened again under the same number within one turn gets its own
 * reports. */
START_TEST(test_number_reused)
{
    int again[2];

    first = watch_create(loop, pair[0], LOOP_READ, true, on_io, NULL);
    run_for(5);
    watch_destroy(first);
    close(pair[0]);
    close(pair[1]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, again), 0);
    memcpy(pair, again, sizeof pair);
    calls = 0;
    first = watch_create(loop, pair[0], LOOP_READ, true, on_io, NULL);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    run_for(30);
    ck_assert_uint_eq(calls, 1);
    watch_destroy(first);
}
END_TEST

static struct deferred one, two, hook;

static void on_one(void *arg)
{
    (void)arg;
    note("1");
    loop_defer(loop, &one); /* again, for the next turn */
    if (strlen(trace) > 6)
        loop_stop(loop);
}

static void on_two(void *arg)
{
    (void)arg;
    note("2");
}

static void on_hook(void *arg)
{
    (void)arg;
    note("h");
}

static void on_start(void *arg)
{
    (void)arg;
    note("t");
    loop_defer(loop, &one);
    loop_defer(loop, &two);
    loop_defer(loop, &one);
}

START_TEST(test_order_of_a_turn)
{
    struct timer *t = loop_timer(loop, on_start, NULL);

    deferred_init(&one, on_one, NULL);
    deferred_init(&two, on_two, NULL);
    deferred_init(&hook, on_hook, NULL);
    loop_at_turn_end(loop, &hook);
    timer_set(t, 0);
    loop_run(loop);
    ck_assert_str_eq(trace, "t12h1h1h");
    deferred_clear(&one);
    deferred_clear(&hook);
    timer_destroy(t);
}
END_TEST

static void on_clearing(void *arg)
{
    (void)arg;
    note("c");
    deferred_clear(&two);
    deferred_clear(&hook);
}

START_TEST(test_cleared_deferred_does_not_run)
{
    deferred_init(&one, on_clearing, NULL);
    deferred_init(&two, on_two, NULL);
    deferred_init(&hook, on_hook, NULL);
    loop_at_turn_end(loop, &hook);
    loop_defer(loop, &one);
    loop_defer(loop, &two);
    run_for(10);
    ck_assert_str_eq(trace, "c");
}
END_TEST

static void on_hook_clearing_itself(void *arg)
{
    (void)arg;
    note("s");
    deferred_clear(&one);
}

START_TEST(test_hook_clears_itself)
{
    deferred_init(&one, on_hook_clearing_itself, NULL);
    deferred_init(&hook, on_hook, NULL);
    loop_at_turn_end(loop, &one);
    loop_at_turn_end(loop, &hook);
    run_for(5);
    ck_assert_str_eq(trace, "sh");
    run_for(5);
    ck_assert_str_eq(trace, "shh");
    deferred_clear(&hook);
}
END_TEST

static void on_usr1(void *arg)
{
    note(arg);
    loop_stop(loop);
}

START_TEST(test_signal)
{
    struct watch *w = watch_signal(loop, SIGUSR1, on_usr1, "u");

    ck_assert_ptr_nonnull(w);
    raise(SIGUSR1);
    run_for(2000);
    ck_assert_str_eq(trace, "u");
    watch_destroy(w);
}
END_TEST

static void on_cleared(void *arg)
{
    (void)arg;
    note("never");
}

START_TEST(test_timer)
{
    struct timer *t = loop_timer(loop, on_cleared, NULL);
    int64_t started;

    timer_set(t, 1);
    timer_clear(t);
    clock_update();
    started = clock_now.msec;
    run_for(40);
    ck_assert_str_eq(trace, "");
    ck_assert_int_ge(clock_now.msec, started + 30);
    timer_set(t, 100000);
    timer_destroy(t);
}
END_TEST

/* epoll refuses regular files: the caller is told, and the watch's memory is not lost. */
START_TEST(test_unwatchable)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_ptr_null(watch_create(loop, fd, LOOP_READ, true, on_io, NULL));
    ck_assert_int_eq(errno, EPERM);
    close(fd);
}
END_TEST

Suite *suite_net_loop(void)
{
    Suite *s = suite_create("net/loop");
    TCase *tc = tcase_create("loop");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_edge_reports_once);
    tcase_add_test(tc, test_level_reports_again);
    tcase_add_test(tc, test_destroy_while_pending);
    tcase_add_test(tc, test_number_reused);
    tcase_add_test(tc, test_order_of_a_turn);
    tcase_add_test(tc, test_cleared_deferred_does_not_run);
    tcase_add_test(tc, test_hook_clears_itself);
    tcase_add_test(tc, test_signal);
    tcase_add_test(tc, test_timer);
    tcase_add_test(tc, test_unwatchable);
    suite_add_tcase(s, tc);
    return s;
}
