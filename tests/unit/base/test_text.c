/* test_text.c - views of bytes. */
#include "base/text.h"
#include "unit.h"

START_TEST(test_compare)
{
    ck_assert(text_equal(TEXT("abc"), text_of("abc")));
    ck_assert(!text_equal(TEXT("abc"), TEXT("abd")));
    ck_assert(text_equal(TEXT_NONE, TEXT("")));
    ck_assert(text_equal_nocase(TEXT("Content-Type"), TEXT("cOnTENT-tYPE")));
    ck_assert(!text_equal_nocase(TEXT("a"), TEXT("ab")));
    ck_assert(!text_equal_nocase(TEXT("@[`{"), TEXT("`{@[")));
    ck_assert(text_starts(TEXT("abc"), TEXT("ab")));
    ck_assert(!text_starts(TEXT("a"), TEXT("ab")));
    ck_assert(text_starts(TEXT_NONE, TEXT("")));
    ck_assert(text_ends(TEXT("index.html"), TEXT(".html")));
    ck_assert(!text_ends(TEXT("html"), TEXT(".html")));
}
END_TEST

START_TEST(test_find)
{
    ck_assert_uint_eq(text_find(TEXT("a=b"), '='), 1);
    ck_assert_uint_eq(text_find(TEXT("ab"), '='), 2);
    ck_assert_uint_eq(text_find(TEXT_NONE, '='), 0);
}
END_TEST

START_TEST(test_mark)
{
    ck_assert(text_equal(text_without_mark(TEXT("\xEF\xBB\xBF"
                                                "a")),
                         TEXT("a")));
    ck_assert(text_equal(text_without_mark(TEXT("\xEF\xBB\xBF\xEF\xBB\xBF")), TEXT("\xEF\xBB\xBF"))); /* one of them */
    ck_assert(text_equal(text_without_mark(TEXT("\xEF\xBB")), TEXT("\xEF\xBB")));
    ck_assert(text_equal(text_without_mark(TEXT("a\xEF\xBB\xBF")), TEXT("a\xEF\xBB\xBF")));
    ck_assert_ptr_null(text_without_mark(TEXT_NONE).at);
}
END_TEST

START_TEST(test_trim)
{
    ck_assert(text_equal(text_trim(TEXT(" \t a b\t ")), TEXT("a b")));
    ck_assert(text_equal(text_trim(TEXT(" \t ")), TEXT("")));
    ck_assert(text_equal(text_trim(TEXT("\r")), TEXT("\r")));
    ck_assert_ptr_null(text_trim(TEXT_NONE).at);
}
END_TEST

static void check_list(const char *list, const char *const *expected)
{
    struct text rest = text_of(list), element;
    for (; *expected; expected++) {
        ck_assert(text_list_next(&rest, &element));
        ck_assert_msg(text_equal(element, text_of(*expected)), "\"%.*s\" is not \"%s\"", TEXT_ARG(element), *expected);
    }
    ck_assert(!text_list_next(&rest, &element));
}

START_TEST(test_list)
{
    check_list("", (const char *[]){NULL});
    check_list(" , ,,", (const char *[]){NULL});
    check_list("a", (const char *[]){"a", NULL});
    check_list(" a , b,c ", (const char *[]){"a", "b", "c", NULL});
    check_list("\"a,b\", W/\"c\\\",d\" ,e", (const char *[]){"\"a,b\"", "W/\"c\\\",d\"", "e", NULL});
    check_list("\"open, b", (const char *[]){"\"open, b", NULL});
    check_list("\"a\\", (const char *[]){"\"a\\", NULL});
}
END_TEST

START_TEST(test_put)
{
    char space[8], *to = space;
    memset(space, 'x', sizeof space);
    char *first = text_put(&to, TEXT("ab")), *second = text_put(&to, TEXT_NONE), *third = text_put(&to, TEXT("c"));
    ck_assert_ptr_eq(first, space);
    ck_assert_str_eq(first, "ab");
    ck_assert_str_eq(second, "");
    ck_assert_str_eq(third, "c");
    ck_assert_ptr_eq(to, third + 2);
    ck_assert(*to == 'x');
}
END_TEST

Suite *suite_base_text(void)
{
    Suite *s = suite_create("base/text");
    TCase *t = tcase_create("text");
    tcase_add_test(t, test_compare);
    tcase_add_test(t, test_find);
    tcase_add_test(t, test_mark);
    tcase_add_test(t, test_trim);
    tcase_add_test(t, test_list);
    tcase_add_test(t, test_put);
    suite_add_tcase(s, t);
    return s;
}
