/* test_ticket_keys.c - net/tls/ticket_keys: keys that come and go by the hour, in memory that processes
 * share. */
#include "net/tls/ticket_keys.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOUR = TICKET_KEY_HOUR, DAY = 24 * HOUR };

static struct ticket_keys *create(void)
{
    struct ticket_keys *k = NULL;
    ck_assert_int_eq(ticket_keys_create(&k), 0);
    return k;
}

static struct ticket_key newest(const struct ticket_keys *k)
{
    struct ticket_key key;
    ck_assert(ticket_keys_newest(k, &key));
    return key;
}

/* 2: it encrypts; 1: it decrypts; 0: unknown. */
static int rank(const struct ticket_keys *k, const struct ticket_key *key)
{
    struct ticket_key found;
    bool first;
    if (!ticket_keys_find(k, key->name, &found, &first))
        return 0;
    ck_assert_int_eq(memcmp(&found, key, sizeof found), 0);
    return first ? 2 : 1;
}

START_TEST(test_first_key)
{
    struct ticket_keys *k = create();
    struct ticket_key key;
    ck_assert(!ticket_keys_newest(k, &key));
    ck_assert_int_eq(ticket_keys_turn(k, 1000, 300), HOUR);
    key = newest(k);
    ck_assert_uint_eq(key.len, TICKET_SECRET);
    ck_assert_int_ne(memcmp(key.cipher, key.mac, TICKET_SECRET), 0);
    ck_assert_int_eq(rank(k, &key), 2);
    ck_assert_int_eq(ticket_keys_turn(k, 1000 + HOUR - 1, 300), 1);
    ck_assert_int_eq(rank(k, &key), 2);
    ticket_keys_destroy(k);
}
END_TEST

/* The clock is the caller's: an hour later a key is followed, and as long as its last ticket lives,
 * it decrypts. */
START_TEST(test_rotation)
{
    struct ticket_keys *k = create();
    ticket_keys_turn(k, 0, 300);
    struct ticket_key first = newest(k);
    ck_assert_int_eq(ticket_keys_turn(k, HOUR, 300), 300); /* then the first is wiped */
    struct ticket_key second = newest(k);
    ck_assert_int_ne(memcmp(first.name, second.name, TICKET_NAME), 0);
    ck_assert_int_eq(rank(k, &first), 1);
    ck_assert_int_eq(rank(k, &second), 2);
    ck_assert_int_eq(ticket_keys_turn(k, HOUR + 299, 300), 1);
    ck_assert_int_eq(rank(k, &first), 1);
    ck_assert_int_eq(ticket_keys_turn(k, HOUR + 300, 300), HOUR - 300);
    ck_assert_int_eq(rank(k, &first), 0);
    ck_assert_int_eq(rank(k, &second), 2);
    ticket_keys_destroy(k);
}
END_TEST

/* A wiped key is not in memory any more. */
START_TEST(test_wiped)
{
    struct ticket_keys *k = create();
    ticket_keys_turn(k, 0, 300);
    struct ticket_key first = newest(k);
    char all[8192];
    ticket_keys_turn(k, HOUR, 300);
    ssize_t size = pread(ticket_keys_fd(k), all, sizeof all, 0);
    ck_assert_int_gt(size, 0);
    ck_assert_int_lt(size, (ssize_t)sizeof all);
    ck_assert_ptr_nonnull(memmem(all, (size_t)size, first.cipher, sizeof first.cipher));
    ticket_keys_turn(k, HOUR + 300, 300);
    size = pread(ticket_keys_fd(k), all, sizeof all, 0);
    ck_assert_ptr_null(memmem(all, (size_t)size, first.cipher, sizeof first.cipher));
    ck_assert_ptr_null(memmem(all, (size_t)size, first.name, sizeof first.name));
    ticket_keys_destroy(k);
}
END_TEST

/* Each ticket is accepted for as long as its session may live, whatever that is. */
START_TEST(test_accepted_for_a_life)
{
    static const int64_t lives[] = {1, 300, HOUR, 5 * HOUR, DAY, 2 * DAY, 7 * DAY, 365 * DAY};
    for (unsigned i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct ticket_keys *k = create();
        int64_t now = 5, until = 5 + 3 * lives[i] + 10 * HOUR, next = 0;
        struct {
            struct ticket_key key;
            int64_t last; /* when it was last the newest */
        } seen[512];
        unsigned count = 0;
        for (; now < until && count < 500; now += next) {
            next = ticket_keys_turn(k, now, lives[i]);
            ck_assert_int_ge(next, 1);
            struct ticket_key key = newest(k);
            if (count == 0 || memcmp(&seen[count - 1].key, &key, sizeof key) != 0)
                seen[count++].key = key;
            seen[count - 1].last = now + next;
            for (unsigned n = 0; n < count; n++) {
                int r = rank(k, &seen[n].key);
                ck_assert(n == count - 1 ? r == 2 : now < seen[n].last + lives[i] ? r == 1 : r == 0);
            }
        }
        ck_assert_uint_ge(count, 4);
        ticket_keys_destroy(k);
    }
}
END_TEST

