/* test_pid_file.c - server/pid_file: written whole, read strictly. */
#include "unit.h"

#include "base/log.h"
#include "server/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct log silent;

static void setup(void)
{
    log_main = &silent;
}

START_TEST(test_write_and_remove)
{
    const char *path = unit_path("s.pid");
    char *bytes;

    ck_assert_int_eq(pid_file_check(path), 0);
    ck_assert_int_eq(pid_file_write(path, 123), 0);
    ck_assert_int_eq(pid_file_write(path, 4567), 0);
    bytes = unit_read(path, NULL);
    ck_assert_str_eq(bytes, "4567\n");
    free(bytes);
    pid_file_remove(path);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_no_folder)
{
    const char *path = unit_path("none/s.pid");

    ck_assert_int_eq(pid_file_check(path), -ENOENT);
    ck_assert_int_eq(pid_file_write(path, 1), -ENOENT);
    ck_assert_int_eq(pid_file_signal(path, 0), -ENOENT);
}
END_TEST

static const char *const malformed[] = {
    "", "\n", "0\n", "-1\n", "12x\n", "1 2\n", "99999999999999999999\n", "4294967296\n"};

START_TEST(test_malformed)
{
    const char *path = unit_write("s.pid", malformed[_i], strlen(malformed[_i]));

    ck_assert_int_eq(pid_file_signal(path, 0), -EINVAL);
}
END_TEST

START_TEST(test_signal)
{
    const char *path = unit_path("s.pid");

    ck_assert_int_eq(pid_file_write(path, getpid()), 0);
    ck_assert_int_eq(pid_file_signal(path, 0), 0);
}
END_TEST

Suite *suite_server_pid_file(void)
{
    Suite *s = suite_create("server/pid_file");
    TCase *tc = tcase_create("pid_file");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, test_write_and_remove);
    tcase_add_test(tc, test_no_folder);
    tcase_add_loop_test(tc, test_malformed, 0, sizeof(malformed) / sizeof(malformed[0]));
    tcase_add_test(tc, test_signal);
    suite_add_tcase(s, tc);
    return s;
}
