/* test_log_names.c - lines that name their files: which of these stay open, and what is not
 * opened. */
#include "base/log.h"
#include "base/log_file.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR = 3600 * 1000 };

static const struct log_names_conf off = {.max = 0};

static struct log_file *open_names(const struct log_names_conf *conf)
{
    struct log_file *lf;
    ck_assert_int_eq(log_file_open_names(&lf, conf), 0);
    return lf;
}

static void add(struct log_file *lf, const char *path, const char *line)
{
    size_t head = strlen(path) + 1, len = strlen(line);
    char *at = log_file_reserve(lf, head + len);
    ck_assert_ptr_nonnull(at);
    memcpy(at, path, head);
    memcpy(at + head, line, len);
    log_file_commit(lf, head + len);
}

static void check_content(const char *path, const char *expected)
{
    char *content = unit_read(path, NULL);
    ck_assert_str_eq(content, expected);
    free(content);
}

static bool is_open(const char *path)
{
    char link[64], to[PATH_MAX], real[PATH_MAX];
    bool found = false;
    if (!realpath(path, real))
        return false;
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(link, sizeof link, "/proc/self/fd/%.20s", e->d_name);
        ssize_t n = readlink(link, to, sizeof to - 1);
        to[n > 0 ? n : 0] = '\0';
        found = found || strcmp(to, real) == 0;
    }
    closedir(dir);
    return found;
}

START_TEST(test_direct)
{
    const char *a = unit_path("a.log"), *b = unit_path("b.log");
    struct log_file *lf = open_names(&off);
    ck_assert_ptr_eq(open_names(&off), lf);
    add(lf, a, "one\n");
    add(lf, b, "two\n");
    add(lf, a, "three\n");
    check_content(a, "one\nthree\n");
    check_content(b, "two\n");
    ck_assert(!is_open(a) && !is_open(b));
    ck_assert_int_eq(log_file_reopen_all(), 0);
    ck_assert_int_eq(log_file_chown_all(getuid(), getgid()), 0);
    ck_assert_uint_eq(log_file_dropped(lf), 0);
    log_file_close(lf);
    log_file_close(lf);
}
END_TEST

/* Lines of many files between each other: each file has its own, in order. */
START_TEST(test_writer)
{
    enum { FILES = 7, LINES = 2000 };
    static const struct log_names_conf few = {.id = 1, .max = 3, .inactive_msec = HOUR, .min_uses = 1};
    char path[FILES][PATH_MAX], line[32];
    struct log_file *lf = open_names(_i ? &few : &off);
    for (int i = 0; i < FILES; i++) {
        snprintf(line, sizeof line, "w%d.log", i);
        snprintf(path[i], sizeof path[i], "%s", unit_path(line));
    }
    ck_assert_int_eq(log_file_writer_start(), 0);
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        add(lf, path[i / 3 % FILES], line);
    }
    log_file_writer_stop();
    int total = 0;
    unsigned open = 0;
    for (int k = 0; k < FILES; k++) {
        char *text = unit_read(path[k], NULL), *at = text;
        int last = -1, i, end;
        for (; sscanf(at, "%d%n", &i, &end) == 1; at += end + 1, last = i, total++)
            ck_assert(i > last && i / 3 % FILES == k);
        free(text);
        open += is_open(path[k]);
    }
    ck_assert_int_eq(total, LINES);
    ck_assert_uint_eq(log_file_dropped(lf), 0);
    ck_assert_uint_eq(open, _i ? 3 : 0);
    log_file_close(lf);
    for (int k = 0; k < FILES; k++)
        ck_assert(!is_open(path[k]));
}
END_TEST

START_TEST(test_min_uses)
{
    static const struct log_names_conf twice = {.id = 2, .max = 10, .inactive_msec = HOUR, .min_uses = 2};
    const char *a = unit_path("a.log");
    struct log_file *lf = open_names(&twice);
    add(lf, a, "one\n");
    ck_assert(!is_open(a));
    add(lf, a, "two\n");
    ck_assert(is_open(a));
    add(lf, a, "three\n");
    check_content(a, "one\ntwo\nthree\n");
    log_file_close(lf);
}
END_TEST

