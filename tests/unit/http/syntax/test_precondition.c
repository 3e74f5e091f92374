/* test_precondition.c - the conditional fields, alone and together. RFC 9110, 13. */
#include "unit.h"

#include "http/syntax/precondition.h"

#include "base/clock.h"

#define OLDER "Sun, 06 Nov 1994 08:49:36 GMT"
#define EQUAL "Sun, 06 Nov 1994 08:49:37 GMT"
#define NEWER "Sun, 06 Nov 1994 08:49:38 GMT"
enum { MTIME = 784111777 };

#define ETAG              "\"2ebcdef1-1f\""
#define ROW(field, value) [FIELD_##field] = value

enum { GO = PRECONDITION_PROCEED, NOT_MODIFIED = PRECONDITION_NOT_MODIFIED, FAILED = PRECONDITION_FAILED };
enum { OFF = IF_MODIFIED_SINCE_OFF, EXACT = IF_MODIFIED_SINCE_EXACT, BEFORE = IF_MODIFIED_SINCE_BEFORE };

/* The file has ETAG and MTIME. */
static const struct {
    const char *fields[FIELD_COUNT];
    int mode;
    int get, post; /* expected */
} cases[] = {
    {{NULL}, EXACT, GO, GO},
    /* If-None-Match */
    {{ROW(IF_NONE_MATCH, ETAG)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "W/" ETAG)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "*")}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "\"other\"")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "\"a\", " ETAG)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "\"a\"," ETAG ",\"b\"")}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, ",, \"a\" ,\t, W/" ETAG " ,")}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "\"a,b\", " ETAG)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, "\"a\\\", " ETAG)}, EXACT, NOT_MODIFIED, FAILED}, /* a backslash escapes nothing */
    {{ROW(IF_NONE_MATCH, "\"x," ETAG)}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "2ebcdef1-1f")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "\"2ebcdef1-1f")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "w/" ETAG)}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "W/")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "W/ " ETAG)}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "*, \"a\"")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, ETAG "x")}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, "\"2EBCDEF1-1F\"")}, EXACT, GO, GO},
    /* If-Match */
    {{ROW(IF_MATCH, ETAG)}, EXACT, GO, GO},
    {{ROW(IF_MATCH, "*")}, EXACT, GO, GO},
    {{ROW(IF_MATCH, "\"a\", " ETAG)}, EXACT, GO, GO},
    {{ROW(IF_MATCH, "\"other\"")}, EXACT, FAILED, FAILED},
    {{ROW(IF_MATCH, "W/" ETAG)}, EXACT, FAILED, FAILED},
    {{ROW(IF_MATCH, "")}, EXACT, FAILED, FAILED},
    {{ROW(IF_MATCH, "rubbish")}, EXACT, FAILED, FAILED},
    /* If-Modified-Since */
    {{ROW(IF_MODIFIED_SINCE, EQUAL)}, EXACT, NOT_MODIFIED, GO},
    {{ROW(IF_MODIFIED_SINCE, OLDER)}, EXACT, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, NEWER)}, EXACT, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, EQUAL)}, BEFORE, NOT_MODIFIED, GO},
    {{ROW(IF_MODIFIED_SINCE, OLDER)}, BEFORE, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, NEWER)}, BEFORE, NOT_MODIFIED, GO},
    {{ROW(IF_MODIFIED_SINCE, EQUAL)}, OFF, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, "yesterday")}, BEFORE, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, "")}, BEFORE, GO, GO},
    {{ROW(IF_MODIFIED_SINCE, "Sunday, 06-Nov-94 08:49:37 GMT")}, EXACT, NOT_MODIFIED, GO},
    {{ROW(IF_MODIFIED_SINCE, "Sun Nov  6 08:49:37 1994")}, EXACT, NOT_MODIFIED, GO},
    /* If-Unmodified-Since */
    {{ROW(IF_UNMODIFIED_SINCE, EQUAL)}, EXACT, GO, GO},
    {{ROW(IF_UNMODIFIED_SINCE, NEWER)}, EXACT, GO, GO},
    {{ROW(IF_UNMODIFIED_SINCE, OLDER)}, EXACT, FAILED, FAILED},
    {{ROW(IF_UNMODIFIED_SINCE, OLDER)}, OFF, FAILED, FAILED},
    {{ROW(IF_UNMODIFIED_SINCE, "yesterday")}, EXACT, GO, GO},
    /* Precedence: RFC 9110, 13.2.2. */
    {{ROW(IF_MATCH, ETAG), ROW(IF_UNMODIFIED_SINCE, OLDER)}, EXACT, GO, GO},
    {{ROW(IF_MATCH, "\"a\""), ROW(IF_UNMODIFIED_SINCE, NEWER)}, EXACT, FAILED, FAILED},
    {{ROW(IF_NONE_MATCH, "\"a\""), ROW(IF_MODIFIED_SINCE, EQUAL)}, EXACT, GO, GO},
    {{ROW(IF_NONE_MATCH, ETAG), ROW(IF_MODIFIED_SINCE, OLDER)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_NONE_MATCH, ETAG), ROW(IF_MODIFIED_SINCE, EQUAL)}, OFF, NOT_MODIFIED, FAILED},
    {{ROW(IF_MATCH, ETAG), ROW(IF_NONE_MATCH, ETAG)}, EXACT, NOT_MODIFIED, FAILED},
    {{ROW(IF_MATCH, "\"a\""), ROW(IF_NONE_MATCH, ETAG)}, EXACT, FAILED, FAILED},
    {{ROW(IF_UNMODIFIED_SINCE, OLDER), ROW(IF_NONE_MATCH, ETAG)}, EXACT, FAILED, FAILED},
    {{ROW(IF_UNMODIFIED_SINCE, EQUAL), ROW(IF_MODIFIED_SINCE, EQUAL)}, EXACT, NOT_MODIFIED, GO},
};

