/* test_field.c - what becomes of line ends, tabs and other control bytes in the value of a response
 * field. */
#include "unit.h"

#include "http/syntax/field.h"

static const struct {
    const char *text, *folded, *encoded; /* NULL: as it was, and not copied */
} values[] = {
    {"", NULL, NULL},
    {"plain, with \"quotes\"; a=%0a?x=\xc3\xa9", NULL, NULL},
    {"a\nb", "a b", "a%0Ab"},
    {"a\r\nb", "a b", "a%0D%0Ab"},
    {"a \t\r\n\t  b", "a b", "a %09%0D%0A%09  b"},
    {"a\n \n\n b", "a b", "a%0A %0A%0A b"},
    {"a\rb", "a b", "a%0Db"},
    {"\n a", "a", "%0A a"},
    {"a \n", "a", "a %0A"},
    {" \n ", "", " %0A "},
    {"a\tb", "a\tb", "a%09b"},
    {"a \t b\n\tc d\te", "a \t b c d\te", "a %09 b%0A%09c d%09e"},
    {"\x01\x1f\x7f\n\x08z", "%01%1F%7F %08z", "%01%1F%7F%0A%08z"},
    {"/p?a=%20b\nc", "/p?a=%20b c", "/p?a=%20b%0Ac"},
    {"$a\n$b", "$a $b", "$a%0A$b"},
};

static void is(struct text got, struct text from, const char *expected)
{
    if (expected)
        ck_assert_msg(text_equal(got, text_of(expected)) && !got.at[got.len], "\"%.*s\", not \"%s\"", TEXT_ARG(got),
                      expected);
    else
        ck_assert(got.at == from.at && got.len == from.len);
}

START_TEST(values_are_right)
{
    struct arena arena;
    struct text t = text_of(values[_i].text);

    arena_init(&arena, 1024);
    is(field_fold(t, &arena), t, values[_i].folded);
    is(field_encode(t, &arena), t, values[_i].encoded);
    ck_assert(field_has_controls(t) == (values[_i].encoded != NULL));
    ck_assert(!field_is_broken(field_fold(t, &arena)) && !field_is_broken(field_encode(t, &arena)));
    arena_fini(&arena);
}
END_TEST

START_TEST(nul_is_encoded)
{
    struct arena arena;

    arena_init(&arena, 1024);
    is(field_encode((struct text){"a\0b", 3}, &arena), TEXT_NONE, "a%00b");
    is(field_fold((struct text){"a\0b", 3}, &arena), TEXT_NONE, "a%00b");
    arena_fini(&arena);
}
END_TEST

Suite *suite_http_field(void);

Suite *suite_http_field(void)
{
    Suite *s = suite_create("http/field");
    TCase *c = tcase_create("field");
    tcase_add_loop_test(c, values_are_right, 0, sizeof values / sizeof *values);
    tcase_add_test(c, nul_is_encoded);
    suite_add_tcase(s, c);
    return s;
}
