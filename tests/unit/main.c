/* main.c - runs the suites of tests/unit: all of them, or those named with -s. The build writes the
 * list. */
#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUITE(s) Suite *suite_##s(void);
#include SUITES
#undef SUITE

static const struct suite {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(s) {#s, suite_##s},
#include SUITES
#undef SUITE
    {NULL, NULL}};

/* A test that fails ends at once and leaves its folder: all of them lie in one that goes with the
 * run. */
static char run_dir[4096];

static void make_run_dir(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(run_dir, sizeof run_dir, "%.4000s/sluice-run-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(run_dir) || chmod(run_dir, 0755) < 0 || setenv("TMPDIR", run_dir, 1) < 0) {
        perror(run_dir);
        exit(2);
    }
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path);
    return 0;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [-l] [-n] [-v] [-s suite]...\n  -l  list the suites\n  -n  do not fork (for a debugger)\n",
            program);
    return 2;
}

static SRunner *add(SRunner *runner, Suite *suite)
{
    if (!runner)
        return srunner_create(suite);
    srunner_add_suite(runner, suite);
    return runner;
}

static SRunner *add_named(SRunner *runner, const char *name)
{
    for (const struct suite *s = suites; s->name; s++) {
        if (!strcmp(s->name, name))
            return add(runner, s->make());
    }
    fprintf(stderr, "no suite %s; -l lists them\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    SRunner *runner = NULL;
    enum print_output mode = CK_NORMAL;
    enum fork_status fork_status = CK_FORK;
    for (int option; (option = getopt(argc, argv, "lnvs:")) != -1;) {
        if (option == 'l') {
            for (const struct suite *s = suites; s->name; s++)
                puts(s->name);
            return 0;
        }
        if (option == 's')
            runner = add_named(runner, optarg);
        else if (option == 'v')
            mode = CK_VERBOSE;
        else if (option == 'n')
            fork_status = CK_NOFORK;
        else
            return usage(argv[0]);
    }
    for (const struct suite *s = runner ? NULL : suites; s && s->name; s++)
        runner = add(runner, s->make());
    if (!runner) {
        fputs("no unit tests are built in\n", stderr);
        return 1;
    }
    srunner_set_fork_status(runner, fork_status);
    make_run_dir();
    srunner_run_all(runner, mode);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(run_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return failed ? 1 : 0;
}
