/* test_mime.c - the `types` directive, and media types by file name. */
#include "unit.h"

#include "http/syntax/mime.h"

#include "conf/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct values {
    struct mime_table *types;
};

static const struct conf_row rows[] = {
    {"types", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, mime_set_types, CONF_SLOT(struct values, types)},
    {.name = NULL},
};
static struct conf_module module = {"test", rows, sizeof(struct values), CONF_MAIN, 0, NULL};
static struct conf_module *const modules[] = {&module, NULL};

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct mime_table *table_of(const char *configuration)
{
    struct conf_input input = {.bytes = text_of(configuration), .name = "test", .prefix = "/", .modules = modules};
    struct conf_result result;
    int rc = conf_read(&input, &arena, &result);
    ck_assert_msg(rc == 0, "%s", result.error);
    return ((struct values *)conf_values(result.root, &module))->types;
}

static void is_type(const struct mime_table *t, const char *path, const char *expected)
{
    struct text type = mime_type(t, text_of(path), TEXT("fall/back"));
    ck_assert_msg(text_equal(type, text_of(expected)), "%s: %.*s, not %s", path, TEXT_ARG(type), expected);
}

START_TEST(test_types)
{
    const struct mime_table *t = table_of("types { text/html html htm; image/svg+xml SVG; application/x-none; }");
    is_type(t, "/a.html", "text/html");
    is_type(t, "/a.htm", "text/html");
    is_type(t, "/A.HTML", "text/html");
    is_type(t, "/a.svg", "image/svg+xml");
    is_type(t, "/a.b.svg", "image/svg+xml");
    is_type(t, "/a.html.b", "fall/back");
    is_type(t, "/a.htmlx", "fall/back");
    is_type(t, "/a.ht", "fall/back");
    is_type(t, "/a.gif", "fall/back");
}
END_TEST

START_TEST(test_where_the_extension_is)
{
    const struct mime_table *t = table_of("types { text/html html; }");
    is_type(t, "/", "fall/back");
    is_type(t, "", "fall/back");
    is_type(t, "html", "fall/back");
    is_type(t, "/html", "fall/back");
    is_type(t, "/a.", "fall/back");
    is_type(t, "/.html", "fall/back");
    is_type(t, "/a/.html", "fall/back");
    is_type(t, "/a.html/", "fall/back");
    is_type(t, "/a.html/b", "fall/back");
    is_type(t, "/..html", "text/html");
    is_type(t, "/a.b/c.html", "text/html");
    /* A view: what follows it does not count. */
    struct text path = {"/a.html5", 7};
    ck_assert(text_equal(mime_type(t, path, TEXT_NONE), TEXT("text/html")));
}
END_TEST

START_TEST(test_built_in)
{
    is_type(NULL, "/a.html", "text/html");
    is_type(NULL, "/a.GIF", "image/gif");
    is_type(NULL, "/a.jpg", "image/jpeg");
    is_type(NULL, "/a.jpeg", "fall/back");
    is_type(NULL, "/a.css", "fall/back");
    is_type(table_of("types { }"), "/a.html", "fall/back");
}
END_TEST

START_TEST(test_the_last_one_wins)
{
    is_type(table_of("types { a/b x; c/d X; }"), "/a.x", "c/d");
    const struct mime_table *t = table_of("types { a/b x; } types { c/d y; }");
    is_type(t, "/a.x", "a/b");
    is_type(t, "/a.y", "c/d");
}
END_TEST

START_TEST(test_many)
{
    struct buffer conf;
    char path[32], type[32];
    buffer_init(&conf);
    buffer_add_str(&conf, "types {");
    for (int i = 0; i < 2000; i++)
        buffer_printf(&conf, "t/%d e%d;\n", i, i);
    buffer_add(&conf, "}", 2);
    const struct mime_table *t = table_of(conf.data);
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "/x.e%d", i);
        snprintf(type, sizeof type, "t/%d", i);
        is_type(t, path, type);
    }
    is_type(t, "/x.e2000", "fall/back");
    buffer_fini(&conf);
}
END_TEST

START_TEST(test_hostile_extension)
{
    const struct mime_table *t = table_of("types { text/html html; }");
    char path[10000];
    memset(path, 'a', sizeof path);
    memcpy(path, "/a.", 3);
    ck_assert(text_equal(mime_type(t, (struct text){path, sizeof path}, TEXT("f/b")), TEXT("f/b")));
    is_type(t, "/a.\xff\x80", "fall/back");
}
END_TEST

START_TEST(test_too_long)
{
    struct conf_input input = {
        .bytes = TEXT("types { a/b xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; }"),
        .name = "test",
        .prefix = "/",
        .modules = modules};
    struct conf_result result;
    ck_assert_int_lt(conf_read(&input, &arena, &result), 0);
}
END_TEST

/* conf/mime.types as it is delivered, where the tests run in the source tree. */
START_TEST(test_delivered)
{
    if (access("conf/mime.types", R_OK) < 0)
        return;
    size_t len;
    char *bytes = unit_read("conf/mime.types", &len);
    const struct mime_table *t = table_of(bytes);
    static const char *const expected[][2] = {
        {"html", "text/html"},
        {"css", "text/css"},
        {"js", "text/javascript"},
        {"mjs", "text/javascript"},
        {"json", "application/json"},
        {"svg", "image/svg+xml"},
        {"webp", "image/webp"},
        {"avif", "image/avif"},
        {"jxl", "image/jxl"},
        {"woff2", "font/woff2"},
        {"wasm", "application/wasm"},
        {"webmanifest", "application/manifest+json"},
        {"jsonld", "application/ld+json"},
        {"md", "text/markdown"},
        {"ts", "video/mp2t"},
        {"m3u8", "application/vnd.apple.mpegurl"},
        {"mpd", "application/dash+xml"},
        {"m4s", "video/iso.segment"},
        {"mp4", "video/mp4"},
        {"pdf", "application/pdf"},
        {"zst", "application/zstd"},
        {"bin", "application/octet-stream"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/x.%s", expected[i][0]);
        is_type(t, path, expected[i][1]);
    }
    free(bytes);
}
END_TEST

Suite *suite_http_mime(void)
{
    Suite *s = suite_create("http/mime");
    TCase *t = tcase_create("mime");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_types);
    tcase_add_test(t, test_where_the_extension_is);
    tcase_add_test(t, test_built_in);
    tcase_add_test(t, test_the_last_one_wins);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_hostile_extension);
    tcase_add_test(t, test_too_long);
    tcase_add_test(t, test_delivered);
    suite_add_tcase(s, t);
    return s;
}
