/* test_map.c - the table of texts, the hash of split_clients, and variables that the configuration
 * makes, without a server. */
#include "http/configured.h"

#include "http/rewrite/rewrite_private.h"
#include "http/syntax/text_table.h"

#include <errno.h>

START_TEST(table_of_texts)
{
    struct arena arena;
    struct text_table t = {0};
    char keys[500][16];

    arena_init(&arena, 4096);
    ck_assert_ptr_null(text_table_find(&t, TEXT("a")));
    for (int i = 0; i < 500; i++) {
        snprintf(keys[i], sizeof keys[i], "key-%d", i);
        ck_assert_int_eq(text_table_add(&t, text_of(keys[i]), keys[i], &arena), 0);
    }
    ck_assert_int_eq(text_table_add(&t, TEXT("key-7"), keys[0], &arena), -EEXIST);
    for (int i = 0; i < 500; i++)
        ck_assert_ptr_eq(text_table_find(&t, text_of(keys[i])), keys[i]);
    ck_assert_ptr_null(text_table_find(&t, TEXT("key-500")));
    ck_assert_ptr_null(text_table_find(&t, TEXT("")));
    arena_fini(&arena);
}
END_TEST

START_TEST(wildcards)
{
    struct arena arena;
    struct text_table t = {0};

    arena_init(&arena, 4096);
    ck_assert_ptr_null(text_table_leading(&t, TEXT("a.b")));
    ck_assert_int_eq(text_table_add(&t, TEXT("b.c"), "short", &arena), 0);
    ck_assert_int_eq(text_table_add(&t, TEXT("a.b.c"), "long", &arena), 0);
    ck_assert_str_eq(text_table_leading(&t, TEXT("x.b.c")), "short");
    ck_assert_str_eq(text_table_leading(&t, TEXT("y.x.a.b.c")), "long");
    ck_assert_ptr_null(text_table_leading(&t, TEXT("b.c")));
    ck_assert_ptr_null(text_table_leading(&t, TEXT(".b.c")));
    ck_assert_str_eq(text_table_trailing(&t, TEXT("b.c.x")), "short");
    ck_assert_str_eq(text_table_trailing(&t, TEXT("a.b.c.x.y")), "long");
    ck_assert_ptr_null(text_table_trailing(&t, TEXT("b.c")));
    arena_fini(&arena);
}
END_TEST

static const struct {
    const char *key;
    uint32_t hash;
} hashes[] = {
    {"", 0x00000000U},     {"1", 0x49342fafU},     {"bb", 0x15d41031U},           {"ccc", 0xc12179ecU},
    {"dddd", 0x63ccb67aU}, {"eeeee", 0xd1906759U}, {"192.0.2.1AAA", 0xcd5e5fffU},
};

START_TEST(murmur)
{
    ck_assert_uint_eq(split_clients_hash(text_of(hashes[_i].key)), hashes[_i].hash);
}
END_TEST

static const struct {
    const char *uri, *value;
} values[] = {
    {"/?k=one", "1/-/"}, {"/?k=ONE", "1/-/"}, {"/?k=x", "none/-/"}, {"/?k=r42", "42/-/42"}, {"/", "none/-/"},
};

START_TEST(variables_of_the_configuration)
{
    struct configured conf;
    struct request r;
    struct client c;

    configure(&conf,
              "http { access_log off; map $arg_k $m { default none; one 1; ~^r(?<digits>\\d+)$ $digits; }"
              "geo $g { default -; 10.0.0.0/8 ten; } server { listen 127.0.0.1:1; return 200 $m/$g/$digits; } }");
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
    request_init(&r, &c, &conf, "a", values[_i].uri);
    for (int i = 0; i < 2; i++) { /* computed, and kept */
        struct text got = template_text(r.location->rewrite->items[0].action->text, &r);
        ck_assert_msg(text_equal(got, text_of(values[_i].value)), "%s: %.*s", values[_i].uri, TEXT_ARG(got));
    }
    request_fini(&r);
    unconfigure(&conf);
}
END_TEST

Suite *suite_http_map(void);

Suite *suite_http_map(void)
{
    Suite *s = suite_create("http/map");
    TCase *t = tcase_create("all");
    tcase_add_test(t, table_of_texts);
    tcase_add_test(t, wildcards);
    tcase_add_loop_test(t, murmur, 0, sizeof hashes / sizeof *hashes);
    tcase_add_loop_test(t, variables_of_the_configuration, 0, sizeof values / sizeof *values);
    suite_add_tcase(s, t);
    return s;
}
