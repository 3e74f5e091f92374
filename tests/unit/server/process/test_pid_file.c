/* test_pid_file.c - server/pid_file: written whole, read strictly. */
#include "unit.h"

#include "base/log.h"
#include "server/process/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
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

static void expect_text(const char *path, const char *text)
{
    char *bytes = unit_read(path, NULL);

    ck_assert_str_eq(bytes, text);
    free(bytes);
}

static mode_t type_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(lstat(path, &st), 0);
    return st.st_mode & S_IFMT;
}

/* Relative, absolute, over another link, and to nothing yet. */
static const char *const links[] = {"target", "ABSOLUTE", "hop", "absent"};

START_TEST(test_link)
{
    const char *path = unit_path("s.pid"), *target = unit_path(strcmp(links[_i], "absent") ? "target" : "absent");

    unit_write("target", "1234567\n", 8);
    ck_assert_int_eq(symlink("target", unit_path("hop")), 0);
    ck_assert_int_eq(symlink(strcmp(links[_i], "ABSOLUTE") ? links[_i] : target, path), 0);
    ck_assert_int_eq(pid_file_check(path), 0);
    ck_assert_int_eq(pid_file_write(path, getpid()), 0);
    ck_assert_uint_eq(type_of(path), S_IFLNK);
    ck_assert_uint_eq(type_of(target), S_IFREG);
    ck_assert_int_eq(pid_file_signal(path, 0), 0);
    ck_assert_int_eq(pid_file_write(path, 12), 0);
    expect_text(target, "12\n");
    pid_file_remove(path);
    ck_assert_uint_eq(type_of(path), S_IFLNK);
    expect_text(target, ""); /* no process is named any more */
}
END_TEST

START_TEST(test_bad_link)
{
    const char *path = unit_path("s.pid");

    ck_assert_int_eq(symlink("s.pid", path), 0);
    ck_assert_int_eq(pid_file_check(path), -ELOOP);
    ck_assert_int_eq(pid_file_write(path, 1), -ELOOP);
    unlink(path);
    ck_assert_int_eq(symlink("none/s.pid", path), 0);
    ck_assert_int_eq(pid_file_check(path), -ENOENT);
    ck_assert_int_eq(pid_file_write(path, 1), -ENOENT);
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(pid_file_check(path), -EISDIR);
    ck_assert_int_eq(pid_file_write(path, 1), -EISDIR);
}
END_TEST

START_TEST(test_fifo_written)
{
    const char *path = unit_path("s.pid");
    char bytes[32] = "";
    int fd;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pid_file_check(path), 0);
    ck_assert_int_eq(pid_file_write(path, 12), 0); /* nobody reads: nothing waits for a reader */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pid_file_write(path, 123), 0);
    ck_assert_int_eq(read(fd, bytes, sizeof bytes), 4);
    ck_assert_str_eq(bytes, "123\n");
    pid_file_remove(path);
    ck_assert_uint_eq(type_of(path), S_IFIFO);
    close(fd);
}
END_TEST

/* A node of our own, never the machine's; one with a full device behind it says so. */
START_TEST(test_device)
{
    const char *path = unit_path("null"), *full = unit_path("full");
    int fd;

    if (mknod(path, S_IFCHR | 0666, makedev(1, 3)) < 0 || mknod(full, S_IFCHR | 0666, makedev(1, 7)) < 0)
        return;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a filesystem without devices */
    close(fd);
    ck_assert_int_eq(pid_file_check(path), 0);
    ck_assert_int_eq(pid_file_write(path, 12), 0);
    pid_file_remove(path);
    ck_assert_uint_eq(type_of(path), S_IFCHR);
    ck_assert_int_eq(pid_file_write(full, 12), -ENOSPC);
    ck_assert_uint_eq(type_of(full), S_IFCHR);
    ck_assert_int_eq(pid_file_move(path, unit_path("null.oldbin"), 12), 0);
    ck_assert_uint_eq(type_of(path), S_IFCHR);
}
END_TEST

START_TEST(test_socket)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = unit_path("s.pid");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(at.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(pid_file_check(path), -ENXIO);
    ck_assert_int_eq(pid_file_write(path, 12), -ENXIO);
    ck_assert_uint_eq(type_of(path), S_IFSOCK);
    close(fd);
}
END_TEST

static void become_nobody(void)
{
    if (geteuid() == 0)
        ck_assert(setegid(65534) == 0 && seteuid(65534) == 0);
}

