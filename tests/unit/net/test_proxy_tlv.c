/* test_proxy_tlv.c - net/proxy_tlv: values by name, and TLVs that are cut off or too long. */
#include "unit.h"

#include "net/proxy_tlv.h"

#include <stdlib.h>
#include <string.h>

#define BYTES(literal) ((struct text){literal, sizeof(literal) - 1})

/* alpn h2, an empty authority, a type without a name, and ssl with two TLVs inside. */
static const struct text all = {"\x01\0\2h2\x02\0\0\xee\0\1e\x20\0\x10\7\0\0\1\2\x21\0\3TLS\x25\0\2ec\x05\0\3uid", 37};

static const struct {
    const char *name, *value; /* NULL: it is not there */
} samples[] = {
    {"alpn", "h2"},        {"authority", ""},    {"unique_id", "uid"}, {"netns", NULL}, {"0xee", "e"},
    {"0xEE", "e"},         {"0x01", "h2"},       {"0x1", "h2"},        {"0x", NULL},    {"0x0", NULL},
    {"0x101", NULL},       {"0xg1", NULL},       {"", NULL},           {"h2", NULL},    {"ssl_version", "TLS"},
    {"ssl_key_alg", "ec"}, {"ssl_cn", NULL},     {"ssl_0x25", "ec"},   {"ssl_", NULL},  {"ssl_alpn", NULL},
    {"version", NULL},     {"ssl_verify", NULL},
};

START_TEST(names)
{
    struct text value = proxy_tlv_find(all, text_of(samples[_i].name));

    if (!samples[_i].value)
        ck_assert_msg(!value.at, "%s", samples[_i].name);
    else
        ck_assert_msg(value.at && text_equal(value, text_of(samples[_i].value)), "%s", samples[_i].name);
}
END_TEST

START_TEST(verify)
{
    uint32_t number = 0;

    ck_assert(proxy_tlv_ssl_verify(all, &number));
    ck_assert_uint_eq(number, 258);
    ck_assert(proxy_tlv_ssl_verify(BYTES("\x20\0\5\0\xff\xff\xff\xff"), &number));
    ck_assert_uint_eq(number, UINT32_MAX);
    ck_assert(!proxy_tlv_ssl_verify(BYTES("\x20\0\4\0\0\0\0"), &number));
    ck_assert(!proxy_tlv_ssl_verify(BYTES("\x01\0\2h2"), &number));
    ck_assert(!proxy_tlv_ssl_verify(TEXT_NONE, &number));
}
END_TEST

/* Cut off anywhere, what is not whole is not there. */
START_TEST(cut_off)
{
    for (size_t len = 0; len <= all.len; len++) {
        char *copy = malloc(len ? len : 1);
        memcpy(copy, all.at, len);
        struct text part = {copy, len};
        struct text alpn = proxy_tlv_find(part, TEXT("alpn")), id = proxy_tlv_find(part, TEXT("unique_id"));
        struct text key = proxy_tlv_find(part, TEXT("ssl_key_alg"));
        ck_assert_int_eq(alpn.at != NULL, len >= 5);
        ck_assert_int_eq(id.at != NULL, len >= all.len);
        ck_assert_int_eq(key.at != NULL, len >= 31);
        free(copy);
    }
    ck_assert_ptr_null(proxy_tlv_find(BYTES("\x20\0\x0a\0\0\0\0\0\x21\0\x7fx"), TEXT("ssl_version")).at);
}
END_TEST

Suite *suite_net_proxy_tlv(void);

Suite *suite_net_proxy_tlv(void)
{
    Suite *s = suite_create("net/proxy_tlv");
    TCase *t = tcase_create("tlvs");
    tcase_add_loop_test(t, names, 0, sizeof samples / sizeof *samples);
    tcase_add_test(t, verify);
    tcase_add_test(t, cut_off);
    suite_add_tcase(s, t);
    return s;
}
