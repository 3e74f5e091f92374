/* test_parse.c - configurations right and wrong; the texts of the errors are nginx's. */
#include "conf/parse.h"
#include "sample.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *bytes, *error;
} broken[] = {
    {"foo bar;", "unknown directive \"foo\" in t.conf:1"},
    {"\n foo {}", "unknown directive \"foo\" in t.conf:2"},
    {"http { srever {} }", "unknown directive \"srever\", did you mean \"server\"? in t.conf:1"},
    {"inlcude x;", "unknown directive \"inlcude\", did you mean \"include\"? in t.conf:1"},
    {"http { proxy_pass x; }", "\"proxy_pass\" directive is not supported: it serves files in t.conf:1"},
    {"root /a;", "\"root\" directive is not allowed here in t.conf:1"},
    {"http { events {} }", "\"events\" directive is not allowed here in t.conf:1"},
    {"http { server { root; } }", "invalid number of arguments in \"root\" directive in t.conf:1"},
    {"http { root a b; }", "invalid number of arguments in \"root\" directive in t.conf:1"},
    {"http { root\n\n a\n b\n; }", "invalid number of arguments in \"root\" directive in t.conf:5"},
    {"http { sendfile; }", "invalid number of arguments in \"sendfile\" directive in t.conf:1"},
    {"http on {}", "invalid number of arguments in \"http\" directive in t.conf:1"},
    {"http { server { location {} } }", "invalid number of arguments in \"location\" directive in t.conf:1"},
    {"http { repeat 1 2 3 4 5 6 7 8 9; }", "invalid number of arguments in \"repeat\" directive in t.conf:1"},
    {"http { server { if; } }", "invalid number of arguments in \"if\" directive in t.conf:1"},
    {"http { server { if a; } }", "this is the `if` of a server in t.conf:1"},
    {"http { server { location / { if a; } } }", "this is the `if` of a location in t.conf:1"},
    {"http { if a; }", "\"if\" directive is not allowed here in t.conf:1"},
    {"http { root /a }", "unexpected \"}\" in t.conf:1"},
    {"events;", "directive \"events\" has no opening \"{\" in t.conf:1"},
    {"http { root a{b; }", "directive \"root\" is not terminated by \";\" in t.conf:1"},
    {"http { include a{b; }", "directive \"include\" is not terminated by \";\" in t.conf:1"},
    {"http { server { root /a\n", "unexpected end of file, expecting \";\" or \"}\" in t.conf:2"},
    {"http { server { root \"/a; }}\n", "unexpected end of file, expecting \";\" or \"}\" in t.conf:2"},
    {"http { server { root /a;\n", "unexpected end of file, expecting \"}\" in t.conf:2"},
    {"http { types {", "unexpected end of file, expecting \"}\" in t.conf:1"},
    {"events {} } http {}", "unexpected \"}\" in t.conf:1"},
    {"http { ; }", "unexpected \";\" in t.conf:1"},
    {"http { {} }", "unexpected \"{\" in t.conf:1"},
    {"http { root \"a\"b; }", "unexpected \"b\" in t.conf:1"},
    {"http { types { a b; c { } } }", "unexpected \"{\" in t.conf:1"},
    {"http { types { a b; ; } }", "unexpected \";\" in t.conf:1"},
    {"http { types { a b;\n c; } }", "type without extension in t.conf:2"},
    {"http { root /a; root /b; }", "\"root\" directive is duplicate in t.conf:1"},
    {"events {} events {}", "\"events\" directive is duplicate in t.conf:1"},
    {"http { types {} types {} }", "\"types\" directive is duplicate in t.conf:1"},
    {"http { server { location / { root /a;\n alias /b; } } }",
     "\"alias\" directive is duplicate, \"root\" directive was specified earlier in t.conf:2"},
    {"http { server { location /\n{\n\n} location\n /bad { } } }", "bad location in t.conf:5"},
    {"http { unread {} }", "nothing reads the block of \"unread\" in t.conf:1"},
    {"http { include a b; }", "invalid number of arguments in \"include\" directive in t.conf:1"},
    {"http { include /no/such/file; }", "open() \"/no/such/file\" failed (2: No such file or directory) in t.conf:1"},
    {"http { types { include /no/such; } }", "open() \"/no/such\" failed (2: No such file or directory) in t.conf:1"},
    {"http { include x; }", "open() \"/p/x\" failed (2: No such file or directory) in t.conf:1"},
    {"http { include /; }", "pread() \"/\" failed (21: Is a directory) in t.conf:1"},
    {"\nhttp { server {\n requests 666; } }", "666 cannot be in t.conf:2"},
};

