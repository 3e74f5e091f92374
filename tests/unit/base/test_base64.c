/* test_base64.c - the vectors of RFC 4648, and what nginx's decoder lets through. */
#include "unit.h"

#include "base/base64.h"

#include <errno.h>

static const struct {
    const char *plain, *coded;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfd\xfb\xef\xbe", "//79++++"},
};

START_TEST(both_ways)
{
    char out[64];
    struct text plain = text_of(vectors[_i].plain), coded = text_of(vectors[_i].coded);

    ck_assert_uint_eq(base64_encode(plain.at, plain.len, out), coded.len);
    ck_assert_uint_eq(coded.len, BASE64_LEN(plain.len));
    ck_assert(text_equal(coded, (struct text){out, coded.len}));
    ck_assert_int_eq(base64_decode(coded, BASE64_USUAL, out), (ssize_t)plain.len);
    ck_assert(text_equal(plain, (struct text){out, plain.len}));
}
END_TEST

static const struct {
    const char *coded;
    enum base64 alphabet;
    ssize_t len;
} decoded[] = {
    {"Zg", BASE64_USUAL, 1},
    {"Zm8", BASE64_USUAL, 2},
    {"Zg=x!", BASE64_USUAL, 1},
    {"Z", BASE64_USUAL, -EINVAL},
    {"Zm9vY", BASE64_USUAL, -EINVAL},
    {"Zm 9", BASE64_USUAL, -EINVAL},
    {"Zm9\n", BASE64_USUAL, -EINVAL},
    {"--__", BASE64_URL, 3},
    {"--__", BASE64_USUAL, -EINVAL},
    {"++//", BASE64_URL, -EINVAL},
    {"Zm\xc3\xa4", BASE64_USUAL, -EINVAL},
    {"=", BASE64_USUAL, 0},
};

START_TEST(what_is_decoded)
{
    char out[64];
    ck_assert_int_eq(base64_decode(text_of(decoded[_i].coded), decoded[_i].alphabet, out), decoded[_i].len);
}
END_TEST

Suite *suite_base_base64(void)
{
    Suite *s = suite_create("base_base64");
    TCase *tc = tcase_create("base64");

    tcase_add_loop_test(tc, both_ways, 0, sizeof vectors / sizeof *vectors);
    tcase_add_loop_test(tc, what_is_decoded, 0, sizeof decoded / sizeof *decoded);
    suite_add_tcase(s, tc);
    return s;
}
