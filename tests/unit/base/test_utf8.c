/* test_utf8.c - what is UTF-8, by the tables of RFC 3629 and Unicode, and how many characters it
 * is. */
#include "base/utf8.h"
#include "unit.h"

static const struct {
    const char *bytes;
    size_t len;    /* of the first character, 0: none */
    uint32_t code; /* of it */
} firsts[] = {
    {"", 0, 0},
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\x80", 0, 0},
    {"\xbf", 0, 0},
    {"\xc0\x80", 0, 0}, /* longer than it need be */
    {"\xc1\xbf", 0, 0},
    {"\xc2\x80", 2, 0x80},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\x9f\xbf", 0, 0},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xed\x9f\xbf", 3, 0xd7ff},
    {"\xed\xa0\x80", 0, 0}, /* surrogates */
    {"\xed\xbf\xbf", 0, 0},
    {"\xee\x80\x80", 3, 0xe000},
    {"\xef\xbf\xbe", 3, 0xfffe},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x8f\xbf\xbf", 0, 0},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xf5\x80\x80\x80", 0, 0},
    {"\xff", 0, 0},
    {"\xc3", 0, 0}, /* ends early */
    {"\xc3"
     "a",
     0, 0},
    {"\xe2\x82", 0, 0},
    {"\xf0\x9f\x98", 0, 0},
    {"\xc3\xa9x", 2, 0xe9},
};

START_TEST(test_first)
{
    uint32_t code = 0;
    ck_assert_uint_eq(utf8_first(text_of(firsts[_i].bytes), &code), firsts[_i].len);
    ck_assert_uint_eq(code, firsts[_i].code);
    ck_assert_uint_eq(utf8_first(text_of(firsts[_i].bytes), NULL), firsts[_i].len);
}
END_TEST

START_TEST(test_count)
{
    struct text mixed = TEXT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), broken = TEXT("\xc3\xa9\xff\xc3\xa9");
    ck_assert_uint_eq(utf8_count(TEXT_NONE), 0);
    ck_assert_uint_eq(utf8_count(mixed), 4);
    ck_assert_uint_eq(utf8_head(mixed, 0), 0);
    ck_assert_uint_eq(utf8_head(mixed, 1), 1);
    ck_assert_uint_eq(utf8_head(mixed, 2), 3);
    ck_assert_uint_eq(utf8_head(mixed, 3), 6);
    ck_assert_uint_eq(utf8_head(mixed, 4), 10);
    ck_assert_uint_eq(utf8_head(mixed, 9), 10);
    ck_assert_uint_eq(utf8_count(broken), 5); /* bytes */
    ck_assert_uint_eq(utf8_head(broken, 3), 3);
    ck_assert_uint_eq(utf8_head(TEXT("abc"), 9), 3);
}
END_TEST

Suite *suite_base_utf8(void);

Suite *suite_base_utf8(void)
{
    Suite *s = suite_create("base/utf8");
    TCase *t = tcase_create("utf8");
    tcase_add_loop_test(t, test_first, 0, sizeof firsts / sizeof *firsts);
    tcase_add_test(t, test_count);
    suite_add_tcase(s, t);
    return s;
}
