/* test_line.c - texts put together in a place of fixed size. */
#include "base/line.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

START_TEST(test_put)
{
    char place[16];
    struct line l = LINE(place);
    line_put(&l, TEXT("ab"));
    line_put(&l, TEXT_NONE);
    line_number(&l, 1234567890);
    ck_assert(text_equal(line_text(&l), TEXT("ab1234567890")));
    line_put(&l, TEXT("cdefgh"));
    ck_assert(text_equal(line_text(&l), TEXT("ab1234567890cdef")));
    line_put(&l, TEXT("i"));
    line_number(&l, 1);
    line_error(&l, ENOENT);
    ck_assert_uint_eq(l.len, sizeof place);
}
END_TEST

START_TEST(test_error)
{
    char place[64];
    struct line l = LINE(place);
    line_error(&l, 0);
    ck_assert_uint_eq(l.len, 0);
    line_error(&l, ENOENT);
    ck_assert(text_equal(line_text(&l), TEXT(" (2: No such file or directory)")));
    const int codes[] = {ENOENT, EACCES, ENOENT}; /* the text of the last one is kept */
    for (unsigned i = 0; i < 3; i++) {
        l.len = 0;
        line_error(&l, codes[i]);
        ck_assert(text_equal(line_text(&l), codes[i] == ENOENT ? TEXT(" (2: No such file or directory)")
                                                               : TEXT(" (13: Permission denied)")));
    }
}
END_TEST

/* Every byte, at every place of the eight that are looked at together, and behind them. */
START_TEST(test_escaped)
{
    for (unsigned c = 0; c < 256; c++) {
        for (unsigned at = 0; at < 20; at++) {
            char text[20], place[32], expected[32];
            struct line l = LINE(place);
            bool control = c < 0x20 || c == 0x7f;
            memset(text, at % 2 ? 'a' : '\xff', sizeof text);
            text[at] = (char)c;
            line_put_escaped(&l, (struct text){text, sizeof text});
            ck_assert_uint_eq(l.len, control ? 23 : 20);
            memcpy(expected, text, sizeof text);
            if (control) {
                snprintf(expected + at, 5, "\\x%02X", c);
                memcpy(expected + at + 4, text + at + 1, sizeof text - at - 1);
            }
            ck_assert_msg(memcmp(expected, place, l.len) == 0, "byte %u at %u", c, at);
        }
    }
}
END_TEST

START_TEST(test_escaped_and_cut)
{
    char place[10];
    struct line l = LINE(place);
    line_put_escaped(&l, TEXT("1234\n\n"));
    ck_assert(text_equal(line_text(&l), TEXT("1234\\x0A")));
    l.len = 0;
    line_put_escaped(&l, TEXT("123456\n7"));
    ck_assert(text_equal(line_text(&l), TEXT("123456\\x0A")));
    l.len = 0;
    line_put_escaped(&l, TEXT("1234567\n8"));
    ck_assert(text_equal(line_text(&l), TEXT("1234567")));
    l.len = 0;
    line_put_escaped(&l, TEXT("1234567890123456"));
    ck_assert(text_equal(line_text(&l), TEXT("1234567890")));
}
END_TEST

Suite *suite_base_line(void)
{
    Suite *s = suite_create("base/line");
    TCase *t = tcase_create("line");
    tcase_add_test(t, test_put);
    tcase_add_test(t, test_error);
    tcase_add_test(t, test_escaped);
    tcase_add_test(t, test_escaped_and_cut);
    suite_add_tcase(s, t);
    return s;
}
