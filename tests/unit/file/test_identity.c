/* test_identity.c - what an attribute and a sidecar say. */
#include "unit.h"

#include "file/identity.h"

#include <string.h>

#define HEX "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

/* For a file of 12 bytes from second 100, nanosecond 5. */
static const struct value {
    const char *text;
    bool good, stale;
} values[] = {
    {HEX " 12 100.000000005", true, false},
    {HEX " 12 100", true, false}, /* says nothing of the nanoseconds */
    {HEX " 12 100.000000006", false, true},
    {HEX " 13 100.000000005", false, true},
    {HEX " 12 101", false, true},
    {HEX " 12 -100", false, true},
    {HEX " 12 100.5", false, true},
    {HEX " 12 ", false, true},
    {HEX " 12", false, true},
    {HEX, false, false},
    {HEX " x 100", false, false},
    {"", false, false},
    {"5891 12 100", false, false},
};

START_TEST(test_values)
{
    unsigned char digest[DIGEST_LEN];
    bool stale;
    struct timespec mtime = {100, 5};

    ck_assert_int_eq(identity_parse(text_of(values[_i].text), 12, mtime, digest, &stale), values[_i].good);
    ck_assert_int_eq(stale, values[_i].stale);
}
END_TEST

START_TEST(test_extremes)
{
    static const char value[] = HEX " 9223372036854775807 -7.999999999";
    unsigned char digest[DIGEST_LEN], again[DIGEST_LEN];
    struct timespec mtime = {-7, 999999999};
    bool stale;

    ck_assert(digest_from_hex(TEXT(HEX), digest));
    ck_assert(identity_parse(TEXT(value), INT64_MAX, mtime, again, &stale));
    ck_assert(memcmp(digest, again, DIGEST_LEN) == 0);
    mtime.tv_nsec--;
    ck_assert(!identity_parse(TEXT(value), INT64_MAX, mtime, again, &stale) && stale);
}
END_TEST

static const struct tag {
    const char *bytes, *tag;
} tags[] = {
    {"\"v1\"", "\"v1\""},
    {"v1\n", "\"v1\""},
    {"  \"v1\" \r\n\n", "\"v1\""},
    {"W/\"v1\"\n", "W/\"v1\""},
    {"\"v\xc3\xa4\"", "\"v\xc3\xa4\""},
    {"W/v1", "\"W/v1\""},
    {"", ""},
    {"\n", ""},
    {"\"\"", ""},
    {"v 1", ""},
    {"\"v\"1\"", ""},
    {"a\nb", ""},
    {"a\x7f", ""},
};

START_TEST(test_tags)
{
    char out[IDENTITY_TAG_MOST];
    size_t len = identity_parse_tag(text_of(tags[_i].bytes), out);

    ck_assert_msg(text_equal((struct text){out, len}, text_of(tags[_i].tag)), "%s: %.*s", tags[_i].bytes, (int)len,
                  out);
}
END_TEST

START_TEST(test_long_tag)
{
    char bytes[IDENTITY_TAG_MOST + 10], out[IDENTITY_TAG_MOST];

    memset(bytes, 'x', sizeof bytes);
    ck_assert_uint_eq(identity_parse_tag((struct text){bytes, IDENTITY_TAG_MOST - 4}, out), IDENTITY_TAG_MOST - 2);
    ck_assert_uint_eq(identity_parse_tag((struct text){bytes, IDENTITY_TAG_MOST - 3}, out), 0);
}
END_TEST

/* ---- heads ---- */

#define DICTIONARY "0123456789abcdefghijklmnopqrstuv"

static const struct {
    const char *bytes;
    size_t len;
    enum dictionary_format format;
} heads[] = {
#define HEAD(bytes, format)                                                                                            \
    {                                                                                                                  \
        bytes, sizeof(bytes) - 1, format                                                                               \
    }
    HEAD(IDENTITY_DCB_MAGIC DICTIONARY, DICTIONARY_DCB),
    HEAD(IDENTITY_DCB_MAGIC DICTIONARY "more", DICTIONARY_DCB),
    HEAD(IDENTITY_DCZ_MAGIC DICTIONARY, DICTIONARY_DCZ),
    HEAD(IDENTITY_DCZ_MAGIC "0123456789abcdefghijklmnopqrstu", DICTIONARY_NONE),
    HEAD(IDENTITY_DCB_MAGIC "0123456789abcdefghijklmnopqrstu", DICTIONARY_NONE),
    HEAD(IDENTITY_DCB_MAGIC, DICTIONARY_NONE),
    HEAD("", DICTIONARY_NONE),
    HEAD("\x28\xb5\x2f\xfd" DICTIONARY, DICTIONARY_NONE),
    HEAD(DICTIONARY DICTIONARY, DICTIONARY_NONE),
};

START_TEST(test_heads)
{
    unsigned char digest[DIGEST_LEN];
    ck_assert_int_eq(identity_parse_head((struct text){heads[_i].bytes, heads[_i].len}, digest), heads[_i].format);
    if (heads[_i].format != DICTIONARY_NONE)
        ck_assert_mem_eq(digest, DICTIONARY, DIGEST_LEN);
}
END_TEST

Suite *suite_file_identity(void)
{
    Suite *s = suite_create("file_identity");
    TCase *tc = tcase_create("identity");
    tcase_add_loop_test(tc, test_values, 0, sizeof values / sizeof *values);
    tcase_add_test(tc, test_extremes);
    tcase_add_loop_test(tc, test_tags, 0, sizeof tags / sizeof *tags);
    tcase_add_test(tc, test_long_tag);
    tcase_add_loop_test(tc, test_heads, 0, sizeof heads / sizeof *heads);
    suite_add_tcase(s, tc);
    return s;
}
