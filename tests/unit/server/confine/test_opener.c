/* test_opener.c - server/opener: what it opens for a worker, whatever the worker asks for. */
#include "unit.h"

#include "base/log_file.h"
#include "base/log_private.h"
#include "file/elsewhere.h"
#include "server/confine/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cycle cycle;
static struct conf_noted_path varying;

/* In the order of their paths, as sandbox_paths() leaves them. */
static void start(void)
{
    static struct grant at[4];
    const struct grants names = {at, 4, 4};
    static const char *const name[4] = {"file", "in", "later", "link"};

    unit_write("in/f", "inside", 6);
    unit_write("in/sub/f", "inside", 6);
    unit_write("in2/f", "linked", 6);
    unit_write("file", "itself", 6);
    unit_write("out/f", "secret", 6);
    ck_assert_int_eq(symlink("in2", unit_path("link")), 0);
    ck_assert_int_eq(symlink("../out/f", unit_path("in/leads-out")), 0);
    ck_assert_int_eq(symlink("../in2/f", unit_path("in/to-another")), 0);
    ck_assert_int_eq(symlink("sub", unit_path("in/to-sub")), 0);
    for (int i = 0; i < 4; i++)
        at[i] = (struct grant){strdup(unit_path(name[i])), GRANT_READ | GRANT_LIST, 0};
    list_init(&cycle.conf.writes);
    varying.path = strdup(unit_path("logs/$host.log"));
    list_append(&cycle.conf.writes, &varying.node);
    ck_assert_int_eq(opener_start(&cycle, &names, false), 0);
}

static const struct asked {
    const char *path; /* below the folder, or absolute */
    bool folder;
    int expected; /* -errno, or 0: it is opened */
} all[] = {
    {"in/f", false, 0},
    {"in/sub/f", false, 0},
    {"in//sub/../f", false, 0},
    {"in/to-sub/f", false, 0},
    {"in/to-another", false, 0}, /* beneath what another name leads to */
    {"in", true, 0},
    {"in/f", true, -ENOTDIR},
    {"link/f", false, 0},
    {"in2/f", false, 0},
    {"file", false, 0},
    {"out/f", false, -EACCES},
    {"out", true, -EACCES},
    {"in/../out/f", false, -EACCES},
    {"in/leads-out", false, -EACCES},
    {"link/../out/f", false, -EACCES},
    {"file2", false, -ENOENT},
    {"later/f", false, -ENOENT},
    {"", true, -EACCES}, /* the folder around them all */
    {"/etc/passwd", false, -EACCES},
    {"/", true, -EACCES},
    {"/proc/self/environ", false, -EACCES},
    {"/proc/self/root/etc/passwd", false, -EACCES},
    {"/dev/null", false, -EACCES},
};

static int ask(const char *path, bool folder)
{
    int direct = -1;
    int fd = elsewhere_open(path[0] == '/' ? path : unit_path(path), NULL, folder, &direct);

    ck_assert_int_eq(direct, -1); /* all of them are small */
    if (fd < 0)
        return fd;
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
    return 0;
}

START_TEST(test_reading)
{
    start();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int rc = ask(all[i].path, all[i].folder);
        ck_assert_msg(rc == all[i].expected, "%s: %d", all[i].path, rc);
    }
}
END_TEST

/* What is not so at the start, but now. */
START_TEST(test_replaced)
{
    start();
    ck_assert_int_eq(rename(unit_path("in"), unit_path("old")), 0);
    ck_assert_int_eq(ask("in/f", false), -ENOENT);
    ck_assert_int_eq(ask("old/f", false), -EACCES);
    ck_assert_int_eq(rename(unit_path("out"), unit_path("in")), 0);
    ck_assert_int_eq(ask("in/f", false), 0);
    unit_write("later/f", "later", 5);
    ck_assert_int_eq(ask("later/f", false), 0);
    ck_assert_int_eq(unlink(unit_path("link")), 0);
    ck_assert_int_eq(symlink("old", unit_path("link")), 0);
    ck_assert_int_eq(ask("link/f", false), 0);
    ck_assert_int_eq(ask("in2/f", false), -EACCES);
}
END_TEST

