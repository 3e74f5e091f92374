/* test_local.c - which paths can be asked about without a word from a daemon or another machine, and
 * whose times tell of a change. */
#include "unit.h"

#include "file/file.h"
#include "file/local.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *linked(const char *name, const char *target)
{
    const char *path = unit_path(name);
    ck_assert_int_eq(symlink(target, path), 0);
    return path;
}

START_TEST(test_paths)
{
    const char *file = unit_write("d/f", "abc", 3);
    char slashes[PATH_MAX];

    ck_assert(path_is_local("/"));
    ck_assert(path_is_local(file));
    snprintf(slashes, sizeof slashes, "%s//d/../d/./f", unit_dir());
    ck_assert(path_is_local(slashes));
    ck_assert(path_is_local(unit_path("d/none")));
    ck_assert(path_is_local(unit_path("none/none")));
    ck_assert(path_is_local(unit_path("d/f/none")));
    ck_assert(!path_is_local("/proc/self/status"));
    ck_assert(!path_is_local("/proc/none"));
    ck_assert(!path_is_local("relative"));
    ck_assert(!path_is_local(""));
}
END_TEST

/* Whether what is kept by its times is the same content: young ones, and those of images. */
START_TEST(test_times)
{
    struct timespec written = {100, 4000000}, earlier = {90, 0}, whole = {100, 0};

    ck_assert(file_times_are_doubtful(written, written, 101));
    ck_assert(!file_times_are_doubtful(written, written, 102));
    ck_assert(file_times_are_doubtful(earlier, written, 101)); /* written, and its time set */
    ck_assert(!file_times_are_doubtful(earlier, written, 102));
    ck_assert(file_times_are_doubtful(whole, whole, 1000));
    ck_assert(!file_times_are_doubtful(earlier, whole, 1000));
    ck_assert(file_times_are_doubtful(written, written, 50)); /* the clock was set back */
}
END_TEST

START_TEST(test_links)
{
    unit_write("d/f", "abc", 3);
    ck_assert(path_is_local(linked("relative", "d/f")));
    ck_assert(path_is_local(linked("up", "d/../d")));
    ck_assert(path_is_local(unit_path("up/f")));
    ck_assert(path_is_local(linked("dangling", "nowhere/at/all")));
    ck_assert(path_is_local(linked("absolute", unit_path("d"))));
    ck_assert(path_is_local(unit_path("absolute/f")));
    ck_assert(!path_is_local(linked("loop", "loop")));
    ck_assert(!path_is_local(unit_path("loop/f")));

    /* What it leads to is local again, but not all of the way. */
    char detour[PATH_MAX];
    snprintf(detour, sizeof detour, "/proc/self/root%s/d", unit_dir());
    ck_assert(!path_is_local(linked("detour", detour)));
    ck_assert(!path_is_local(unit_path("detour/f")));
}
END_TEST

START_TEST(test_lengths)
{
    char path[PATH_MAX + 10], name[NAME_MAX + 2];

    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = '\0';
    ck_assert(!path_is_local(unit_path(name)));
    memset(path, '/', sizeof path);
    path[sizeof path - 1] = '\0';
    ck_assert(!path_is_local(path));
    path[PATH_MAX - 1] = '\0';
    ck_assert(path_is_local(path));
}
END_TEST

Suite *suite_file_local(void)
{
    Suite *s = suite_create("file/local");
    TCase *t = tcase_create("local");
    tcase_add_test(t, test_paths);
    tcase_add_test(t, test_links);
    tcase_add_test(t, test_times);
    tcase_add_test(t, test_lengths);
    suite_add_tcase(s, t);
    return s;
}