/* The least recently used goes. */
START_TEST(test_most)
{
    static const struct log_names_conf two = {
        .id = 3, .max = 2, .inactive_msec = HOUR, .valid_msec = HOUR, .min_uses = 1};
    const char *a = unit_path("a.log"), *b = unit_path("b.log"), *c = unit_path("c.log");
    struct log_file *lf = open_names(&two);
    add(lf, a, "x\n");
    add(lf, b, "x\n");
    add(lf, a, "x\n");
    add(lf, c, "x\n");
    ck_assert(is_open(a) && !is_open(b) && is_open(c));
    log_file_close(lf);
}
END_TEST

START_TEST(test_inactive)
{
    static const struct log_names_conf brief = {
        .id = 4, .max = 2, .inactive_msec = 30, .valid_msec = HOUR, .min_uses = 1};
    const char *a = unit_path("a.log");
    struct log_file *lf = open_names(&brief);
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, a, "x\n");
    while (access(a, F_OK) < 0)
        poll(NULL, 0, 1);
    while (is_open(a)) /* the writer closes it without another line; check's time limit ends a wait in vain */
        poll(NULL, 0, 5);
    log_file_writer_stop();
    log_file_close(lf);
}
END_TEST

/* Moved away: the next line goes to a new file, at once where valid= has passed, otherwise after a
 * reopen. */
START_TEST(test_moved)
{
    static const struct log_names_conf short_lived = {.id = 5, .max = 2, .inactive_msec = HOUR, .min_uses = 1},
                                       long_lived = {
                                           .id = 6, .max = 2, .inactive_msec = HOUR, .valid_msec = HOUR, .min_uses = 1};
    const char *a = unit_path("a.log"), *old = unit_path("a.old");
    struct log_file *lf = open_names(&short_lived);
    add(lf, a, "one\n");
    ck_assert_int_eq(rename(a, old), 0);
    add(lf, a, "two\n");
    check_content(old, "one\n");
    check_content(a, "two\n");
    log_file_close(lf);

    lf = open_names(&long_lived);
    add(lf, a, "three\n");
    ck_assert_int_eq(rename(a, old), 0);
    add(lf, a, "four\n");
    ck_assert_int_eq(access(a, F_OK), -1);
    ck_assert_int_eq(log_file_reopen_all(), 0);
    add(lf, a, "five\n");
    check_content(old, "two\nthree\nfour\n");
    check_content(a, "five\n");
    log_file_close(lf);
}
END_TEST

/* What cannot be opened is counted, said once, and holds up nothing: a FIFO without a reader, a
 * folder, a folder that is missing. */
START_TEST(test_refused)
{
    static const struct log_names_conf some = {.id = 7, .max = 2, .inactive_msec = HOUR, .min_uses = 1};
    const char *fifo = unit_path("fifo"), *a = unit_path("a.log"), *errors = unit_path("error.log");
    struct log_output output = {.level = LEVEL_NOTICE};
    struct log log = {&output, LEVEL_NOTICE};
    struct log *before = log_main;
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(log_file_open(&output.file, errors, 0, 0), 0);
    log_main = &log;
    struct log_file *lf = open_names(&some);
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, unit_path("no/folder"), "x\n");
    add(lf, unit_dir(), "x\n");
    add(lf, fifo, "x\n");
    log_file_refuse(lf);
    add(lf, a, "kept\n");
    log_file_writer_stop();
    log_main = before;
    ck_assert_uint_eq(log_file_dropped(lf), 4);
    check_content(a, "kept\n");
    char *text = unit_read(errors, NULL);
    char *first = strstr(text, "lines of logs with variables were dropped");
    ck_assert_msg(first, "%s", text);
    ck_assert_ptr_null(strstr(first + 1, "lines of"));
    free(text);
    log_file_close(lf);
    log_file_close(output.file);
}
END_TEST

Suite *suite_base_log_names(void)
{
    Suite *s = suite_create("base/log_names");
    TCase *t = tcase_create("log_names");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_direct);
    tcase_add_loop_test(t, test_writer, 0, 2);
    tcase_add_test(t, test_min_uses);
    tcase_add_test(t, test_most);
    tcase_add_test(t, test_inactive);
    tcase_add_test(t, test_moved);
    tcase_add_test(t, test_refused);
    suite_add_tcase(s, t);
    return s;
}