/* The location's guard holds there too, whatever is asked with it. */
START_TEST(test_guards)
{
    struct open_options inside = {.beneath = true}, no_links = {.symlinks = SYMLINKS_REFUSE};
    struct open_options wild = {.beneath = true, .root_len = SIZE_MAX, .trusted = SIZE_MAX, .symlinks = 77};

    start();
    inside.root_len = strlen(unit_path("in"));
    no_links.trusted = strlen(unit_path("in"));
    int fd = elsewhere_open(unit_path("in/f"), &inside, false, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(elsewhere_open(unit_path("in/to-another"), &inside, false, NULL), -EACCES);
    ck_assert_int_eq(elsewhere_open(unit_path("in/to-sub/f"), &no_links, false, NULL), -ENOTDIR);
    ck_assert_int_eq(elsewhere_open(unit_path("out/f"), &wild, false, NULL), -EACCES);
}
END_TEST

START_TEST(test_strange_paths)
{
    char path[PATH_MAX + 10];

    start();
    ck_assert_int_eq(elsewhere_open("", NULL, false, NULL), -EACCES);
    ck_assert_int_eq(elsewhere_open("in/f", NULL, false, NULL), -EACCES);
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    ck_assert_int_eq(elsewhere_open(path, NULL, false, NULL), -EACCES);
    path[PATH_MAX - 1] = '\0';
    ck_assert_int_eq(elsewhere_open(path, NULL, false, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(ask("in/f", false), 0); /* it goes on */
}
END_TEST

START_TEST(test_direct)
{
    const char *disk = unit_disk_dir();
    static struct grant at;
    const struct grants names = {&at, 1, 1};
    char path[PATH_MAX];
    int direct = -1;

    if (!disk)
        return;
    snprintf(path, sizeof path, "%s/large", disk);
    unit_write_pattern(path, 1 << 20);
    at = (struct grant){strdup(disk), GRANT_READ, 0};
    list_init(&cycle.conf.writes);
    ck_assert_int_eq(opener_start(&cycle, &names, false), 0);
    int fd = elsewhere_open(path, NULL, false, &direct);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(direct, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_DIRECT, 0);
    ck_assert_int_ne(fcntl(direct, F_GETFL) & O_DIRECT, 0);
    close(fd);
    close(direct);
}
END_TEST

static const struct wanted_log {
    const char *name;
    int expected; /* -errno, or 0 */
} logs[] = {
    {"logs/own", 0},          {"logs/a.log", 0},  {"logs/sub/b.log", 0},          {"logs/link.log", -ELOOP},
    {"other.log", -EACCES},   {"out/f", -EACCES}, {"logs/../other.log", -EACCES}, {"own.log", 0},
    {"logs/away/f", -EACCES}, {"in/f", -EACCES},
};

/* As a user that may open none of them itself. 0, or which one was not as it should be. */
static int open_logs(void)
{
    if (setresuid(65534, 65534, 65534) < 0)
        return 100;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        int fd = log_file_open_path(unit_path(logs[i].name), 0);
        if (fd >= 0 && (fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) != (O_WRONLY | O_APPEND))
            return 101;
        if ((fd < 0 ? fd : 0) != logs[i].expected)
            return (int)i + 1;
    }
    return 0;
}

/* The logs alone, for appending. */
START_TEST(test_logs)
{
    struct log_file *lf;
    int status;

    if (geteuid() != 0)
        return; /* nobody else can become another one */
    unit_write("logs/own", "", 0);
    unit_write("logs/sub/x", "", 0);
    unit_write("other.log", "", 0);
    ck_assert_int_eq(symlink("../other.log", unit_path("logs/link.log")), 0);
    ck_assert_int_eq(symlink("../out", unit_path("logs/away")), 0);
    ck_assert_int_eq(log_file_open(&lf, unit_path("own.log"), 0, 0), 0);
    start();
    ck_assert_int_eq(chmod(unit_dir(), 0700), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(open_logs());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    log_file_close(lf);
}
END_TEST

Suite *suite_server_opener(void)
{
    Suite *s = suite_create("server/opener");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_reading);
    tcase_add_test(t, test_replaced);
    tcase_add_test(t, test_guards);
    tcase_add_test(t, test_strange_paths);
    tcase_add_test(t, test_direct);
    tcase_add_test(t, test_logs);
    suite_add_tcase(s, t);
    return s;
}
