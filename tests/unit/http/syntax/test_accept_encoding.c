/* test_accept_encoding.c - what clients take, and in which order they get it. */
#include "http/syntax/accept_encoding.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALL = 1 << CODING_DCB | 1 << CODING_DCZ | 1 << CODING_BR | 1 << CODING_ZSTD | 1 << CODING_GZIP };

static const struct {
    const char *value; /* NULL: absent */
    const char *order; /* of all codings */
} cases[] = {
    {NULL, ""},
    {"", ""},
    {"gzip", "gzip"},
    {"GZip", "gzip"},
    {"x-gzip", "gzip"},
    {"gzip, deflate, br", "br gzip"},
    {"gzip, deflate, br, zstd", "br zstd gzip"},
    {"zstd,gzip", "zstd gzip"},
    {"gzip;q=1, br;q=0.9", "gzip br"},
    {"gzip;q=0.8, zstd;q=0.9, br;q=0.7", "zstd gzip br"},
    {"br;q=0.5, gzip;q=0.5", "br gzip"},
    {"gzip;q=0", ""},
    {"gzip;q=0.000", ""},
    {"gzip;q=0.001", "gzip"},
    {"gzip;q=1.000", "gzip"},
    {"gzip ; q=0.5", "gzip"},
    {"gzip;Q=0.5", "gzip"},
    {"gzip;q=1.001", ""},
    {"gzip;q=0.0001", ""},
    {"gzip;q=.5", ""},
    {"gzip;q=2", ""},
    {"gzip;q=-1", ""},
    {"gzip;q=", ""},
    {"gzip;q", ""},
    {"gzip;", ""},
    {"gzip;x=1", ""},
    {"gzip;q=0.5x", ""},
    {"gzip;q=1 1", ""},
    {"*", "br zstd gzip"},
    {"*;q=0", ""},
    {"gzip, *;q=0", "gzip"},
    {"gzip;q=0, *", "br zstd"},
    {"br;q=0, *;q=0.5, zstd", "zstd gzip"},
    {"identity", ""},
    {"identity, gzip", "gzip"},
    {"identity;q=1, gzip;q=0.5", ""},
    {"identity;q=0.5, gzip;q=1, br;q=0.4", "gzip"},
    {"identity;q=0, gzip;q=0.1", "gzip"},
    {"gzip;q=0, gzip", ""},
    {"gzip, gzip;q=0", "gzip"},
    {",, gzip ,,", "gzip"},
    {"gzipx, xgzip, gzi, brotli, zst", ""},
    {"gzip deflate", ""},
    {"deflate;q=\"a,br\", gzip", "gzip"},
    {"gzip, deflate, br, zstd, dcb, dcz", "dcb dcz br zstd gzip"},
    {"dcz, dcb;q=0.5, br;q=0.7", "dcz br dcb"},
    {"dcz, *;q=0.5", "dcz br zstd gzip"},
    {"DCB;q=0, dcz;q=0", ""},
};

START_TEST(order_is_right)
{
    struct accept_encoding a = accept_encoding_parse(text_of(cases[_i].value));
    enum coding ranked[CODINGS];
    char got[64] = "";
    unsigned n = accept_encoding_rank(&a, ALL, ranked);
    for (unsigned i = 0; i < n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", i ? " " : "", TEXT_ARG(coding_name(ranked[i])));
    ck_assert_msg(strcmp(got, cases[_i].order) == 0, "%s: \"%s\", not \"%s\"", cases[_i].value, got, cases[_i].order);
    for (enum coding c = CODING_DCB; c < CODINGS; c++) /* each alone: there or not */
        ck_assert_uint_eq(accept_encoding_rank(&a, 1u << c, ranked), accept_encoding_takes(&a, c));
    ck_assert_uint_eq(accept_encoding_rank(&a, 0, ranked), 0);
}
END_TEST

/* Whatever comes: no byte outside of the value is looked at (the sanitizers see to that), and
 * weights stay in their bounds. */
START_TEST(noise)
{
    static const char alphabet[] = "gzip,br;q=01.5 *\t\"\\xzstd-identity";
    srand(1);
    for (int i = 0; i < 20000; i++) {
        size_t len = (size_t)rand() % 24;
        char *bytes = malloc(len + 1);
        for (size_t k = 0; k < len; k++)
            bytes[k] = rand() % 8 ? alphabet[(size_t)rand() % (sizeof alphabet - 1)] : (char)rand();
        char *exact = malloc(len ? len : 1);
        memcpy(exact, bytes, len);
        struct accept_encoding a = accept_encoding_parse((struct text){exact, len});
        for (enum coding c = CODING_BR; c < CODINGS; c++)
            ck_assert_uint_le(a.q[c], 1000);
        ck_assert_uint_le(a.identity, 1000);
        free(exact);
        free(bytes);
    }
}
END_TEST

START_TEST(names)
{
    ck_assert(text_equal(coding_name(CODING_ZSTD), TEXT("zstd")));
    ck_assert(text_equal(coding_suffix(CODING_ZSTD), TEXT(".zst")));
    ck_assert(text_equal(coding_suffix(CODING_BR), TEXT(".br")));
    ck_assert(text_equal(coding_suffix(CODING_GZIP), TEXT(".gz")));
    ck_assert_uint_eq(coding_suffix(CODING_NONE).len, 0);
}
END_TEST

Suite *suite_http_accept_encoding(void);

Suite *suite_http_accept_encoding(void)
{
    Suite *s = suite_create("http/accept_encoding");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, order_is_right, 0, sizeof cases / sizeof *cases);
    tcase_add_test(t, noise);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    return s;
}
