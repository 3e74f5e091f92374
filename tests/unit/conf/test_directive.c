/* test_directive.c - the generic setters: values, and the texts when they are wrong. */
#include "base/log.h"
#include "sample.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct sample_http *values(const char *directives)
{
    char conf[512];
    snprintf(conf, sizeof conf, "http { %s }", directives);
    struct conf_result *r = sample_read(conf);
    ck_assert_msg(!r->error, "%s", r->error);
    return sample_values(CONF_HTTP, 0);
}

START_TEST(test_values)
{
    ck_assert(!values("sendfile OFF;")->sendfile);
    ck_assert(values("sendfile on;")->sendfile);
    ck_assert_int_eq(values("requests 9223372036854775807;")->requests, INT64_MAX);
    ck_assert_int_eq(values("chunk 4K;")->chunk, 4096);
    ck_assert_int_eq(values("directio 4g;")->directio, (int64_t)4 << 30);
    ck_assert_int_eq(values("directio off;")->directio, -1);
    ck_assert_int_eq(values("directio 0;")->directio, 0);
    ck_assert_int_eq(values("alignment 4k;")->alignment, 4096);
    ck_assert_int_eq(values("timeout 1m500ms;")->timeout, 60500);
    ck_assert_int_eq(values("expires 1y;")->expires, 31536000);
    ck_assert(text_equal(values("type 'a b';")->type, TEXT("a b")));
    ck_assert_str_eq(values("root a/b;")->root, "/p/a/b");
    ck_assert_str_eq(values("root /a;")->root, "/a");
    ck_assert_int_eq(values("tokens Build;")->tokens, 2);
    ck_assert_int_eq(values("bufs 4 8k;")->bufs.number, 4);
    ck_assert_int_eq(values("bufs 4 8k;")->bufs.size, 8192);
    ck_assert_uint_eq(values("repeat; repeat; repeat;")->repeats, 3);
    values("types_hash_max_size whatever;");
    sample_done();
}
END_TEST

static const struct {
    const char *directive, *error;
} broken[] = {
    {"sendfile z;", "invalid value \"z\" in \"sendfile\" directive, it must be \"on\" or \"off\""},
    {"requests a;", "\"requests\" directive invalid number"},
    {"requests 9223372036854775808;", "\"requests\" directive invalid number"},
    {"requests 0;", "invalid value \"0\" in \"requests\" directive, it must be equal to or greater than 1"},
    {"chunk q;", "\"chunk\" directive invalid value"},
    {"chunk 8589934592g;", "\"chunk\" directive invalid value"},
    {"chunk '';", "\"chunk\" directive invalid value"},
    {"chunk 1;", "invalid value \"1\" in \"chunk\" directive, it must be between 1k and 1m"},
    {"chunk 2m;", "invalid value \"2m\" in \"chunk\" directive, it must be between 1k and 1m"},
    {"alignment 1000;",
     "invalid value \"1000\" in \"alignment\" directive, it must be a power of two between 512 and 64k"},
    {"alignment 0;", "invalid value \"0\" in \"alignment\" directive, it must be a power of two between 512 and 64k"},
    {"alignment 1m;", "invalid value \"1m\" in \"alignment\" directive, it must be a power of two between 512 and 64k"},
    {"directio x;", "\"directio\" directive invalid value"},
    {"timeout 1z;", "\"timeout\" directive invalid value"},
    {"timeout 1M;", "\"timeout\" directive invalid value"},
    {"expires 1ms;", "\"expires\" directive invalid value"},
    {"bufs 0 1;", "\"bufs\" directive invalid value"},
    {"bufs x 1;", "\"bufs\" directive invalid value"},
    {"bufs 1 x;", "\"bufs\" directive invalid value"},
    {"bufs 1 0;", "\"bufs\" directive invalid value"},
    {"tokens zz;", "invalid value \"zz\" in \"tokens\" directive, it must be \"off\", \"on\" or \"build\""},
};

START_TEST(test_broken)
{
    char conf[512], expected[512];
    snprintf(conf, sizeof conf, "http { %s }", broken[_i].directive);
    snprintf(expected, sizeof expected, "%s in t.conf:1", broken[_i].error);
    struct conf_result *r = sample_read(conf);
    ck_assert_ptr_nonnull(r->error);
    ck_assert_str_eq(r->error, expected);
    sample_done();
}
END_TEST

START_TEST(test_warn)
{
    struct arena arena;
    struct log_output output = {.level = LEVEL_WARN};
    struct log log = {&output, LEVEL_WARN}, *before = log_main;
    const char *path = unit_path("error.log");
    ck_assert_int_eq(log_file_open(&output.file, path, 0, 0), 0);
    arena_init(&arena, 256);
    struct conf cf = {.arena = &arena, .file = "f.conf", .line = 7};
    log_main = &log;
    conf_warn(&cf, "odd %s", "value");
    log_main = before;
    log_file_close(output.file);
    char *text = unit_read(path, NULL);
    ck_assert_ptr_nonnull(strstr(text, "[warn] "));
    ck_assert_ptr_nonnull(strstr(text, ": odd value in f.conf:7\n"));
    free(text);
    arena_fini(&arena);
}
END_TEST

#define MIB (INT64_C(1) << 20)

static const struct fit {
    uint64_t memory;
    int64_t bytes;
    unsigned part;
    int64_t fits;
    unsigned workers;
} fits[] = {
    {0, 64 * MIB, 4, 64 * MIB, 1},          /* no limit */
    {1024 * MIB, 64 * MIB, 4, 64 * MIB, 1}, /* room enough */
    {256 * MIB, 64 * MIB, 4, 64 * MIB, 1},  /* just */
    {128 * MIB, 64 * MIB, 4, 32 * MIB, 1},  /* less */
    {2 * MIB, 64 * MIB, 4, MIB, 1},         /* never nothing */
    {2 * MIB, 4096, 4, 4096, 0},            /* nor more than wanted */
    {UINT64_MAX / 2, INT64_MAX / 2, 1, INT64_MAX / 2, 1},
    {256 * MIB, 64 * MIB, 4, 32 * MIB, 2}, /* shared */
};

START_TEST(test_fit)
{
    unsigned workers = fits[_i].workers;
    struct conf cf = {.memory = fits[_i].memory, .workers = &workers};

    ck_assert_int_eq(conf_fit(&cf, fits[_i].bytes, fits[_i].part), fits[_i].fits);
}
END_TEST

Suite *suite_conf_directive(void)
{
    Suite *s = suite_create("conf/directive");
    TCase *t = tcase_create("directive");
    tcase_add_test(t, test_values);
    tcase_add_loop_test(t, test_broken, 0, sizeof broken / sizeof broken[0]);
    tcase_add_test(t, test_warn);
    tcase_add_loop_test(t, test_fit, 0, sizeof fits / sizeof fits[0]);
    suite_add_tcase(s, t);
    return s;
}