/* Where only the file may be written, that is what is done; nobody owns /dev. */
START_TEST(test_closed_folder)
{
    const char *path = unit_write("run/s.pid", "1234567\n", 8), *none = unit_path("run/none");

    ck_assert_int_eq(chmod(unit_dir(), 0755), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(chmod(unit_path("run"), 0555), 0);
    become_nobody();
    ck_assert_int_eq(pid_file_check(path), 0);
    ck_assert_int_eq(pid_file_write(path, 12), 0);
    expect_text(path, "12\n");
    ck_assert_int_ne(pid_file_move(path, unit_path("run/s.pid.oldbin"), 12), 0);
    expect_text(path, "12\n");
    pid_file_remove(path);
    expect_text(path, "");
    ck_assert_int_eq(pid_file_check(none), -EACCES);
    ck_assert_int_eq(pid_file_write(none, 12), -EACCES);
    ck_assert_int_eq(pid_file_check("/dev/null"), 0);
    ck_assert_int_eq(pid_file_write("/dev/null", 12), 0);
    pid_file_remove("/dev/null");
    ck_assert_uint_eq(type_of("/dev/null"), S_IFCHR);
    if (getuid() == 0)
        ck_assert(seteuid(0) == 0 && setegid(0) == 0);
    ck_assert_int_eq(chmod(unit_path("run"), 0755), 0);
}
END_TEST

/* What stands where the new file is made, before it is renamed. */
START_TEST(test_beside)
{
    const char *path = unit_write("s.pid", "1\n", 2);
    char beside[4096];

    snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
    if (_i == 0)
        unit_write(strrchr(beside, '/') + 1, "left", 4);
    else if (_i == 1)
        ck_assert_int_eq(symlink("target", beside), 0);
    else
        ck_assert_int_eq(mkfifo(beside, 0600), 0);
    ck_assert_int_eq(pid_file_write(path, 12), 0);
    expect_text(path, "12\n");
    if (_i == 0)
        ck_assert_int_ne(access(beside, F_OK), 0);
    else
        ck_assert_uint_eq(type_of(beside), _i == 1 ? S_IFLNK : S_IFIFO);
}
END_TEST

START_TEST(test_move)
{
    const char *path = unit_path("s.pid"), *old = unit_path("s.pid.oldbin");

    ck_assert_int_eq(pid_file_write(path, 12), 0);
    ck_assert_int_eq(pid_file_move(path, old, 12), 0); /* a rename */
    ck_assert_int_ne(access(path, F_OK), 0);
    expect_text(old, "12\n");
    ck_assert_int_eq(pid_file_move(old, path, 12), 0);
    unit_write("target", "", 0);
    ck_assert_int_eq(symlink("target", old), 0);
    ck_assert_int_eq(pid_file_move(path, old, 12), 0); /* a link in the way */
    ck_assert_uint_eq(type_of(old), S_IFLNK);
    expect_text(unit_path("target"), "12\n");
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(pid_file_move(old, path, 12), 0); /* or to be moved */
    ck_assert_uint_eq(type_of(old), S_IFLNK);
    expect_text(unit_path("target"), "");
    expect_text(path, "12\n");
}
END_TEST

START_TEST(test_same)
{
    const char *path = unit_write("s.pid", "1\n", 2), *name = unit_path("link");

    ck_assert_int_eq(symlink("s.pid", name), 0);
    ck_assert(pid_file_is_same(path, name));
    ck_assert(!pid_file_is_same(path, unit_write("other", "1\n", 2)));
    ck_assert(!pid_file_is_same(path, unit_path("none")));
}
END_TEST

Suite *suite_server_pid_file(void)
{
    Suite *s = suite_create("server/pid_file");
    TCase *tc = tcase_create("pid_file");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, test_write_and_remove);
    tcase_add_test(tc, test_no_folder);
    tcase_add_loop_test(tc, test_malformed, 0, sizeof malformed / sizeof malformed[0]);
    tcase_add_test(tc, test_signal);
    tcase_add_test(tc, test_fifo);
    tcase_add_loop_test(tc, test_link, 0, sizeof links / sizeof links[0]);
    tcase_add_test(tc, test_bad_link);
    tcase_add_test(tc, test_fifo_written);
    tcase_add_test(tc, test_device);
    tcase_add_test(tc, test_socket);
    tcase_add_test(tc, test_closed_folder);
    tcase_add_loop_test(tc, test_beside, 0, 3);
    tcase_add_test(tc, test_move);
    tcase_add_test(tc, test_same);
    suite_add_tcase(s, tc);
    return s;
}