/* Nobody turned for long: one new key, and no more. */
START_TEST(test_long_sleep)
{
    struct ticket_keys *k = create();
    ticket_keys_turn(k, 0, 300);
    struct ticket_key first = newest(k);
    ck_assert_int_eq(ticket_keys_turn(k, 100 * HOUR, 300), 300);
    ck_assert_int_eq(rank(k, &first), 1); /* it encrypted until now */
    ck_assert_int_eq(ticket_keys_turn(k, 100 * HOUR + 300, 300), HOUR - 300);
    ck_assert_int_eq(rank(k, &first), 0);
    ticket_keys_destroy(k);
}
END_TEST

/* As a new binary does, and as both masters go on while they are two. */
START_TEST(test_adopted)
{
    struct ticket_keys *k = create(), *other = NULL;
    ticket_keys_turn(k, 0, 300);
    struct ticket_key first = newest(k);
    ck_assert_int_eq(ticket_keys_adopt(&other, dup(ticket_keys_fd(k))), 0);
    ck_assert_int_eq(rank(other, &first), 2);
    ck_assert_int_eq(fcntl(ticket_keys_fd(other), F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(ticket_keys_turn(other, HOUR, 300), 300);
    struct ticket_key second = newest(other);
    ck_assert_int_eq(rank(k, &second), 2);
    ck_assert_int_eq(ticket_keys_turn(k, HOUR + 1, 300), 299); /* it was done */
    ck_assert_int_eq(rank(k, &second), 2);
    ticket_keys_destroy(k);
    ck_assert_int_eq(rank(other, &first), 1);
    ticket_keys_destroy(other);
}
END_TEST

START_TEST(test_adopts_nothing_else)
{
    struct ticket_keys *k = NULL, *other = create();
    off_t size = lseek(ticket_keys_fd(other), 0, SEEK_END);
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, ends[2];
    ck_assert_int_eq(ticket_keys_adopt(&k, -1), -EINVAL);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(ticket_keys_adopt(&k, ends[0]), -EINVAL);
    int fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    ck_assert_int_eq(ticket_keys_adopt(&k, fd), -EINVAL);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    ck_assert_int_eq(ticket_keys_adopt(&k, fd), -EINVAL); /* the size alone */
    int small = memfd_create("small", MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(small, size / 2), 0);
    ck_assert_int_eq(fcntl(small, F_ADD_SEALS, seals), 0);
    ck_assert_int_eq(ticket_keys_adopt(&k, small), -EINVAL);
    ck_assert_ptr_null(k);
    close(fd);
    close(small);
    close(ends[0]);
    close(ends[1]);
    ticket_keys_destroy(other);
}
END_TEST

/* The worker of a test: finds what the master made after it was forked. */
START_TEST(test_seen_by_children)
{
    struct ticket_keys *k = create();
    int go[2], status;
    ck_assert_int_eq(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ticket_key key, asked;
        bool first;
        if (read(go[0], &asked, sizeof asked) != sizeof asked)
            _exit(2);
        _exit(ticket_keys_newest(k, &key) && memcmp(&key, &asked, sizeof key) == 0 &&
                      ticket_keys_find(k, asked.name, &key, &first) && first
                  ? 0
                  : 1);
    }
    ticket_keys_turn(k, 0, 300);
    ticket_keys_turn(k, HOUR, 300);
    struct ticket_key key = newest(k);
    ck_assert_int_eq(write(go[1], &key, sizeof key), sizeof key);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(go[0]);
    close(go[1]);
    ticket_keys_destroy(k);
}
END_TEST

/* A master that is stopped over the lock holds nobody up; when it dies, the next one goes on. */
START_TEST(test_writer_that_hangs)
{
    struct ticket_keys *k = create();
    int told[2], status;
    char byte;
    ck_assert_int_eq(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(ticket_keys_fd(k), F_SETLK, &whole) == 0 && write(told[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    struct ticket_key key;
    ck_assert_int_eq(ticket_keys_turn(k, 0, 300), 1);
    ck_assert(!ticket_keys_newest(k, &key));
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(ticket_keys_turn(k, 0, 300), HOUR);
    ck_assert(ticket_keys_newest(k, &key));
    close(told[0]);
    close(told[1]);
    ticket_keys_destroy(k);
}
END_TEST

Suite *suite_net_ticket_keys(void)
{
    Suite *s = suite_create("net_ticket_keys");
    TCase *tc = tcase_create("keys");
    tcase_add_test(tc, test_first_key);
    tcase_add_test(tc, test_rotation);
    tcase_add_test(tc, test_wiped);
    tcase_add_test(tc, test_accepted_for_a_life);
    tcase_add_test(tc, test_long_sleep);
    tcase_add_test(tc, test_adopted);
    tcase_add_test(tc, test_adopts_nothing_else);
    tcase_add_test(tc, test_seen_by_children);
    tcase_add_test(tc, test_writer_that_hangs);
    suite_add_tcase(s, tc);
    return s;
}
