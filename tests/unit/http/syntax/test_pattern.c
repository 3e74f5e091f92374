/* test_pattern.c - regular expressions: matches, captures, names, limits. */
#include "unit.h"

#include "http/syntax/pattern.h"

#include <errno.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 1024);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static struct pattern *compiled(const char *source, bool nocase)
{
    struct pattern *p = NULL;
    const char *error = NULL;
    int rc = pattern_compile(&p, text_of(source), nocase, &arena, &error);
    ck_assert_msg(rc == 0, "%s: %s", source, error);
    ck_assert_ptr_null(error);
    return p;
}

static int matches(const char *source, const char *subject)
{
    return pattern_match(compiled(source, false), text_of(subject), NULL);
}

START_TEST(test_match)
{
    ck_assert_int_eq(matches("\\.php$", "/a.php"), 1);
    ck_assert_int_eq(matches("\\.php$", "/a.phps"), 0);
    ck_assert_int_eq(matches("\\.php$", "/a.PHP"), 0);
    ck_assert_int_eq(matches("", ""), 1);
    ck_assert_int_eq(matches("^$", ""), 1);
    ck_assert_int_eq(matches("a", ""), 0);
    ck_assert_int_eq(pattern_match(compiled("\\.php$", true), TEXT("/a.PHP"), NULL), 1);
    ck_assert_int_eq(pattern_match(compiled("^$", false), TEXT_NONE, NULL), 1);
    /* The subject is a view: what follows it does not count. */
    ck_assert_int_eq(pattern_match(compiled("^ab$", false), (struct text){"abc", 2}, NULL), 1);
}
END_TEST

START_TEST(test_source_is_a_view)
{
    struct pattern *p;
    const char *error;
    ck_assert_int_eq(pattern_compile(&p, (struct text){"^a$)))", 3}, false, &arena, &error), 0);
    ck_assert_int_eq(pattern_match(p, TEXT("a"), NULL), 1);
}
END_TEST

static void is_text(struct text t, const char *expected)
{
    ck_assert_msg(t.at && text_equal(t, text_of(expected)), "\"%.*s\", not \"%s\"", TEXT_ARG(t), expected);
}

START_TEST(test_captures)
{
    struct captures c;
    struct pattern *p = compiled("^/(\\w+)(?:/(\\d+))?(/x)?", false);
    ck_assert_int_eq(pattern_match(p, TEXT("/ab/12/"), &c), 1);
    ck_assert_uint_eq(c.count, 3);
    is_text(c.group[0], "/ab/12");
    is_text(c.group[1], "ab");
    is_text(c.group[2], "12");
    for (unsigned i = 3; i < PATTERN_CAPTURES; i++)
        ck_assert_ptr_null(c.group[i].at);

    /* A group in the middle that took no part. */
    ck_assert_int_eq(pattern_match(p, TEXT("/ab/x"), &c), 1);
    ck_assert_uint_eq(c.count, 4);
    ck_assert_ptr_null(c.group[2].at);
    is_text(c.group[3], "/x");

    ck_assert_int_eq(pattern_match(p, TEXT("-"), &c), 0);
    ck_assert_uint_eq(c.count, 0);
}
END_TEST

START_TEST(test_more_groups_than_captures)
{
    struct captures c;
    ck_assert_int_eq(pattern_match(compiled("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)", false), TEXT("abcdefghijkl"), &c),
                     1);
    ck_assert_uint_eq(c.count, PATTERN_CAPTURES);
    is_text(c.group[0], "abcdefghijkl");
    is_text(c.group[9], "i");
}
END_TEST

START_TEST(test_empty_capture_is_not_absent)
{
    struct captures c;
    ck_assert_int_eq(pattern_match(compiled("a(x*)b", false), TEXT("ab"), &c), 1);
    ck_assert_ptr_nonnull(c.group[1].at);
    ck_assert_uint_eq(c.group[1].len, 0);
}
END_TEST

START_TEST(test_names)
{
    struct pattern *p = compiled("^(?<user>\\w+)@(?P<host>[\\w.]+)(x)?$", false);
    ck_assert_uint_eq(pattern_names(p), 2);
    unsigned seen = 0;
    for (unsigned i = 0; i < 2; i++) {
        unsigned group;
        struct text name = pattern_name(p, i, &group);
        is_text(name, group == 1 ? "user" : "host");
        seen |= 1u << group;
    }
    ck_assert_uint_eq(seen, 6);
    ck_assert_uint_eq(pattern_names(compiled("(a)", false)), 0);
}
END_TEST

static const struct {
    const char *source, *error;
} errors[] = {
    {"(a", "pcre2_compile() failed: missing closing parenthesis in \"(a\""},
    {"a)b", "pcre2_compile() failed: unmatched closing parenthesis in \"a)b\" at \")b\""},
    {"a[", "pcre2_compile() failed: missing terminating ] for character class in \"a[\""},
    {"*", "pcre2_compile() failed: quantifier does not follow a repeatable item in \"*\" at \"*\""},
};

START_TEST(test_errors)
{
    struct pattern *p = NULL;
    const char *error = NULL;
    ck_assert_int_eq(pattern_compile(&p, text_of(errors[_i].source), false, &arena, &error), -EINVAL);
    /* The offset is PCRE2's business: versions differ by one. */
    const char *end = strstr(errors[_i].error, " at ");
    size_t len = end ? (size_t)(end - errors[_i].error) : strlen(errors[_i].error);
    ck_assert_msg(!strncmp(error, errors[_i].error, len), "%s", error);
}
END_TEST

START_TEST(test_limit)
{
    /* Exponential in the number of a's. */
    struct pattern *p = compiled("^(a+)+$", false);
    ck_assert_int_eq(
        pattern_match(p, TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), NULL), -ELOOP);
    ck_assert_int_eq(pattern_match(p, TEXT("aaaa"), NULL), 1);
}
END_TEST

/* A long subject does not need more stack than there is. */
START_TEST(test_long_subject)
{
    static char subject[64 * 1024];
    memset(subject, 'a', sizeof subject);
    ck_assert_int_eq(pattern_match(compiled("^(?:a|b)*c?$", false), (struct text){subject, sizeof subject}, NULL), 1);
}
END_TEST

START_TEST(test_not_utf8)
{
    struct pattern *p = compiled("(*UTF)^/.$", false);
    ck_assert_int_eq(pattern_match(p, TEXT("/\xc3\xa9"), NULL), 1);
    ck_assert_int_eq(pattern_match(p, TEXT("/\xe9"), NULL), 0);
    ck_assert_int_eq(pattern_match(p, TEXT("/\xff\xff"), NULL), 0);
}
END_TEST

Suite *suite_http_pattern(void)
{
    Suite *s = suite_create("http/pattern");
    TCase *t = tcase_create("patterns");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_match);
    tcase_add_test(t, test_source_is_a_view);
    tcase_add_test(t, test_captures);
    tcase_add_test(t, test_more_groups_than_captures);
    tcase_add_test(t, test_empty_capture_is_not_absent);
    tcase_add_test(t, test_names);
    tcase_add_loop_test(t, test_errors, 0, sizeof errors / sizeof errors[0]);
    tcase_add_test(t, test_limit);
    tcase_add_test(t, test_long_subject);
    tcase_add_test(t, test_not_utf8);
    suite_add_tcase(s, t);
    return s;
}
