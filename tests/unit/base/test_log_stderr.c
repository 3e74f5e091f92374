/* test_log_stderr.c - base/log_stderr: descriptor 2 becomes the log's file and follows it; and what
 * is said on a terminal. */
#include "unit.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct log_output outputs[2];
static struct log log_of_test;

static struct log *log_to(const char *first, const char *second)
{
    const char *paths[] = {first, second};

    log_of_test = (struct log){.level = LEVEL_NOTICE};
    for (unsigned i = 2; i-- > 0;) {
        if (!paths[i])
            continue;
        outputs[i] = (struct log_output){.level = LEVEL_NOTICE, .next = log_of_test.outputs};
        ck_assert_int_eq(log_file_open(&outputs[i].file, paths[i], 0, 0), 0);
        log_of_test.outputs = &outputs[i];
    }
    return &log_of_test;
}

static bool leads_to(const char *path)
{
    struct stat two, file;

    return fstat(STDERR_FILENO, &two) == 0 && stat(path, &file) == 0 && two.st_dev == file.st_dev &&
           two.st_ino == file.st_ino;
}

/* What stands in for the terminal. */
static const char *take_terminal(void)
{
    const char *path = unit_write("terminal", "", 0);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    ck_assert(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    close(fd);
    return path;
}

START_TEST(test_follows)
{
    const char *path = unit_path("error.log");
    struct log *log = log_to(path, NULL);

    ck_assert_int_eq(log_stderr_move(log), 0); /* it was not taken */
    ck_assert(!leads_to(path));
    ck_assert_int_eq(log_stderr_take(log), 0);
    ck_assert(leads_to(path) && log_file_reaches_stderr(outputs[0].file) && !log_file_is_stderr(outputs[0].file));
    ck_assert_int_eq(rename(path, unit_path("old")), 0);
    if (_i)
        ck_assert_int_eq(log_file_writer_start(), 0); /* whose thread reopens */
    ck_assert_int_eq(log_file_reopen_all(), 0);
    if (_i)
        log_file_writer_stop();
    ck_assert(leads_to(path));
    ck_assert_int_eq(log_stderr_move(log_to(unit_path("next.log"), NULL)), 0);
    ck_assert(leads_to(unit_path("next.log")));
    log_file_close(outputs[0].file);
    ck_assert_int_eq(log_file_reopen_all(), 0); /* of what is left, which it no longer follows */
    ck_assert(leads_to(unit_path("next.log")));
}
END_TEST

START_TEST(test_which_file)
{
    const char *terminal = take_terminal(), *path = unit_path("error.log");

    ck_assert_int_eq(log_stderr_take(log_to("stderr", path)), 0);
    ck_assert(leads_to(terminal) && log_file_is_stderr(outputs[0].file));
    ck_assert_int_eq(log_stderr_take(log_to("syslog:server=127.0.0.1:9", path)), 0);
    ck_assert(leads_to(path));
    ck_assert_int_eq(log_stderr_take(log_to("syslog:server=127.0.0.1:9", NULL)), 0);
    ck_assert(leads_to("/dev/null"));
}
END_TEST

static unsigned count(const char *path, const char *text)
{
    char *all = unit_read(path, NULL);
    unsigned n = 0;

    for (const char *at = all; (at = strstr(at, text)); at++)
        n++;
    free(all);
    return n;
}

/* Both, while somebody may be looking; each place once. */
START_TEST(test_terminal)
{
    const char *terminal = take_terminal(), *path = unit_path("error.log");

    log_terminal_name = "me";
    log_main = log_to(path, NULL);
    log_emerg(0, "first");
    log_notice(0, "second");
    ck_assert(count(terminal, "me: [emerg] first\n") == 1 && count(terminal, "second") == 0);
    ck_assert(count(path, ": first\n") == 1 && count(path, ": second\n") == 1 && count(path, "me: ") == 0);
    log_main = log_to(path, "stderr");
    log_warn(0, "third");
    ck_assert(count(terminal, "third") == 1 && count(path, "third") == 1);
    log_main = log_to(terminal, NULL);
    log_emerg(0, "fourth");
    ck_assert(count(terminal, ": fourth\n") == 1 && count(terminal, "fourth") == 1);
    log_terminal_name = NULL;
    log_main = log_to(path, NULL);
    log_emerg(0, "fifth");
    ck_assert(count(terminal, "fifth") == 0 && count(path, "fifth") == 1);
}
END_TEST

Suite *suite_base_log_stderr(void)
{
    Suite *s = suite_create("base/log_stderr");
    TCase *tc = tcase_create("log_stderr");

    tcase_add_loop_test(tc, test_follows, 0, 2);
    tcase_add_test(tc, test_which_file);
    tcase_add_test(tc, test_terminal);
    suite_add_tcase(s, tc);
    return s;
}
