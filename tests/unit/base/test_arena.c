/* test_arena.c - memory given back all at once. */
#include "base/arena.h"
#include "unit.h"

#include <stdint.h>

START_TEST(test_alloc)
{
    struct arena a;
    arena_init(&a, 1024);
    char *all[600];
    for (size_t i = 0; i < 600; i++) {
        all[i] = arena_alloc(&a, i);
        ck_assert_ptr_nonnull(all[i]);
        ck_assert_uint_eq((uintptr_t)all[i] % 16, 0);
        memset(all[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < 600; i++) {
        for (size_t j = 0; j < i; j++)
            ck_assert_int_eq((unsigned char)all[i][j], (int)(i & 0xff));
    }
    arena_fini(&a);
    ck_assert_ptr_nonnull(arena_zalloc(&a, 3)); /* usable again */
    arena_fini(&a);
}
END_TEST

START_TEST(test_huge)
{
    struct arena a;
    arena_init(&a, 1024);
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 20));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX / 2));
    ck_assert_ptr_null(arena_copy(&a, "", SIZE_MAX));
    char *small = arena_alloc(&a, 16);
    char *large = arena_alloc(&a, 100000);
    memset(large, 1, 100000);
    ck_assert_ptr_eq(arena_alloc(&a, 16), small + 16); /* the chunk in use stays in use */
    arena_fini(&a);
}
END_TEST

START_TEST(test_space)
{
    _Alignas(16) char space[128];
    struct arena a;
    arena_init_on(&a, space, sizeof space, 256);
    ck_assert_ptr_eq(arena_alloc(&a, 100), space);
    ck_assert_ptr_eq(arena_alloc(&a, 16), space + 112);
    char *out = arena_alloc(&a, 1);
    ck_assert(out < space || out >= space + sizeof space);
    arena_fini(&a);
}
END_TEST

START_TEST(test_texts)
{
    struct arena a;
    arena_init(&a, 256);
    ck_assert_str_eq(arena_strdup(&a, "abc"), "abc");
    struct text t = arena_text(&a, (struct text){"abcdef", 3});
    ck_assert_uint_eq(t.len, 3);
    ck_assert_str_eq(t.at, "abc");
    ck_assert_ptr_null(arena_text(&a, TEXT_NONE).at);
    ck_assert_ptr_nonnull(arena_text(&a, TEXT("")).at);
    for (int width = 1; width < 700; width++) {
        char *text = arena_printf(&a, "%*d", width, 7);
        ck_assert_uint_eq(strlen(text), (size_t)width);
        ck_assert_int_eq(text[width - 1], '7');
    }
    arena_fini(&a);
}
END_TEST

static char order[8];

static void note(void *arg)
{
    strcat(order, arg);
}

START_TEST(test_join)
{
    struct arena a;
    arena_init(&a, 256);
    const struct text parts[] = {TEXT("one"), TEXT_NONE, TEXT(""), TEXT("two")};
    struct text all = arena_join(&a, parts, 4);
    ck_assert_str_eq(all.at, "onetwo");
    ck_assert_uint_eq(all.len, 6);
    all = arena_join(&a, parts, 0);
    ck_assert(all.at && all.len == 0 && *all.at == '\0');
    arena_fini(&a);
}
END_TEST

START_TEST(test_holds)
{
    struct arena a, other;
    arena_init(&a, 256);
    arena_init(&other, 256);
    char *first = arena_alloc(&a, 16), *large = arena_alloc(&a, 1000), *last = NULL;
    for (unsigned i = 0; i < 100; i++)
        last = arena_alloc(&a, 32);
    const char *elsewhere = arena_alloc(&other, 16);
    ck_assert(arena_holds(&a, first) && arena_holds(&a, large + 999) && arena_holds(&a, last + 31));
    ck_assert(!arena_holds(&a, elsewhere) && !arena_holds(&other, first) && !arena_holds(&a, "a literal"));
    arena_fini(&a);
    ck_assert(!arena_holds(&a, first));
    arena_fini(&other);
}
END_TEST

START_TEST(test_cleanup)
{
    struct arena a;
    arena_init(&a, 256);
    ck_assert_int_eq(arena_at_fini(&a, note, "a"), 0);
    ck_assert_int_eq(arena_at_fini(&a, note, "b"), 0);
    arena_fini(&a);
    ck_assert_str_eq(order, "ba");
    arena_fini(&a);
    ck_assert_str_eq(order, "ba");
}
END_TEST

Suite *suite_base_arena(void)
{
    Suite *s = suite_create("base/arena");
    TCase *t = tcase_create("arena");
    tcase_add_test(t, test_alloc);
    tcase_add_test(t, test_huge);
    tcase_add_test(t, test_space);
    tcase_add_test(t, test_texts);
    tcase_add_test(t, test_join);
    tcase_add_test(t, test_holds);
    tcase_add_test(t, test_cleanup);
    suite_add_tcase(s, t);
    return s;
}
