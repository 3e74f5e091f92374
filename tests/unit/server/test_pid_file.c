/* test_pid_file.c - server/pid_file: written whole, read strictly. */
#include "unit.h"

#include "base/log.h"
#include "server/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

    pid_t pid = 7;
    ck_assert_int_eq(pid_file_signal(path, 0), -EINVAL);
    ck_assert_int_eq(pid_file_read(path, &pid), -EINVAL);
}
END_TEST

START_TEST(test_signal)
{
    const char *path = unit_path("s.pid");

    ck_assert_int_eq(pid_file_write(path, getpid()), 0);
    pid_t pid;
    ck_assert_int_eq(pid_file_signal(path, 0), 0);
    ck_assert_int_eq(pid_file_read(path, &pid), 0);
    ck_assert_int_eq(pid, getpid());
    ck_assert_int_eq(pid_file_read(unit_path("none"), &pid), -ENOENT);
}
END_TEST

/* Nobody waits for one who might write to it. */
START_TEST(test_fifo)
{
    const char *path = unit_path("fifo");
    pid_t pid;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pid_file_read(path, &pid), -EINVAL);
    ck_assert_int_eq(pid_file_signal(path, 0), -EINVAL);
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
    tcase_add_test(tc, test_fifo);
    suite_add_tcase(s, tc);
    return s;
}