static struct message with(const char *const fields[FIELD_COUNT], enum method method)
{
    struct message m = {.method = method};
    for (int i = 0; i < FIELD_COUNT; i++)
        m.fields[i] = text_of(fields[i]);
    return m;
}

static const struct validators file = {{ETAG, sizeof ETAG - 1}, true, MTIME, 1, 0};

START_TEST(test_cases)
{
    struct message get = with(cases[_i].fields, METHOD_GET), head = with(cases[_i].fields, METHOD_HEAD);
    struct message post = with(cases[_i].fields, METHOD_POST);
    ck_assert_int_eq(precondition_check(&get, &file, cases[_i].mode), (enum precondition)cases[_i].get);
    ck_assert_int_eq(precondition_check(&head, &file, cases[_i].mode), (enum precondition)cases[_i].get);
    ck_assert_int_eq(precondition_check(&post, &file, cases[_i].mode), (enum precondition)cases[_i].post);
}
END_TEST

static enum precondition check(const char *const fields[FIELD_COUNT], struct text etag, bool dated)
{
    struct message m = with(fields, METHOD_GET);
    struct validators v = {etag, dated, MTIME, 1, 0};
    return precondition_check(&m, &v, BEFORE);
}

#define FIELDS(...) ((const char *const[FIELD_COUNT]){__VA_ARGS__})

START_TEST(test_weak_validator)
{
    struct text weak = TEXT("W/" ETAG);
    ck_assert_int_eq(check(FIELDS(ROW(IF_NONE_MATCH, ETAG)), weak, true), PRECONDITION_NOT_MODIFIED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_NONE_MATCH, "W/" ETAG)), weak, true), PRECONDITION_NOT_MODIFIED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MATCH, ETAG)), weak, true), PRECONDITION_FAILED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MATCH, "W/" ETAG)), weak, true), PRECONDITION_FAILED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MATCH, "*")), weak, true), PRECONDITION_PROCEED);
}
END_TEST

START_TEST(test_without_validators)
{
    ck_assert_int_eq(check(FIELDS(ROW(IF_NONE_MATCH, ETAG)), TEXT_NONE, true), PRECONDITION_PROCEED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_NONE_MATCH, "*")), TEXT_NONE, true), PRECONDITION_NOT_MODIFIED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MATCH, ETAG)), TEXT_NONE, true), PRECONDITION_FAILED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MATCH, "*")), TEXT_NONE, true), PRECONDITION_PROCEED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_MODIFIED_SINCE, NEWER)), TEXT_NONE, false), PRECONDITION_PROCEED);
    ck_assert_int_eq(check(FIELDS(ROW(IF_UNMODIFIED_SINCE, OLDER)), TEXT_NONE, false), PRECONDITION_PROCEED);
}
END_TEST

static const struct {
    const char *value;
    bool counts;
} if_ranges[] = {
    {NULL, true},
    {ETAG, true},
    {EQUAL, true},
    {"W/" ETAG, false},
    {"\"a\"", false},
    {OLDER, false},
    {NEWER, false},
    {"", false},
    {"*", false},
    {"\"", false},
    {"\"a\", " ETAG, false},
    {"x\"", false},
    {"tomorrow", false},
    {"Sunday, 06-Nov-94 08:49:37 GMT", true},
};

