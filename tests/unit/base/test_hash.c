/* test_hash.c - the vectors of RFC 1321 and RFC 6234, at once and piece by piece. */
#include "unit.h"

#include "base/hash.h"

#include <errno.h>
#include <string.h>

static const struct {
    enum hash_kind kind;
    const char *plain;
    unsigned len;
    unsigned char digest[HASH_SHA256_LEN];
} vectors[] = {
    {HASH_MD5,
     "",
     HASH_MD5_LEN,
     {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e}},
    {HASH_MD5,
     "abc",
     HASH_MD5_LEN,
     {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72}},
    {HASH_MD5,
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     HASH_MD5_LEN,
     {0x82, 0x15, 0xef, 0x07, 0x96, 0xa2, 0x0b, 0xca, 0xaa, 0xe1, 0x16, 0xd3, 0x87, 0x6c, 0x66, 0x4a}},
    {HASH_SHA1, "", HASH_SHA1_LEN, {0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55,
                                    0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09}},
    {HASH_SHA1, "abc", HASH_SHA1_LEN, {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                       0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d}},
    {HASH_SHA1,
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     HASH_SHA1_LEN,
     {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
      0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1}},
    {HASH_SHA256, "", HASH_SHA256_LEN, {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}},
    {HASH_SHA256, "abc", HASH_SHA256_LEN, {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                           0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                           0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}},
    {HASH_SHA256,
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     HASH_SHA256_LEN,
     {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
      0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1}},
};

START_TEST(at_once)
{
    unsigned char out[HASH_SHA256_LEN];
    struct text all = text_of(vectors[_i].plain), parts[] = {{all.at, all.len / 2}, text_from(all, all.len / 2)};

    if (!hash_available())
        return;
    ck_assert_int_eq(hash_of(vectors[_i].kind, parts, 2, out), 0);
    ck_assert_mem_eq(out, vectors[_i].digest, vectors[_i].len);
}
END_TEST

/* In pieces of each length, so that blocks of 64 bytes begin anywhere in them. */
START_TEST(piece_by_piece)
{
    struct text all = text_of(vectors[_i].plain);

    if (!hash_available())
        return;
    for (size_t piece = 1; piece <= all.len + 1; piece++) {
        unsigned char out[HASH_SHA256_LEN];
        struct hash_stream *s = NULL;
        ck_assert_int_eq(hash_begin(&s, vectors[_i].kind), 0);
        for (size_t at = 0; at < all.len; at += piece)
            ck_assert_int_eq(hash_add(s, all.at + at, all.len - at < piece ? all.len - at : piece), 0);
        ck_assert_int_eq(hash_end(s, out), 0);
        ck_assert_mem_eq(out, vectors[_i].digest, vectors[_i].len);
    }
}
END_TEST

/* Two at a time know nothing of each other. */
START_TEST(side_by_side)
{
    unsigned char a[HASH_SHA256_LEN], b[HASH_SHA256_LEN];
    struct hash_stream *s, *t;

    if (!hash_available())
        return;
    ck_assert_int_eq(hash_begin(&s, HASH_SHA256), 0);
    ck_assert_int_eq(hash_begin(&t, HASH_SHA256), 0);
    ck_assert_int_eq(hash_add(s, "ab", 2), 0);
    ck_assert_int_eq(hash_add(t, "abc", 3), 0);
    ck_assert_int_eq(hash_add(s, "", 0), 0);
    ck_assert_int_eq(hash_add(s, "c", 1), 0);
    ck_assert_int_eq(hash_end(s, a), 0);
    ck_assert_int_eq(hash_end(t, b), 0);
    ck_assert_mem_eq(a, b, sizeof a);
}
END_TEST

START_TEST(given_up)
{
    struct hash_stream *s;

    if (!hash_available()) {
        ck_assert_int_eq(hash_begin(&s, HASH_SHA256), -ENOSYS);
        return;
    }
    ck_assert_int_eq(hash_begin(&s, HASH_SHA256), 0);
    ck_assert_int_eq(hash_add(s, "abc", 3), 0);
    ck_assert_int_eq(hash_end(s, NULL), 0);
    ck_assert_int_eq(hash_end(NULL, NULL), 0);
}
END_TEST

Suite *suite_base_hash(void)
{
    Suite *s = suite_create("base_hash");
    TCase *tc = tcase_create("hash");

    tcase_add_loop_test(tc, at_once, 0, sizeof vectors / sizeof *vectors);
    tcase_add_loop_test(tc, piece_by_piece, 0, sizeof vectors / sizeof *vectors);
    tcase_add_test(tc, side_by_side);
    tcase_add_test(tc, given_up);
    suite_add_tcase(s, tc);
    return s;
}
