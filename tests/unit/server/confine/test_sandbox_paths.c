/* test_sandbox_paths.c - server/sandbox_paths: which paths a worker is granted, in order and each
 * once. */
#include "unit.h"

#include "server/confine/sandbox_paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct constant {
    const char *path, *expected; /* NULL: there is none */
} constants[] = {
    {"/srv/site", "/srv/site"},
    {"/srv/site/", "/srv/site"},
    {"/srv//site//", "/srv//site"},
    {"/", "/"},
    {"/srv/$host/x", "/srv"},
    {"/srv/a-$host", "/srv"},
    {"/srv/$host", "/srv"},
    {"/srv//$host", "/srv"},
    {"/$host", "/"},
    {"/a$host", "/"},
    {"relative/x", NULL},
    {"$host/x", NULL},
    {"", NULL},
};

START_TEST(test_constant)
{
    const struct constant *c = &constants[_i];
    char out[PATH_MAX];

    bool is = sandbox_constant(c->path, out);
    ck_assert_msg(is == (c->expected != NULL), "%s", c->path);
    if (is)
        ck_assert_str_eq(out, c->expected);
}
END_TEST

START_TEST(test_constant_too_long)
{
    char path[PATH_MAX + 2], out[PATH_MAX];

    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[PATH_MAX] = '\0';
    ck_assert(!sandbox_constant(path, out));
    path[PATH_MAX - 1] = '\0';
    ck_assert(sandbox_constant(path, out));
    ck_assert_str_eq(out, path);
}
END_TEST

static const struct grant *find(const struct grants *g, const char *path)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->at[i].path, path) == 0)
            return &g->at[i];
    ck_abort_msg("no %s", path);
}

enum { ROOTS = 1000, NAMES = ROOTS + 4 };

/* Names in the order of a configuration, some of them twice. */
START_TEST(test_paths)
{
    static struct conf_noted_path reads[NAMES], writes[2];
    static char names[ROOTS][32];
    static const char *const further[4] = {"/srv/$host/public", "/srv/", "/logs", "relative"};
    struct main_conf main_conf = {.working_directory = NULL};
    struct cycle c = {.main = &main_conf};
    struct grants g = {.at = NULL};

    list_init(&c.conf.reads);
    list_init(&c.conf.writes);
    for (int i = 0; i < NAMES; i++) {
        if (i < ROOTS)
            snprintf(names[i], sizeof names[i], "/srv/%d", (i * 7) % (ROOTS / 2));
        reads[i].path = i < ROOTS ? names[i] : further[i - ROOTS];
        list_append(&c.conf.reads, &reads[i].node);
    }
    writes[0].path = "/logs/$host.log";
    writes[1].path = "/$host.log";
    list_append(&c.conf.writes, &writes[0].node);
    list_append(&c.conf.writes, &writes[1].node);

    ck_assert_int_eq(sandbox_paths(&g, &c), 0);
    size_t roots = 0;
    for (size_t i = 0; i < g.count; i++) {
        ck_assert_msg(i == 0 || strcmp(g.at[i - 1].path, g.at[i].path) < 0, "%s", g.at[i].path);
        roots += strncmp(g.at[i].path, "/srv/", 5) == 0;
    }
    ck_assert_uint_eq(roots, ROOTS / 2);
    ck_assert_uint_eq(find(&g, "/srv")->rights, GRANT_READ | GRANT_LIST);
    ck_assert_uint_eq(find(&g, "/logs")->rights, GRANT_READ | GRANT_LIST | GRANT_WRITE | GRANT_MAKE);
    ck_assert_int_eq(find(&g, "relative")->error, EINVAL); /* said, not dropped */
    ck_assert_int_eq(find(&g, "/$host.log")->error, EPERM);
    ck_assert_uint_ne(find(&g, "/dev/null")->rights & GRANT_OWN, 0);
    sandbox_paths_free(&g);
}
END_TEST

Suite *suite_server_sandbox_paths(void)
{
    Suite *s = suite_create("server/sandbox_paths");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, test_constant, 0, sizeof constants / sizeof *constants);
    tcase_add_test(t, test_constant_too_long);
    tcase_add_test(t, test_paths);
    suite_add_tcase(s, t);
    return s;
}
