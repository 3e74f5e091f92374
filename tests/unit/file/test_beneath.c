/* test_beneath.c - paths walked by hand beneath a root: where they lead, how they fail, and that
 * the kernel's openat2 says the same. */
#include "file/beneath.h"
#include "file/guard.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root;

static void setup(void)
{
    char name[24], before[24];

    unit_write("out/secret", "s", 1);
    unit_write("root/in", "i", 1);
    unit_write("root/a/b/c/deep", "d", 1);
    const struct {
        const char *target, *name;
    } links[] = {
        {"in", "root/good"},
        {"../in", "root/a/up"},
        {"../../out/secret", "root/a/out"},
        {"/in", "root/absolute"},
        {"/proc/self/root", "root/magic"},
        {"loop", "root/loop"},
        {"a/b", "root/dir"},
        {"a/b/", "root/slashed"},
        {"in/", "root/no-dir"},
        {"dir/../../in", "root/far"},
        {"nowhere", "root/dangling"},
        {".", "root/here"},
        {"..", "root/above"},
        {"a/../../root/in", "root/out-and-in"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        ck_assert_int_eq(symlink(links[i].target, unit_path(links[i].name)), 0);
    snprintf(before, sizeof before, "in");
    for (int i = 1; i <= 41; i++) { /* link to link to link */
        char path[32];
        snprintf(name, sizeof name, "chain%d", i);
        snprintf(path, sizeof path, "root/%s", name);
        ck_assert_int_eq(symlink(before, unit_path(path)), 0);
        memcpy(before, name, sizeof before);
    }
    root = open(unit_path("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root, 0);
}

static void teardown(void)
{
    close(root);
}

static const struct {
    const char *path;
    int rc, refusing; /* with links followed, and refused */
} cases[] = {
    {"in", 0, 0},
    {"./in", 0, 0},
    {".", 0, 0},
    {"a/", 0, 0},
    {"a//b/./c/deep", 0, 0},
    {"a/b/../../in", 0, 0},
    {"a/b/c/../../../a/b/c/deep", 0, 0},
    {"a/..", 0, 0},
    {"..", -EXDEV, -EXDEV},
    {"a/../..", -EXDEV, -EXDEV},
    {"a/../../root/in", -EXDEV, -EXDEV},
    {"/in", -EXDEV, -EXDEV},
    {"in/", -ENOTDIR, -ENOTDIR},
    {"in/..", -ENOTDIR, -ENOTDIR},
    {"none", -ENOENT, -ENOENT},
    {"none/../in", -ENOENT, -ENOENT},
    {"good", 0, -ELOOP},
    {"good/", -ENOTDIR, -ENOTDIR},
    {"a/up", 0, -ELOOP},
    {"a/out", -EXDEV, -ELOOP},
    {"absolute", -EXDEV, -ELOOP},
    {"magic", -EXDEV, -ELOOP},
    {"magic/etc", -EXDEV, -ENOTDIR},
    {"loop", -ELOOP, -ELOOP},
    {"dir", 0, -ELOOP},
    {"dir/c/deep", 0, -ENOTDIR},
    {"dir/../b/c/deep", 0, -ENOTDIR}, /* of what the link leads to */
    {"slashed/c/deep", 0, -ENOTDIR},
    {"no-dir", -ENOTDIR, -ELOOP},
    {"far", 0, -ELOOP},
    {"dangling", -ENOENT, -ELOOP},
    {"here/here/here/in", 0, -ENOTDIR},
    {"above", -EXDEV, -ELOOP},
    {"out-and-in", -EXDEV, -ELOOP},
    {"chain40", 0, -ELOOP},
    {"chain41", -ELOOP, -ELOOP},
};

enum { CASES = sizeof cases / sizeof *cases };

static void check(const char *path, int flags, bool refuse, int expected)
{
    int fd = beneath_open(root, path, flags, refuse);

    ck_assert_msg(expected < 0 ? fd == expected : fd >= 0, "%s: %d", path, fd);
    if (fd >= 0)
        close(fd);
}

static ino_t ino_of(int fd)
{
    struct stat st;
    ck_assert_int_eq(fstat(fd, &st), 0);
    close(fd);
    return st.st_ino;
}

START_TEST(test_ways)
{
    const int flags[] = {O_RDONLY | O_CLOEXEC, O_PATH | O_CLOEXEC};
    int spare = dup(root);

    close(spare);
    for (int i = 0; i < CASES; i++) {
        for (unsigned n = 0; n < 2; n++) {
            check(cases[i].path, flags[n], false, cases[i].rc);
            check(cases[i].path, flags[n], true, cases[i].refusing);
        }
    }
    int after = dup(root); /* nothing was left open */
    ck_assert_int_eq(after, spare);
    close(after);
    check("a/b", O_PATH | O_DIRECTORY, false, 0);
    check("in", O_PATH | O_DIRECTORY, false, -ENOTDIR);
    check("in", O_RDONLY | O_DIRECTORY, false, -ENOTDIR);
}
END_TEST

START_TEST(test_the_kernels_answers)
{
    if (unit_on_valgrind())
        return;
    for (int i = 0; i < CASES; i++) {
        int ours = beneath_open(root, cases[i].path, O_RDONLY, false);
        int kernels = guard_openat(root, cases[i].path, O_RDONLY, RESOLVE_BENEATH);
        ck_assert_msg(ours < 0 ? ours == kernels : kernels >= 0, "%s: %d, %d", cases[i].path, ours, kernels);
        if (ours >= 0)
            ck_assert_uint_eq(ino_of(ours), ino_of(kernels));
    }
}
END_TEST

START_TEST(test_too_long)
{
    char path[PATH_MAX + 2];

    memset(path, 'x', sizeof path);
    path[NAME_MAX + 1] = '\0';
    check(path, O_RDONLY, false, -ENAMETOOLONG);
    path[NAME_MAX] = '\0';
    check(path, O_RDONLY, false, -ENOENT);
    for (size_t i = 0; i < PATH_MAX; i++)
        path[i] = i % 2 ? '/' : '.';
    path[PATH_MAX] = '\0';
    check(path, O_RDONLY, false, -ENAMETOOLONG);
    path[PATH_MAX - 1] = '\0';
    check(path, O_RDONLY, false, 0);
    for (size_t i = 0; i + 5 < PATH_MAX; i += 5) /* in and out, up to the end */
        memcpy(path + i, "a/../", 5);
    check(path, O_RDONLY, false, 0);
    /* What a link adds may not fit. */
    for (size_t i = 0; i < PATH_MAX - 1; i++)
        path[i] = '/';
    memcpy(path, "slashed", 7);
    check(path, O_RDONLY, false, 0);
    memcpy(path, "here//far", 9);
    check(path, O_RDONLY, false, -ENAMETOOLONG);
}
END_TEST

Suite *suite_file_beneath(void)
{
    Suite *s = suite_create("file/beneath");
    TCase *t = tcase_create("beneath");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_ways);
    tcase_add_test(t, test_the_kernels_answers);
    tcase_add_test(t, test_too_long);
    suite_add_tcase(s, t);
    return s;
}
