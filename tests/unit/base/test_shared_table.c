/* test_shared_table.c - base/shared_table: cells by key and by age, in a piece of memory. */
#include "base/shared_table.h"
#include "unit.h"

#include <stdlib.h>

static struct shared_table *make(size_t size)
{
    struct shared_table *t = malloc(size);
    memset(t, 0xa5, size); /* what was there must not matter */
    ck_assert(shared_table_init(t, size));
    return t;
}

/* Keys that share buckets now and then. */
static struct siphash key(unsigned n)
{
    return (struct siphash){{n % 97, n}};
}

static unsigned value(const struct shared_cell *c)
{
    unsigned n;
    memcpy(&n, c->space.bytes, sizeof n);
    return n;
}

static struct shared_cell *add(struct shared_table *t, unsigned n)
{
    struct siphash k = key(n);
    struct shared_cell *c = shared_table_add(t, &k);
    if (c)
        memcpy(c->space.bytes, &n, sizeof n);
    return c;
}

static struct shared_cell *find(struct shared_table *t, unsigned n)
{
    struct siphash k = key(n);
    return shared_table_find(t, &k);
}

START_TEST(test_fill)
{
    enum { SIZE = 65536 };
    struct shared_table *t = make(SIZE);
    unsigned n = 0;
    for (struct shared_cell *c; (c = add(t, n)); n++) {
        ck_assert((char *)c > (char *)t && (char *)(c + 1) <= (char *)t + SIZE);
    }
    ck_assert_uint_eq(n, t->cells);
    ck_assert_uint_gt(n, SIZE / 60); /* it is not the buckets that fill it */
    for (unsigned i = 0; i < n; i++)
        ck_assert_uint_eq(value(find(t, i)), i);
    ck_assert_ptr_null(find(t, n));
    ck_assert_uint_eq(value(shared_table_oldest(t)), 0);
    shared_table_remove(t, find(t, 7));
    ck_assert_ptr_null(find(t, 7));
    ck_assert_ptr_nonnull(add(t, n));
    ck_assert_ptr_null(add(t, n + 1));
    free(t);
}
END_TEST

START_TEST(test_age)
{
    struct shared_table *t = make(4096);
    for (unsigned i = 0; i < 5; i++)
        add(t, i);
    shared_table_touch(t, find(t, 0));
    shared_table_touch(t, find(t, 2));
    shared_table_touch(t, find(t, 2));
    shared_table_remove(t, find(t, 3));
    static const unsigned order[] = {1, 4, 0, 2};
    struct shared_cell *c = shared_table_oldest(t);
    for (unsigned i = 0; i < 4; i++, c = shared_table_newer(t, c))
        ck_assert_uint_eq(value(c), order[i]);
    ck_assert_ptr_null(c);
    for (unsigned i = 0; i < 4; i++)
        shared_table_remove(t, find(t, order[i]));
    ck_assert_ptr_null(shared_table_oldest(t));
    ck_assert_uint_eq(t->count, 0);
    ck_assert_ptr_nonnull(add(t, 9));
    free(t);
}
END_TEST

START_TEST(test_equal_keys)
{
    struct shared_table *t = make(4096);
    struct siphash k = key(5);
    struct shared_cell *a = shared_table_add(t, &k), *b = shared_table_add(t, &k);
    add(t, 5 + 97); /* same bucket, another key */
    struct shared_cell *first = shared_table_find(t, &k), *second = shared_table_next(t, first);
    ck_assert((first == a && second == b) || (first == b && second == a));
    ck_assert_ptr_null(shared_table_next(t, second));
    ck_assert_ptr_eq(shared_table_at(t, shared_table_index(t, a)), a);
    free(t);
}
END_TEST

START_TEST(test_too_small)
{
    char memory[64];
    ck_assert(!shared_table_init((struct shared_table *)(void *)memory, sizeof memory));
}
END_TEST

Suite *suite_base_shared_table(void)
{
    Suite *s = suite_create("base_shared_table");
    TCase *tc = tcase_create("shared_table");
    tcase_add_test(tc, test_fill);
    tcase_add_test(tc, test_age);
    tcase_add_test(tc, test_equal_keys);
    tcase_add_test(tc, test_too_small);
    suite_add_tcase(s, tc);
    return s;
}
