/* test_recode.c - character sets by tables: bytes, to UTF-8, from UTF-8, in pieces of every
 * size. */
#include "http/content/recode.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct recode_pair bytes, utf8;

static int add(struct recode_pair *pair, unsigned char from, const char *to)
{
    return recode_pair_add(pair, from, text_of(to), &arena);
}

static void setup(void)
{
    arena_init(&arena, 4096);
    ck_assert_int_eq(recode_pair_create(&bytes, false, &arena), 0);
    ck_assert_int_eq(add(&bytes, 0xc1, "\xe0"), 0);
    ck_assert_int_eq(add(&bytes, 0xc2, "\xe1"), 0);
    ck_assert_int_eq(recode_pair_create(&utf8, true, &arena), 0);
    ck_assert_int_eq(add(&utf8, 0xc1, "\xd0\xb0"), 0);     /* U+0430 */
    ck_assert_int_eq(add(&utf8, 0x88, "\xe2\x82\xac"), 0); /* U+20AC */
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* Gives the input in pieces of `in`, takes the output in pieces of `out`. */
static void run(const struct recode *table, struct text text, size_t in, size_t out, char *got, size_t *got_len)
{
    struct recoder r = {.table = table};
    size_t at = 0;
    bool ended = false;

    *got_len = 0;
    for (unsigned turns = 0; !ended; turns++) {
        size_t n = text.len - at < in ? text.len - at : in;
        char *piece = malloc(n ? n : 1), *to = malloc(out);
        memcpy(piece, text.at + at, n);
        struct codec_step s = {.in = piece, .in_len = n, .last = at + n == text.len, .out = to, .out_cap = out};
        recode_run(&r, &s);
        ck_assert_uint_le(s.taken, n);
        ck_assert_uint_le(s.made, out);
        memcpy(got + *got_len, to, s.made);
        *got_len += s.made;
        at += s.taken;
        ended = s.ended;
        free(piece);
        free(to);
        ck_assert_uint_lt(turns, 1000);
    }
    ck_assert_uint_eq(at, text.len);
}

static void expect(const struct recode *table, struct text from, struct text to)
{
    char got[512];
    size_t len;

    for (size_t in = 1; in <= from.len + 1; in++)
        for (size_t out = 12; out < 40; out += 9) {
            run(table, from, in, out, got, &len);
            ck_assert_msg(len == to.len && memcmp(got, to.at, len) == 0, "in pieces of %zu: %.*s, not %.*s", in,
                          (int)len, got, TEXT_ARG(to));
        }
}

START_TEST(between_bytes)
{
    expect(bytes.to, TEXT("a\xc1\xc2z"), TEXT("a\xe0\xe1z"));
    expect(bytes.from, TEXT("a\xe0\xe1z"), TEXT("a\xc1\xc2z"));
    expect(bytes.to, TEXT("\xff\x80"), TEXT("??"));
    expect(bytes.to, TEXT("nul\0\x7f"), TEXT("nul\0\x7f"));
    expect(bytes.to, TEXT(""), TEXT(""));
}
END_TEST

START_TEST(to_utf8)
{
    expect(utf8.to, TEXT("a\xc1\x88z"), TEXT("a\xd0\xb0\xe2\x82\xacz"));
    expect(utf8.to, TEXT("\xff"), TEXT("?"));
}
END_TEST

START_TEST(from_utf8)
{
    expect(utf8.from, TEXT("a\xd0\xb0\xe2\x82\xacz\0"), TEXT("a\xc1\x88z\0"));
    expect(utf8.from, TEXT("\xd0\xb1"), TEXT("&#1073;"));
    expect(utf8.from, TEXT("\xf0\x9f\x98\x80"), TEXT("&#128512;"));
    expect(utf8.from, TEXT("\xf4\x8f\xbf\xbf"), TEXT("&#1114111;"));
}
END_TEST

/* One ? for each beginning that leads nowhere; what follows it is not swallowed. */
START_TEST(broken_utf8)
{
    expect(utf8.from, TEXT("\xff"), TEXT("?"));
    expect(utf8.from, TEXT("\xd0"), TEXT("?"));
    expect(utf8.from, TEXT("\xd0<b>"), TEXT("?<b>"));
    expect(utf8.from, TEXT("\xe2\x82<b>"), TEXT("?<b>"));
    expect(utf8.from, TEXT("\xe2\xd0\xb0"), TEXT("?\xc1"));
    expect(utf8.from, TEXT("\x80\xbf"), TEXT("??"));
    expect(utf8.from, TEXT("\xc0\xaf"), TEXT("??"));
    expect(utf8.from, TEXT("\xe0\x80\xaf"), TEXT("?"));
    expect(utf8.from, TEXT("\xed\xa0\x80"), TEXT("?"));
    expect(utf8.from, TEXT("\xf4\x90\x80\x80"), TEXT("?"));
    expect(utf8.from, TEXT("\xf5"), TEXT("?"));
}
END_TEST

START_TEST(bad_entries)
{
    ck_assert_int_eq(add(&bytes, 0xc1, "ab"), -EINVAL);
    ck_assert_int_eq(add(&bytes, 0xc1, ""), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, ""), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "\xd0"), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "\xd0z"), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "\xc0\x80"), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "ab"), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "\xf0\x9f\x98\x80"), -EINVAL);
    ck_assert_int_eq(add(&utf8, 0xc1, "a"), 0);
}
END_TEST

Suite *suite_http_recode(void);

Suite *suite_http_recode(void)
{
    Suite *s = suite_create("http/recode");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, between_bytes);
    tcase_add_test(t, to_utf8);
    tcase_add_test(t, from_utf8);
    tcase_add_test(t, broken_utf8);
    tcase_add_test(t, bad_entries);
    suite_add_tcase(s, t);
    return s;
}