START_TEST(test_broken)
{
    struct conf_result *r = sample_read(broken[_i].bytes);
    ck_assert_ptr_nonnull(r->error);
    ck_assert_str_eq(r->error, broken[_i].error);
    sample_done();
}
END_TEST

START_TEST(test_blocks)
{
    struct conf_result *r = sample_read("events { worker_connections 7; } worker_processes 3;\n"
                                        "http {\n server { location / { location /a { } } }\n\n server { } }");
    ck_assert_ptr_null(r->error);
    struct sample_main *m = conf_values(r->root, &sample_main_module);
    ck_assert_int_eq(m->processes, 3);
    ck_assert_int_eq(m->connections, 7); /* into the struct of the block around */
    ck_assert_int_eq(r->root->context, CONF_MAIN);
    struct conf_block *inner = sample_block(r->root, CONF_LOCATION, 1);
    ck_assert_int_eq(inner->parent->context, CONF_LOCATION);
    ck_assert_int_eq(inner->parent->parent->context, CONF_SERVER);
    ck_assert_uint_eq(sample_block(r->root, CONF_SERVER, 1)->line, 5);
    ck_assert_str_eq(inner->file, "t.conf");
    ck_assert_ptr_null(sample_block(r->root, CONF_SERVER, 2));
    ck_assert_ptr_null(conf_values(inner, &sample_main_module));
    ck_assert_str_eq(sample_finishes, "hslls"); /* outermost first, in the order of the file */
    sample_done();
}
END_TEST

START_TEST(test_empty)
{
    struct conf_result *r = sample_read("");
    ck_assert_ptr_null(r->error);
    ck_assert_ptr_null(sample_block(r->root, CONF_HTTP, 0));
    ck_assert_str_eq(sample_finishes, "");
    sample_done();
}
END_TEST

START_TEST(test_types)
{
    unit_write("more.types", "image/png png;\n", 15);
    char conf[512];
    snprintf(conf, sizeof conf, "http { types { text/html html htm; include %s; 'a b' c; } sendfile off; }",
             unit_path("more.types"));
    ck_assert_ptr_null(sample_read(conf)->error);
    ck_assert_str_eq(sample_types, "text/html html htm;image/png png;a b c;");
    ck_assert(!sample_values(CONF_HTTP, 0)->sendfile); /* the tables again after the lines */
    sample_done();
}
END_TEST

static const char *write_str(const char *name, const char *text)
{
    return unit_write(name, text, strlen(text));
}

/* Relative to the folder of the main file; globs in order, without a match nothing. */
START_TEST(test_include)
{
    write_str("etc/conf.d/b.conf", "server { root /b; }");
    write_str("etc/conf.d/a.conf", "server { root /a; include sub/c; }");
    write_str("etc/sub/c", "location / { }");
    const char *path = write_str("etc/main.conf", "http { include conf.d/*.conf; include no/*.conf; include sub/d; }");
    write_str("etc/sub/d", "sendfile off;");
    struct conf_result *r = sample_read_file(path, NULL);
    ck_assert_ptr_null(r->error);
    ck_assert_str_eq(sample_values(CONF_SERVER, 0)->root, "/a");
    ck_assert_str_eq(sample_values(CONF_SERVER, 1)->root, "/b");
    ck_assert(!sample_values(CONF_HTTP, 0)->sendfile);
    ck_assert_str_eq(sample_block(r->root, CONF_LOCATION, 0)->file, unit_path("etc/sub/c"));

    const char *names[] = {"etc/main.conf", "etc/conf.d/a.conf", "etc/sub/c", "etc/conf.d/b.conf", "etc/sub/d"};
    unsigned i = 0;
    list_each (&r->files, node, tmp) {
        ck_assert_str_eq(container_of(node, struct conf_file, node)->path, unit_path(names[i]));
        i++;
    }
    ck_assert_uint_eq(i, 5);
    sample_done();
}
END_TEST

static const char *at(const char *path, int line)
{
    static char where[256];
    snprintf(where, sizeof where, "%s:%d", path, line);
    return where;
}

/* "<error> in <where>" */
static void check_error(const char *path, const char *globals, const char *error, const char *where)
{
    char expected[512];
    struct conf_result *r = sample_read_file(path, globals);
    ck_assert_ptr_nonnull(r->error);
    snprintf(expected, sizeof expected, "%s in %s", error, where);
    ck_assert_str_eq(r->error, expected);
}

