/* test_priority.c - the field of RFC 9218, in the grammar of RFC 8941. */
#include "unit.h"

#include "http/h2/priority.h"

static const struct {
    const char *value;
    int urgency; /* -1: malformed */
    bool incremental;
} rows[] = {
    {"", 3, false},
    {"u=0", 0, false},
    {"u=7", 7, false},
    {"u=8", 3, false},
    {"u=-1", 3, false},
    {"u=1.0", 3, false},
    {"u=a", 3, false},
    {"u", 3, false},
    {"i", 3, true},
    {"i=?1", 3, true},
    {"i=?0", 3, false},
    {"i=1", 3, false},
    {"u=1, i", 1, true},
    {"u=1,i", 1, true},
    {"u=1 \t,\t i", 1, true},
    {" u=2 ", 2, false},
    {"i, u=5", 5, true},
    {"u=1, u=2", 2, false},
    {"i, i=?0", 3, false},
    {"u=1;x=2;y, i;z=\"a,b\"", 1, true},
    {"a=\"x\\\"y, u=7\", u=2", 2, false},
    {"a=(1 2 \"c\";d), u=2", 2, false},
    {"a=(), u=2", 2, false},
    {"a=:aGk=:, u=2", 2, false},
    {"a=tok/en:x, u=2", 2, false},
    {"*a.b-c_d=1, u=2", 2, false},
    {"a=123456789012345, u=2", 2, false},
    {"a=1234567890123456, u=2", -1, false},
    {"a=1.2345, u=2", -1, false},
    {"a=1., u=2", -1, false},
    {"u=", -1, false},
    {"u=1,", -1, false},
    {",u=1", -1, false},
    {"u=1 i", -1, false},
    {"u=1;;", -1, false},
    {"U=1", -1, false},
    {"i=?2", -1, false},
    {"a=\"x", -1, false},
    {"a=\"\\x\"", -1, false},
    {"a=(1", -1, false},
    {"a=(1,2)", -1, false},
    {"a=:a", -1, false},
    {"a={}", -1, false},
    {"\xc3", -1, false},
};

START_TEST(values)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct priority p = {PRIORITY_USUAL, false};
        char exact[64]; /* nothing behind it may be read */
        size_t len = strlen(rows[i].value);
        memcpy(exact, rows[i].value, len);
        bool good = priority_parse((struct text){exact, len}, &p);
        ck_assert_msg(good == (rows[i].urgency >= 0), "\"%s\"", rows[i].value);
        if (!good)
            continue;
        ck_assert_msg(p.urgency == (unsigned)rows[i].urgency, "\"%s\": %u", rows[i].value, p.urgency);
        ck_assert_msg(p.incremental == rows[i].incremental, "\"%s\"", rows[i].value);
    }
}
END_TEST

START_TEST(malformed_changes_nothing)
{
    struct priority p = {5, true};

    ck_assert(!priority_parse(TEXT("u=1, i=?0, ="), &p));
    ck_assert_uint_eq(p.urgency, 5);
    ck_assert(p.incremental);
}
END_TEST

Suite *suite_http_priority(void)
{
    Suite *s = suite_create("http_priority");
    TCase *t = tcase_create("priority");

    tcase_add_test(t, values);
    tcase_add_test(t, malformed_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
