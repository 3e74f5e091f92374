/* test_inherit.c - values of blocks that do not set them. */
#include "sample.h"
#include "unit.h"

START_TEST(test_defaults)
{
    struct conf_result *r = sample_read("http { server { } }");
    ck_assert_ptr_null(r->error);
    struct sample_main *m = conf_values(r->root, &sample_main_module);
    ck_assert_int_eq(m->processes, 1);
    ck_assert_int_eq(m->connections, 512);
    ck_assert(text_equal(m->user, TEXT("no body")));
    for (int i = 0; i < 2; i++) {
        struct sample_http *v = sample_values(i ? CONF_SERVER : CONF_HTTP, 0);
        ck_assert(v->sendfile);
        ck_assert_int_eq(v->chunk, 2048);
        ck_assert_int_eq(v->directio, -1);
        ck_assert_int_eq(v->timeout, 60000);
        ck_assert_int_eq(v->expires, 0);
        ck_assert_int_eq(v->bufs.number, 2);
        ck_assert_int_eq(v->bufs.size, 32768);
        ck_assert_ptr_nonnull(v->type.at);
        ck_assert_uint_eq(v->type.len, 0);
        ck_assert_str_eq(v->root, "/p/html");
        ck_assert_int_eq(v->tokens, 1);
        ck_assert_int_eq(v->finished, 1);
    }
    sample_done();
}
END_TEST

/* What stands behind the inner block counts for it too. */
START_TEST(test_levels)
{
    struct conf_result *r = sample_read("http { server { location /a { location /b { chunk 8k; } chunk 4k; repeat; } "
                                        "repeat; repeat; sendfile off; location /c { sendfile on; } } chunk 3k; }");
    ck_assert_ptr_null(r->error);
    ck_assert_int_eq(sample_values(CONF_HTTP, 0)->chunk, 3072);
    ck_assert_int_eq(sample_values(CONF_SERVER, 0)->chunk, 3072);
    ck_assert_int_eq(sample_values(CONF_LOCATION, 0)->chunk, 4096);
    ck_assert_int_eq(sample_values(CONF_LOCATION, 1)->chunk, 8192);
    ck_assert_int_eq(sample_values(CONF_LOCATION, 2)->chunk, 3072);
    ck_assert(sample_values(CONF_HTTP, 0)->sendfile);
    ck_assert(!sample_values(CONF_SERVER, 0)->sendfile);
    ck_assert(!sample_values(CONF_LOCATION, 1)->sendfile);
    ck_assert(sample_values(CONF_LOCATION, 2)->sendfile);
    ck_assert_uint_eq(sample_values(CONF_HTTP, 0)->repeats, 0);
    ck_assert_uint_eq(sample_values(CONF_SERVER, 0)->repeats, 2);
    ck_assert_uint_eq(sample_values(CONF_LOCATION, 1)->repeats, 1);
    ck_assert_uint_eq(sample_values(CONF_LOCATION, 2)->repeats, 2);
    sample_done();
}
END_TEST

/* root and alias are one value. */
START_TEST(test_shared_slot)
{
    struct conf_result *r =
        sample_read("http { root /r; server { location /a { alias /b; location /c { } location /d { root /e; } } } }");
    ck_assert_ptr_null(r->error);
    ck_assert_str_eq(sample_values(CONF_SERVER, 0)->root, "/r");
    ck_assert_str_eq(sample_values(CONF_LOCATION, 0)->root, "/b");
    ck_assert_str_eq(sample_values(CONF_LOCATION, 1)->root, "/b");
    ck_assert_str_eq(sample_values(CONF_LOCATION, 2)->root, "/e");
    sample_done();
}
END_TEST

/* An outermost block that is not unique: each gets the defaults. */
static const char *set_box(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    (void)slot;
    return conf_block(cf, CONF_SERVER, NULL, NULL, NULL);
}

struct box {
    int64_t a, b;
};

static unsigned slotless;

static const char *count_slotless(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    ck_assert_ptr_null(slot);
    ck_assert_int_eq(cf->block->context, CONF_SERVER);
    slotless++;
    return NULL;
}

START_TEST(test_several_outermost)
{
    static const struct conf_row rows[] = {
        {"box", CONF_MAIN, CONF_BLOCK | CONF_TAKE0 | CONF_REPEAT, set_box, .dflt = "ignored"},
        {"a", CONF_SERVER, CONF_TAKE1, conf_set_number, CONF_SLOT(struct box, a), .dflt = "5"},
        {"a2", CONF_SERVER, CONF_TAKE1, conf_set_number, CONF_SLOT(struct box, a), .dflt = "6"},
        {"count", CONF_SERVER, CONF_TAKE1, count_slotless, .dflt = "x"},
        {.name = NULL},
    };
    struct conf_module module = {"Box", rows, sizeof(struct box), CONF_SERVER, 9, NULL};
    struct conf_module *const modules[] = {&module, NULL};
    struct conf_input input = {
        .name = "t", .bytes = TEXT("box { a 1; } box { } box { a2 3; count y; }"), .prefix = "/", .modules = modules};
    struct arena arena;
    struct conf_result r;
    int64_t expected[] = {1, 5, 3};
    arena_init(&arena, 1024);
    ck_assert_int_eq(conf_read(&input, &arena, &r), 0);
    ck_assert_uint_eq(module.index, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct box *box = conf_values(sample_block(r.root, CONF_SERVER, i), &module);
        ck_assert_int_eq(box->a, expected[i]);
    }
    ck_assert_uint_eq(slotless, 3);
    arena_fini(&arena);
}
END_TEST

START_TEST(test_bad_default)
{
    static const struct conf_row rows[] = {
        {"a", CONF_MAIN, CONF_TAKE1, conf_set_number, CONF_SLOT(struct box, a), .dflt = "five"},
        {.name = NULL},
    };
    struct conf_module module = {"Box", rows, sizeof(struct box), CONF_MAIN, 0, NULL};
    struct conf_module *const modules[] = {&module, NULL};
    struct conf_input input = {.name = "t", .bytes = TEXT(""), .prefix = "/", .modules = modules};
    struct arena arena;
    struct conf_result r;
    arena_init(&arena, 1024);
    ck_assert_int_lt(conf_read(&input, &arena, &r), 0);
    ck_assert_str_eq(r.error, "\"a\" directive invalid number in t");
    arena_fini(&arena);
}
END_TEST

Suite *suite_conf_inherit(void)
{
    Suite *s = suite_create("conf/inherit");
    TCase *t = tcase_create("inherit");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_levels);
    tcase_add_test(t, test_shared_slot);
    tcase_add_test(t, test_several_outermost);
    tcase_add_test(t, test_bad_default);
    suite_add_tcase(s, t);
    return s;
}
