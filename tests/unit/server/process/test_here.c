/* test_here.c - server/here: relative paths, made absolute. */
#include "unit.h"

#include "server/process/here.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct made {
    const char *given, *expected; /* behind the folder, where `given` is relative */
} mades[] = {
    {".", ""},          {"./", ""},         {"", ""},
    {"a", "/a"},        {"a/", "/a"},       {"./a//b/.", "/a/b"},
    {"..", "/.."},      {"../x/", "/../x"}, {"a/../b", "/a/../b"},
    {".a", "/.a"},      {"...", "/..."},    {"/", "/"},
    {"//", "/"},        {"/a/", "/a"},      {"/./a/b", "/a/b"},
    {"/a/..", "/a/.."},
};

START_TEST(test_made)
{
    const struct made *m = &mades[_i];
    char expected[4096], folder[2048];

    ck_assert_int_eq(chdir(unit_dir()), 0);
    unsetenv("PWD");
    ck_assert_ptr_nonnull(getcwd(folder, sizeof folder));
    snprintf(expected, sizeof expected, "%s%s", m->given[0] == '/' ? "" : folder, m->expected);
    char *made = here_path(m->given);
    ck_assert_str_eq(made, expected);
    free(made);
}
END_TEST

/* The links by which a shell came here stay, unless they lead to another place now. */
START_TEST(test_links)
{
    unit_write("releases/1/x", "1", 1);
    unit_write("releases/2/x", "2", 1);
    ck_assert_int_eq(symlink("releases/1", unit_path("current")), 0);
    ck_assert_int_eq(chdir(unit_path("current")), 0);
    setenv("PWD", unit_path("current"), 1);
    char *made = here_path("x");
    ck_assert_str_eq(made, unit_path("current/x"));
    free(made);
    ck_assert_int_eq(unlink(unit_path("current")), 0);
    ck_assert_int_eq(symlink("releases/2", unit_path("current")), 0);
    made = here_path("x");
    ck_assert_msg(strstr(made, "/releases/1/x") != NULL, "%s", made);
    free(made);
}
END_TEST

Suite *suite_server_here(void)
{
    Suite *s = suite_create("server/here");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, test_made, 0, sizeof mades / sizeof *mades);
    tcase_add_test(t, test_links);
    suite_add_tcase(s, t);
    return s;
}
