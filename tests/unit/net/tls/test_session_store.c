/* test_session_store.c - net/tls/session_store: bytes by id in a zone, the oldest go first. */
#include "net/tls/session_store.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 32768, END = 1000 };

static struct zone *make(size_t size)
{
    struct zone *z = NULL;
    ck_assert_int_eq(zone_acquire(&z, TEXT("sessions"), size, TEXT("")), 0);
    return z;
}

/* What session `n` is: its length and every byte follow from the number. */
static struct text session(unsigned n, size_t len)
{
    static char bytes[SESSION_BYTES_MOST + 1];
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(n * 31 + i);
    return (struct text){bytes, len};
}

static struct text id(unsigned n)
{
    static char name[32];
    memset(name, 0, sizeof name);
    snprintf(name, sizeof name, "session %u", n);
    return (struct text){name, sizeof name};
}

static bool holds(struct zone *z, unsigned n, size_t len)
{
    char found[SESSION_BYTES_MOST];
    size_t have = session_store_get(z, id(n), 0, found);
    if (have == 0)
        return false;
    ck_assert(text_equal((struct text){found, have}, session(n, len)));
    return true;
}

START_TEST(test_put_and_get)
{
    struct zone *z = make(SIZE);
    ck_assert(!holds(z, 1, 100));
    session_store_put(z, id(1), session(1, 100), END);
    session_store_put(z, id(2), session(2, 200), END);
    ck_assert(holds(z, 1, 100) && holds(z, 2, 200) && !holds(z, 3, 100));
    session_store_put(z, id(1), session(1, 300), END); /* in its place */
    ck_assert(holds(z, 1, 300) && holds(z, 2, 200));
    session_store_remove(z, id(1));
    session_store_remove(z, id(9));
    ck_assert(!holds(z, 1, 300) && holds(z, 2, 200));
    zone_release(z);
}
END_TEST

START_TEST(test_end)
{
    struct zone *z = make(SIZE);
    char found[SESSION_BYTES_MOST];
    session_store_put(z, id(1), session(1, 100), END);
    ck_assert_uint_eq(session_store_get(z, id(1), END - 1, found), 100);
    ck_assert_uint_eq(session_store_get(z, id(1), END, found), 0);
    ck_assert_uint_eq(session_store_get(z, id(1), END - 1, found), 0); /* it is gone */
    zone_release(z);
}
END_TEST

START_TEST(test_lengths)
{
    struct zone *z = make(SIZE);
    session_store_put(z, id(1), session(1, 0), END);
    session_store_put(z, id(2), session(2, 1), END);
    session_store_put(z, id(3), session(3, SESSION_BYTES_MOST), END);
    session_store_put(z, id(4), session(4, SESSION_BYTES_MOST + 1), END);
    ck_assert(!holds(z, 1, 0) && holds(z, 2, 1) && holds(z, 3, SESSION_BYTES_MOST) && !holds(z, 4, 1));
    zone_release(z);
}
END_TEST

/* Sessions of all lengths, some removed early: those that are there are whole, and they are the
 * newest. */
START_TEST(test_round_and_round)
{
    enum { COUNT = 5000, LONGEST = 700 };
    struct zone *z = make(SIZE);
    for (unsigned n = 0; n < COUNT; n++) {
        session_store_put(z, id(n), session(n, 1 + n * 37 % LONGEST), END);
        ck_assert(holds(z, n, 1 + n * 37 % LONGEST));
        if (n % 7 == 3)
            session_store_remove(z, id(n - 2));
        if (n % 100 != 99)
            continue;
        bool gone = false;
        unsigned held = 0;
        for (unsigned back = 0; back < 400 && back <= n; back++) {
            unsigned m = n - back;
            bool has = holds(z, m, 1 + m * 37 % LONGEST);
            bool removed = m % 7 == 1 && m + 2 <= n;
            ck_assert(!(has && (gone || removed)));
            gone = gone || (!has && !removed);
            held += has;
        }
        ck_assert_uint_ge(held, n < 60 ? n / 2 : 40); /* of about 26 KiB, 350 bytes each */
    }
    zone_release(z);
}
END_TEST

/* As many short ones as there are cells, and more. */
START_TEST(test_more_than_cells)
{
    struct zone *z = make(SIZE);
    unsigned held = 0;
    for (unsigned n = 0; n < 2000; n++)
        session_store_put(z, id(n), session(n, 2), END);
    for (unsigned n = 0; n < 2000; n++)
        held += holds(z, n, 2);
    ck_assert_uint_ge(held, 80);
    for (unsigned n = 2000 - held; n < 2000; n++)
        ck_assert(holds(z, n, 2));
    zone_release(z);
}
END_TEST

START_TEST(test_shared_and_left)
{
    struct zone *z = make(SIZE);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        session_store_put(z, id(1), session(1, 100), END);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(holds(z, 1, 100));
    pid = fork();
    if (pid == 0) {
        zone_lock(z); /* and dies with it: what is there is not to be trusted */
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(!holds(z, 1, 100));
    session_store_put(z, id(2), session(2, 100), END);
    ck_assert(holds(z, 2, 100));
    zone_release(z);
}
END_TEST

Suite *suite_net_session_store(void)
{
    Suite *s = suite_create("net_session_store");
    TCase *tc = tcase_create("store");
    tcase_add_test(tc, test_put_and_get);
    tcase_add_test(tc, test_end);
    tcase_add_test(tc, test_lengths);
    tcase_add_test(tc, test_round_and_round);
    tcase_add_test(tc, test_more_than_cells);
    tcase_add_test(tc, test_shared_and_left);
    suite_add_tcase(s, tc);
    return s;
}