START_TEST(test_if_range)
{
    struct message m = with(FIELDS(ROW(IF_RANGE, if_ranges[_i].value)), METHOD_GET);
    ck_assert_int_eq(precondition_if_range(&m, &file), if_ranges[_i].counts);
}
END_TEST

START_TEST(test_if_range_wants_strong)
{
    struct validators weak = {TEXT("W/" ETAG), true, MTIME, 1, 0}, none = {TEXT_NONE, false, 0, 1, 0};
    struct message tag = with(FIELDS(ROW(IF_RANGE, ETAG)), METHOD_GET);
    struct message same = with(FIELDS(ROW(IF_RANGE, "W/" ETAG)), METHOD_GET);
    struct message date = with(FIELDS(ROW(IF_RANGE, EQUAL)), METHOD_GET);
    ck_assert(!precondition_if_range(&tag, &weak));
    ck_assert(!precondition_if_range(&same, &weak));
    ck_assert(!precondition_if_range(&tag, &none));
    ck_assert(!precondition_if_range(&date, &none));
    ck_assert(precondition_if_range(&date, &weak));
}
END_TEST

/* 1969-12-31 23:59:59 is a date like another one. */
START_TEST(test_second_before_1970)
{
    static const char *const equal = "Wed, 31 Dec 1969 23:59:59 GMT", *const older = "Wed, 31 Dec 1969 23:59:58 GMT";
    struct validators v = {TEXT_NONE, true, -1, 1, 0};
    struct message m = with(FIELDS(ROW(IF_MODIFIED_SINCE, equal)), METHOD_GET);
    ck_assert_int_eq(precondition_check(&m, &v, EXACT), PRECONDITION_NOT_MODIFIED);
    m = with(FIELDS(ROW(IF_UNMODIFIED_SINCE, older)), METHOD_GET);
    ck_assert_int_eq(precondition_check(&m, &v, EXACT), PRECONDITION_FAILED);
    m = with(FIELDS(ROW(IF_RANGE, equal)), METHOD_GET);
    ck_assert(precondition_if_range(&m, &v));
}
END_TEST

/* A file whose own date lies ahead, and that was sent with those from OLDER to EQUAL. */
START_TEST(test_date_that_lay_ahead)
{
    static const struct {
        const char *date;
        bool is;
    } rows[] = {{"Sun, 06 Nov 1994 08:49:35 GMT", false},
                {OLDER, true},
                {EQUAL, true},
                {NEWER, false},
                {"Sun, 06 Nov 1994 09:49:37 GMT", true}};
    struct validators v = {TEXT_NONE, true, MTIME + 3600, MTIME - 1, MTIME};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m = with(FIELDS(ROW(IF_MODIFIED_SINCE, rows[i].date)), METHOD_GET);
        ck_assert_int_eq(precondition_check(&m, &v, EXACT),
                         rows[i].is ? PRECONDITION_NOT_MODIFIED : PRECONDITION_PROCEED);
        ck_assert_int_eq(precondition_check(&m, &v, BEFORE),
                         rows[i].is ? PRECONDITION_NOT_MODIFIED : PRECONDITION_PROCEED);
        m = with(FIELDS(ROW(IF_UNMODIFIED_SINCE, rows[i].date)), METHOD_GET);
        ck_assert_int_eq(precondition_check(&m, &v, EXACT), rows[i].is ? PRECONDITION_PROCEED : PRECONDITION_FAILED);
        m = with(FIELDS(ROW(IF_RANGE, rows[i].date)), METHOD_GET);
        ck_assert_int_eq(precondition_if_range(&m, &v), rows[i].is);
    }
}
END_TEST

Suite *suite_http_precondition(void)
{
    Suite *s = suite_create("http/precondition");
    TCase *t = tcase_create("preconditions");
    tcase_add_loop_test(t, test_cases, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(t, test_weak_validator);
    tcase_add_test(t, test_without_validators);
    tcase_add_loop_test(t, test_if_range, 0, sizeof if_ranges / sizeof if_ranges[0]);
    tcase_add_test(t, test_if_range_wants_strong);
    tcase_add_test(t, test_second_before_1970);
    tcase_add_test(t, test_date_that_lay_ahead);
    suite_add_tcase(s, t);
    return s;
}
