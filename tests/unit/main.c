/* main.c - runs the suites of tests/unit: all of them, or those named with -s. The build writes the list. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    srunner_run_all(runner, mode);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
