/* test_buffer.c - bytes that grow. */
#include "base/buffer.h"
#include "unit.h"

#include <stdint.h>
#include <stdlib.h>

START_TEST(test_append)
{
    struct buffer b;
    buffer_init(&b);
    buffer_add(&b, NULL, 0);
    buffer_add_text(&b, TEXT_NONE);
    buffer_add_str(&b, "one");
    buffer_add_char(&b, ' ');
    buffer_add_text(&b, TEXT("two"));
    buffer_printf(&b, " %d", 3);
    size_t len;
    char *bytes = buffer_steal(&b, &len);
    ck_assert_str_eq(bytes, "one two 3");
    ck_assert_uint_eq(len, 9);
    ck_assert_uint_eq(b.len, 0);
    free(bytes);
    bytes = buffer_steal(&b, NULL);
    ck_assert_str_eq(bytes, "");
    free(bytes);
}
END_TEST

START_TEST(test_grow)
{
    struct buffer b;
    buffer_init(&b);
    for (int i = 0; i < 10000; i++) /* every fill level meets every kind of append */
        buffer_printf(&b, "%d,", i % 10);
    ck_assert_uint_eq(b.len, 20000);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(b.data[2 * i], '0' + i % 10);
    buffer_fini(&b);
    buffer_init(&b);
    for (int i = 0; i < 1000; i++)
        buffer_add_char(&b, (char)('a' + i % 26));
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(b.data[i], 'a' + i % 26);
    buffer_fini(&b);
}
END_TEST

START_TEST(test_failure)
{
    struct buffer b;
    buffer_init(&b);
    buffer_add_str(&b, "abc");
    buffer_add(&b, "x", SIZE_MAX / 2 + 5);
    ck_assert(b.failed);
    buffer_add_str(&b, "def");
    buffer_printf(&b, "%d", 1);
    ck_assert_uint_eq(b.len, 3);
    ck_assert_ptr_null(buffer_steal(&b, NULL));
    ck_assert(!b.failed);
    buffer_fini(&b);
}
END_TEST

Suite *suite_base_buffer(void)
{
    Suite *s = suite_create("base/buffer");
    TCase *t = tcase_create("buffer");
    tcase_add_test(t, test_append);
    tcase_add_test(t, test_grow);
    tcase_add_test(t, test_failure);
    suite_add_tcase(s, t);
    return s;
}
