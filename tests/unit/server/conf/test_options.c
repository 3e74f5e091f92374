/* test_options.c - server/options: nginx's letters and texts, and `sluice DIR`. */
#include "unit.h"

#include "server/conf/options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { WORDS_MOST = 8 };

/* Words in one text, separated by spaces. */
static int parse(struct options *o, const char *line)
{
    static char copy[256];
    char *argv[WORDS_MOST + 1] = {"sluice"};
    int argc = 1;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && argc < WORDS_MOST; word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_parse(o, argc, argv);
}

static const struct {
    const char *line, *error;
} refused[] = {
    {"-z", "invalid option: \"z\""},
    {"-tz", "invalid option: \"z\""},
    {"-", "invalid option: \"-\""},
    {"--frobnicate", "invalid option: \"--frobnicate\""},
    {"-c", "option \"-c\" requires file name"},
    {"-tc", "option \"-c\" requires file name"},
    {"-e", "option \"-e\" requires file name"},
    {"-p", "option \"-p\" requires directory name"},
    {"-g", "option \"-g\" requires parameter"},
    {"-s", "option \"-s\" requires parameter"},
    {"-s foo", "invalid option: \"-s foo\""},
    {"-l", "option \"-l\" requires address"},
    {"-l 80", "option \"-l\" goes with a directory; a configuration file has \"listen\""},
    {"--tls", "option \"--tls\" goes with a directory; a configuration file has \"listen ... ssl\""},
    {"--qr", "option \"--qr\" goes with a directory"},
    {"a b", "invalid option: \"b\""},
    {"a -c x", "option \"-c\" does not go with a directory (\"a\")"},
    {"a -t", "option \"-t\" does not go with a directory (\"a\")"},
    {"-s stop a", "option \"-s\" does not go with a directory (\"a\")"},
};

START_TEST(test_refused)
{
    struct options o;

    ck_assert_int_eq(parse(&o, refused[_i].line), -EINVAL);
    ck_assert_str_eq(o.error, refused[_i].error);
}
END_TEST

START_TEST(test_empty)
{
    struct options o;

    ck_assert_int_eq(parse(&o, ""), 0);
    ck_assert(!o.test && !o.version && !o.quiet && !o.dump && !o.reference);
    ck_assert_int_eq(o.signal, 0);
    ck_assert_ptr_null(o.conf_file);
    ck_assert_ptr_null(o.directory);
}
END_TEST

START_TEST(test_run_together)
{
    struct options o;

    ck_assert_int_eq(parse(&o, "-tqc/x -p /y -e /z -g a;"), 0);
    ck_assert(o.test && o.quiet && !o.dump);
    ck_assert_str_eq(o.conf_file, "/x");
    ck_assert_str_eq(o.prefix, "/y");
    ck_assert_str_eq(o.error_log, "/z");
    ck_assert_str_eq(o.globals, "a;");
    ck_assert_int_eq(parse(&o, "-T"), 0);
    ck_assert(o.test && o.dump);
    ck_assert_int_eq(parse(&o, "-V"), 0);
    ck_assert(o.version && o.build && !o.help);
    ck_assert_int_eq(parse(&o, "-?"), 0);
    ck_assert(o.version && o.help);
}
END_TEST

START_TEST(test_signals)
{
    struct options o;

    ck_assert_int_eq(parse(&o, "-s stop"), 0);
    ck_assert_int_eq(o.signal, SIGTERM);
    ck_assert_int_eq(parse(&o, "-squit"), 0);
    ck_assert_int_eq(o.signal, SIGQUIT);
    ck_assert_int_eq(parse(&o, "-s reload -c x"), 0);
    ck_assert_int_eq(o.signal, SIGHUP);
    ck_assert_int_eq(parse(&o, "-s reopen"), 0);
    ck_assert_int_eq(o.signal, SIGUSR1);
}
END_TEST

START_TEST(test_directory)
{
    struct options o;

    ck_assert_int_eq(parse(&o, "/srv -l [::]:80 -q"), 0);
    ck_assert_str_eq(o.directory, "/srv");
    ck_assert_str_eq(o.listen, "[::]:80");
    ck_assert(o.quiet);
    ck_assert_int_eq(parse(&o, "-l9000 ."), 0);
    ck_assert_str_eq(o.directory, ".");
    ck_assert_str_eq(o.listen, "9000");
}
END_TEST

Suite *suite_server_options(void)
{
    Suite *s = suite_create("server/options");
    TCase *tc = tcase_create("options");

    tcase_add_loop_test(tc, test_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, test_empty);
    tcase_add_test(tc, test_run_together);
    tcase_add_test(tc, test_signals);
    tcase_add_test(tc, test_directory);
    suite_add_tcase(s, tc);
    return s;
}
