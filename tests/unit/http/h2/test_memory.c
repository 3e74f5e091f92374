/* test_memory.c - nghttp2's objects: what is taken, given back, kept and resized. */
#include "unit.h"

#include "http/h2/memory.h"

static struct h2_memory memory;
static const nghttp2_mem *mem;

static void setup(void)
{
    h2_memory_init(&memory);
    mem = &memory.functions;
}

static void teardown(void)
{
    h2_memory_fini(&memory);
    ck_assert_uint_eq(memory.kept, 0);
}

static void *take(size_t bytes)
{
    char *at = mem->malloc(bytes, mem->mem_user_data);

    ck_assert_ptr_nonnull(at);
    ck_assert_uint_eq((uintptr_t)at % 16, 0);
    memset(at, 'x', bytes); /* all of it is ours: a sanitizer would see */
    return at;
}

static void give(void *at)
{
    mem->free(at, mem->mem_user_data);
}

START_TEST(takes_again)
{
    void *a = take(1), *b = take(64), *c = take(65);

    ck_assert_ptr_ne(a, b);
    give(a);
    give(b);
    give(c);
    give(NULL);
    ck_assert_uint_eq(memory.kept, 64 + 64 + 128);
    ck_assert_ptr_eq(take(64), b);
    ck_assert_ptr_eq(take(0), a);
    ck_assert_ptr_eq(take(128), c);
    ck_assert_uint_eq(memory.kept, 0);
    give(a);
    give(b);
    give(c);
}
END_TEST

START_TEST(large_ones_are_the_heaps)
{
    enum { KEPT_MOST = H2_MEMORY_STEP * H2_MEMORY_SIZES };

    give(take(KEPT_MOST + 1));
    ck_assert_uint_eq(memory.kept, 0);
    give(take(KEPT_MOST));
    ck_assert_uint_eq(memory.kept, KEPT_MOST);
    ck_assert_ptr_null(mem->malloc(SIZE_MAX, mem->mem_user_data));
    ck_assert_ptr_null(mem->calloc(SIZE_MAX, 2, mem->mem_user_data));
}
END_TEST

START_TEST(keeps_so_much)
{
    enum { COUNT = H2_MEMORY_KEPT / 512 + 10 };
    static void *at[COUNT];

    for (size_t i = 0; i < COUNT; i++)
        at[i] = take(500);
    for (size_t i = 0; i < COUNT; i++)
        give(at[i]);
    ck_assert_uint_eq(memory.kept, H2_MEMORY_KEPT);
}
END_TEST

START_TEST(zeroes)
{
    give(take(100));
    const char *at = mem->calloc(10, 10, mem->mem_user_data);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(at[i], 0);
    give((void *)(uintptr_t)at);
}
END_TEST

/* From and to every side of the border between kept and large. */
START_TEST(resizes)
{
    static const size_t sizes[] = {1, 64, 65, 512, 513, 5000, 100000, 513, 10};
    char *at = mem->realloc(NULL, 1, mem->mem_user_data);

    at[0] = 'a';
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        at = mem->realloc(at, sizes[i], mem->mem_user_data);
        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(at[0], 'a');
        if (i > 0 && sizes[i] > sizes[i - 1])
            ck_assert_int_eq(at[sizes[i - 1] - 1], i > 1 ? 'z' : 'a');
        at[sizes[i] - 1] = sizes[i] > 1 ? 'z' : 'a';
    }
    give(at);
}
END_TEST

Suite *suite_http_memory(void)
{
    Suite *s = suite_create("http_memory");
    TCase *t = tcase_create("memory");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, takes_again);
    tcase_add_test(t, large_ones_are_the_heaps);
    tcase_add_test(t, keeps_so_much);
    tcase_add_test(t, zeroes);
    tcase_add_test(t, resizes);
    suite_add_tcase(s, t);
    return s;
}