START_TEST(test_include_errors)
{
    const char *main_conf = write_str("m", "http {\n include x; }");
    const char *x = write_str("x", "\n}");
    check_error(main_conf, NULL, "unexpected \"}\"", at(x, 2));
    write_str("x", "server {\n");
    check_error(main_conf, NULL, "unexpected end of file, expecting \"}\"", at(x, 2));
    write_str("x", "sendfile\n\n");
    check_error(main_conf, NULL, "unexpected end of file, expecting \";\" or \"}\"", at(x, 3));
    write_str("x", "\nroot a;root b;");
    check_error(main_conf, NULL, "\"root\" directive is duplicate", at(x, 2));
    write_str("x", "include y;");
    ck_assert_ptr_nonnull(
        strstr(sample_read_file(main_conf, NULL)->error, "/y\" failed (2: No such file or directory) in "));
    sample_done();
}
END_TEST

START_TEST(test_include_cycle)
{
    char expected[512];
    const char *a = write_str("a", "include b;"), *b = write_str("b", "\ninclude ./a;");
    struct conf_result *r = sample_read_file(a, NULL);
    snprintf(expected, sizeof expected, "\"%s/./a\" includes itself in %s:2", unit_dir(), b);
    ck_assert_str_eq(r->error, expected);

    for (int i = 0; i < 70; i++) { /* no cycle, but deep */
        char name[16], text[32];
        snprintf(name, sizeof name, "deep%d", i);
        snprintf(text, sizeof text, "include deep%d;", i + 1);
        write_str(name, text);
    }
    r = sample_read_file(unit_path("deep0"), NULL);
    ck_assert_ptr_nonnull(strstr(r->error, "too deep nesting of \"include\" directives"));
    sample_done();
}
END_TEST

START_TEST(test_deep_blocks)
{
    char text[4000] = "http { server {";
    for (int i = 0; i < 100; i++)
        strcat(text, "location / {");
    ck_assert_str_eq(sample_read(text)->error, "too many blocks inside each other in t.conf:1");
    sample_done();
}
END_TEST

START_TEST(test_main_file)
{
    ck_assert_str_eq(sample_read_file("/no/such", NULL)->error,
                     "open() \"/no/such\" failed (2: No such file or directory)");
    ck_assert_str_eq(sample_read_file("/", NULL)->error, "pread() \"/\" failed (21: Is a directory)");
    sample_done();
}
END_TEST

START_TEST(test_globals)
{
    const char *path = write_str("m", "http {}"), *twice = write_str("n", "\nworker_processes 2;");
    struct conf_result *r = sample_read_file(path, "worker_processes 5; user x;");
    ck_assert_ptr_null(r->error);
    struct sample_main *m = conf_values(r->root, &sample_main_module);
    ck_assert_int_eq(m->processes, 5);
    check_error(path, "foo bar;", "unknown directive \"foo\"", "command line");
    check_error(path, "user", "unexpected end of parameter, expecting \";\"", "command line");
    check_error(path, "user 'x", "unexpected end of parameter, expecting \";\"", "command line");
    check_error(path, "events {", "block directives are not supported in -g option", "command line");
    check_error(path, "user a; user b;", "\"user\" directive is duplicate", "command line");
    check_error(path, "user a; }", "unexpected \"}\"", "command line");
    check_error(twice, "worker_processes 1;", "\"worker_processes\" directive is duplicate", at(twice, 2));
    sample_done();
}
END_TEST

START_TEST(test_nearest)
{
    ck_assert_str_eq(conf_nearest(sample_modules, "worker_proceses"), "worker_processes");
    ck_assert_str_eq(conf_nearest(sample_modules, "Sendfile"), "sendfile");
    ck_assert_str_eq(conf_nearest(sample_modules, "seldnile"), "sendfile"); /* three */
    ck_assert_ptr_null(conf_nearest(sample_modules, "seldnixx"));
    ck_assert_str_eq(conf_nearest(sample_modules, "httpp"), "http");
    ck_assert_ptr_null(conf_nearest(sample_modules, "hxxp")); /* half of it is wrong */
    ck_assert_ptr_null(conf_nearest(sample_modules, ""));
    ck_assert_ptr_null(conf_nearest(sample_modules, "x"));
    char huge[300];
    memset(huge, 'a', sizeof huge);
    huge[299] = '\0';
    ck_assert_ptr_null(conf_nearest(sample_modules, huge));
}
END_TEST

Suite *suite_conf_parse(void)
{
    Suite *s = suite_create("conf/parse");
    TCase *t = tcase_create("parse");
    tcase_add_loop_test(t, test_broken, 0, sizeof broken / sizeof broken[0]);
    tcase_add_test(t, test_blocks);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_types);
    tcase_add_test(t, test_include);
    tcase_add_test(t, test_include_errors);
    tcase_add_test(t, test_include_cycle);
    tcase_add_test(t, test_deep_blocks);
    tcase_add_test(t, test_main_file);
    tcase_add_test(t, test_globals);
    tcase_add_test(t, test_nearest);
    suite_add_tcase(s, t);
    return s;
}
