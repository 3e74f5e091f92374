/* test_log_escape.c - values in the lines of an access log. */
#include "unit.h"

#include "http/syntax/log_escape.h"

#include <stdlib.h>

static const struct {
    const char *value, *by_default, *json;
} values[] = {
    {"", "", ""},
    {"plain", "plain", "plain"},
    {"a longer one that has words of eight bytes", "a longer one that has words of eight bytes",
     "a longer one that has words of eight bytes"},
    {"q\"b\\", "q\\x22b\\x5C", "q\\\"b\\\\"},
    {"\t\n\r\b\f\x01\x1f\x7f", "\\x09\\x0A\\x0D\\x08\\x0C\\x01\\x1F\\x7F", "\\t\\n\\r\\b\\f\\u0001\\u001f\x7f"},
    {"gr\xc3\xbc\xc3\x9f", "gr\\xC3\\xBC\\xC3\\x9F", "gr\xc3\xbc\xc3\x9f"},
    {"12345678\xe2\x82\xac", "12345678\\xE2\\x82\\xAC", "12345678\xe2\x82\xac"},
    {"\xf0\x9f\x98\x80", "\\xF0\\x9F\\x98\\x80", "\xf0\x9f\x98\x80"},
    {"\xff", "\\xFF", "\\ufffd"},
    {"1234567\xe9", "1234567\\xE9", "1234567\\ufffd"},
    {"\xe9"
     "23456789",
     "\\xE923456789", "\\ufffd23456789"},
    {"\xc3", "\\xC3", "\\ufffd"},                            /* ends early */
    {"\xe2\x82\"", "\\xE2\\x82\\x22", "\\ufffd\\ufffd\\\""}, /* the quote does not go with it */
    {"\xc0\xaf", "\\xC0\\xAF", "\\ufffd\\ufffd"},
    {"\xed\xa0\x80", "\\xED\\xA0\\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
};

static void check(struct text value, enum escape escape, const char *expected)
{
    char *out = malloc(LOG_ESCAPED_MOST * value.len + 1), *end = log_put_escaped(out, value, escape);
    *end = '\0';
    ck_assert_str_eq(out, expected);
    ck_assert_uint_eq(log_escaped_len(value, escape), strlen(expected));
    free(out);
}

START_TEST(test_values)
{
    struct text value = text_of(values[_i].value);
    check(value, ESCAPE_DEFAULT, values[_i].by_default);
    check(value, ESCAPE_JSON, values[_i].json);
    check(value, ESCAPE_NONE, values[_i].value);
}
END_TEST

Suite *suite_http_log_escape(void);

Suite *suite_http_log_escape(void)
{
    Suite *s = suite_create("http/log_escape");
    TCase *t = tcase_create("log_escape");
    tcase_add_loop_test(t, test_values, 0, sizeof values / sizeof *values);
    suite_add_tcase(s, t);
    return s;
}
