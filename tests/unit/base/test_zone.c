/* test_zone.c - base/zone: shared memory by name, locks that outlive their holders, tenants. */
#include "base/zone.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 65536 };

static struct zone *acquire(const char *name, size_t size, const char *key)
{
    struct zone *z = NULL;
    ck_assert_int_eq(zone_acquire(&z, text_of(name), size, text_of(key)), 0);
    return z;
}

/* Runs `fn` in a child, which then kills itself. */
static void in_killed_child(void (*fn)(struct zone *z), struct zone *z)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        fn(z);
        kill(getpid(), SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_found_again)
{
    struct zone *a = acquire("a", SIZE, "$k"), *same = acquire("a", SIZE, "$k");
    ck_assert_ptr_eq(a, same);
    struct zone *larger = acquire("a", 2 * SIZE, "$k"), *other = acquire("b", SIZE, "$k");
    ck_assert_ptr_ne(a, larger);
    ck_assert_ptr_ne(a, other);
    struct zone *held = NULL;
    ck_assert_int_eq(zone_acquire(&held, TEXT("a"), SIZE, TEXT("$other")), -EEXIST);
    ck_assert_ptr_eq(held, a);
    ck_assert(text_equal(zone_key(held), TEXT("$k")));
    zone_release(a);
    zone_release(same);
    struct zone *fresh = acquire("a", SIZE, "$other"); /* nobody uses the old one any more */
    ck_assert(text_equal(zone_key(fresh), TEXT("$other")));
    zone_release(fresh);
    zone_release(larger);
    zone_release(other);
}
END_TEST

START_TEST(test_nonsense_size)
{
    struct zone *z;
    ck_assert_int_lt(zone_acquire(&z, TEXT("a"), (size_t)1 << 60, TEXT("")), 0);
    ck_assert_int_lt(zone_acquire(&z, TEXT("a"), SIZE_MAX, TEXT("")), 0);
}
END_TEST

START_TEST(test_made_once)
{
    struct zone *z = acquire("a", SIZE, "");
    ck_assert(zone_lock(z));
    zone_unlock(z);
    ck_assert(!zone_lock(z));
    ck_assert_uint_eq(zone_generation(z), 1);
    zone_unlock(z);
    ck_assert_uint_eq(((const char *)zone_content(z))[SIZE - 1], 0);
    zone_release(z);
}
END_TEST

static void write_mark(struct zone *z)
{
    zone_lock(z);
    strcpy(zone_content(z), "mark");
    zone_unlock(z);
}

START_TEST(test_shared_with_children)
{
    struct zone *z = acquire("a", SIZE, "");
    in_killed_child(write_mark, z);
    ck_assert(!zone_lock(z)); /* it had let go */
    ck_assert_str_eq(zone_content(z), "mark");
    zone_unlock(z);
    zone_release(z);
}
END_TEST

static void die_with_lock(struct zone *z)
{
    zone_lock(z);
    strcpy(zone_content(z), "half");
}

START_TEST(test_killed_with_the_lock)
{
    struct zone *z = acquire("a", SIZE, "");
    write_mark(z);
    in_killed_child(die_with_lock, z);
    ck_assert(zone_lock(z)); /* not for ever, and it is told */
    ck_assert_uint_eq(zone_generation(z), 2);
    zone_unlock(z);
    in_killed_child(die_with_lock, z); /* again, now over an old content */
    in_killed_child(die_with_lock, z);
    ck_assert(zone_lock(z));
    zone_unlock(z);
    ck_assert(!zone_lock(z));
    zone_unlock(z);
    zone_release(z);
}
END_TEST

static void settle(struct zone *z)
{
    zone_lock(z);
    *(struct zone_tenant *)zone_content(z) = zone_tenant(z);
    zone_unlock(z);
}

START_TEST(test_tenants)
{
    struct zone *z = acquire("a", SIZE, "");
    in_killed_child(settle, z);
    struct zone_tenant dead = *(const struct zone_tenant *)zone_content(z);
    ck_assert(!zone_tenant_lives(z, dead));
    struct zone_tenant self = zone_tenant(z), again = zone_tenant(z);
    ck_assert(self.index == again.index && self.epoch == again.epoch);
    ck_assert(self.index != dead.index || self.epoch != dead.epoch);
    ck_assert(zone_tenant_lives(z, self));
    ck_assert(!zone_tenant_lives(z, dead));
    ck_assert(!zone_tenant_lives(z, (struct zone_tenant){100000, 1}));
    zone_release(z);
}
END_TEST

START_TEST(test_living_tenant)
{
    struct zone *z = acquire("a", SIZE, "");
    int told[2], stay[2];
    ck_assert(pipe(told) == 0 && pipe(stay) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        settle(z);
        char c;
        _exit(write(told[1], "", 1) == 1 && read(stay[0], &c, 1) == 1 ? 0 : 1);
    }
    char c;
    ck_assert_int_eq(read(told[0], &c, 1), 1);
    struct zone_tenant child = *(const struct zone_tenant *)zone_content(z), self = zone_tenant(z);
    ck_assert(self.index != child.index);
    ck_assert(zone_tenant_lives(z, child));
    ck_assert_int_eq(write(stay[1], "", 1), 1);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert(!zone_tenant_lives(z, child)); /* an orderly end is one, too */
    zone_release(z);
}
END_TEST

Suite *suite_base_zone(void)
{
    Suite *s = suite_create("base_zone");
    TCase *tc = tcase_create("zone");
    tcase_add_test(tc, test_found_again);
    tcase_add_test(tc, test_nonsense_size);
    tcase_add_test(tc, test_made_once);
    tcase_add_test(tc, test_shared_with_children);
    tcase_add_test(tc, test_killed_with_the_lock);
    tcase_add_test(tc, test_tenants);
    tcase_add_test(tc, test_living_tenant);
    suite_add_tcase(s, tc);
    return s;
}
