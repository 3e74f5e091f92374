/* test_available_dictionary.c - the digest of the dictionary that a client has, or nothing. */
#include "http/syntax/available_dictionary.h"

#include <check.h>
#include <stdlib.h>

#define A "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM"

static const unsigned char digest_a[AVAILABLE_DIGEST_LEN] =
    "\x58\x91\xb5\xb5\x22\xd5\xdf\x08\x6d\x0f\xf0\xb1\x10\xfb\xd9\xd2"
    "\x1b\xb4\xfc\x71\x63\xaf\x34\xd0\x82\x86\xa2\xe8\x46\xf6\xbe\x03";

static const struct {
    const char *value; /* NULL: absent */
    bool taken;
} cases[] = {
    {":" A "=:", true},
    {":" A ":", true},
    {":" A "=:;p", true},
    {":" A "=:;p=1;q=\":\"", true},
    {NULL, false},
    {"", false},
    {":", false},
    {"::", false},
    {":=:", false},
    {A "=", false},
    {":" A "=", false},
    {A "=:", false},
    {":" A "==:", false},
    {":" A "=: ", false}, /* fields come trimmed */
    {":" A "=:,:" A "=:", false},
    {":" A "=::", false},
    {":" A "A:", false},
    {":A" A "=:", false},
    {":=" A ":", false},
    {":" A "\n=:", false},
    {":WJG1tSLV3whtD=CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:", false},
    {":WJG1tSLV3whtD_CxEPvZ0hu0_HFjrzTQgoai6Eb2vgM=:", false},
    {":WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vg==:", false},
    {"\"" A "=\"", false},
    {"?1", false},
};

START_TEST(values)
{
    unsigned char digest[AVAILABLE_DIGEST_LEN] = {0};
    ck_assert_msg(available_dictionary_parse(text_of(cases[_i].value), digest) == cases[_i].taken, "%s",
                  cases[_i].value);
    if (cases[_i].taken)
        ck_assert_mem_eq(digest, digest_a, sizeof digest);
}
END_TEST

/* Whatever comes: nothing outside of the value is looked at (the sanitizers see to that). */
START_TEST(noise)
{
    static const char alphabet[] = ":=;/+_-ABab09 \"";
    srand(1);
    for (int i = 0; i < 20000; i++) {
        size_t len = (size_t)rand() % 60;
        char *value = malloc(len + 1);
        unsigned char digest[AVAILABLE_DIGEST_LEN];
        for (size_t k = 0; k < len; k++)
            value[k] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        if (len > 2)
            value[0] = value[len - 1] = ':';
        available_dictionary_parse((struct text){value, len}, digest);
        free(value);
    }
}
END_TEST

Suite *suite_http_available_dictionary(void)
{
    Suite *s = suite_create("http_available_dictionary");
    TCase *tc = tcase_create("field");
    tcase_add_loop_test(tc, values, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tc, noise);
    suite_add_tcase(s, tc);
    return s;
}
