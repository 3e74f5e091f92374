/* test_log.c - the lines of the error log. */
#include "base/clock.h"
#include "base/log.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct log_output output;
static struct log test_log;

static const char *start(enum log_level level)
{
    const char *path = unit_path("error.log");
    ck_assert_int_eq(log_file_open(&output.file, path, 0, 0), 0);
    output.level = test_log.level = level;
    test_log.outputs = &output;
    return path;
}

/* The line behind its date, and the file is closed. */
static char *finish(const char *path)
{
    log_file_close(output.file);
    char *all = unit_read(path, NULL);
    int end = 0;
    sscanf(all, "%*4d/%*2d/%*2d %*2d:%*2d:%*2d %n", &end);
    ck_assert_int_eq(end, all[0] ? CLOCK_ERROR_LEN + 1 : 0);
    char *rest = strdup(all + end);
    free(all);
    return rest;
}

START_TEST(test_format)
{
    char expected[256];
    const char *path = start(LEVEL_ERROR);
    log_write(&test_log, LEVEL_ERROR, 5, ENOENT, "open() \"%s\" failed", "/x");
    snprintf(expected, sizeof expected, "[error] %d#%d: *5 open() \"/x\" failed (2: No such file or directory)\n",
             getpid(), gettid());
    char *line = finish(path);
    ck_assert_str_eq(line, expected);
    free(line);
}
END_TEST

/* What was found out about the process before a fork does not hold after it. */
START_TEST(test_forked)
{
    char expected[256];
    const char *path = start(LEVEL_ERROR);
    log_write(&test_log, LEVEL_ERROR, 0, 0, "parent");
    pid_t pid = fork();
    if (pid == 0) {
        log_write(&test_log, LEVEL_ERROR, 0, 0, "child");
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    log_write(&test_log, LEVEL_ERROR, 0, 0, "parent");
    log_file_close(output.file);
    char *all = unit_read(path, NULL);
    snprintf(expected, sizeof expected, "[error] %d#%d: child\n", pid, pid);
    ck_assert_ptr_nonnull(strstr(all, expected));
    snprintf(expected, sizeof expected, "[error] %d#%d: parent\n", getpid(), gettid());
    const char *first = strstr(all, expected);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first + 1, expected));
    free(all);
}
END_TEST

static void *say_who(void *said)
{
    log_write(&test_log, LEVEL_ERROR, 0, 0, "thread");
    *(pid_t *)said = gettid();
    return NULL;
}

START_TEST(test_thread)
{
    char expected[256];
    pthread_t thread;
    pid_t tid;
    const char *path = start(LEVEL_ERROR);
    ck_assert_int_eq(pthread_create(&thread, NULL, say_who, &tid), 0);
    pthread_join(thread, NULL);
    snprintf(expected, sizeof expected, "[error] %d#%d: thread\n", getpid(), tid);
    char *line = finish(path);
    ck_assert_str_eq(line, expected);
    free(line);
}
END_TEST

START_TEST(test_plain)
{
    char expected[256];
    const char *path = start(LEVEL_DEBUG);
    errno = 77;
    log_write(&test_log, LEVEL_EMERG, 0, -ENOSPC, "a\nb\x7f\t\"\xc3\xa4");
    ck_assert_int_eq(errno, 77);
    snprintf(expected, sizeof expected, "[emerg] %d#%d: a\\x0Ab\\x7F\\x09\"\xc3\xa4 (28: No space left on device)\n",
             getpid(), gettid());
    char *line = finish(path);
    ck_assert_str_eq(line, expected);
    free(line);
}
END_TEST

START_TEST(test_level)
{
    const char *path = start(LEVEL_WARN);
    ck_assert(log_wants(&test_log, LEVEL_WARN));
    ck_assert(!log_wants(&test_log, LEVEL_NOTICE));
    log_write(&test_log, LEVEL_NOTICE, 0, 0, "no");
    test_log.level = LEVEL_DEBUG; /* another output may want more */
    log_write(&test_log, LEVEL_NOTICE, 0, 0, "no");
    char *line = finish(path);
    ck_assert_str_eq(line, "");
    free(line);
}
END_TEST

START_TEST(test_long)
{
    char message[5000];
    memset(message, '\1', sizeof message);
    message[sizeof message - 1] = '\0';
    const char *path = start(LEVEL_WARN);
    log_write(&test_log, LEVEL_WARN, 1, ENOENT, "%s", message);
    char *line = finish(path);
    size_t len = strlen(line);
    ck_assert_uint_lt(len, 2049);
    ck_assert_uint_gt(len, 1900);
    ck_assert(strstr(line, " (2: No such file or directory)\n"));
    free(line);
}
END_TEST

START_TEST(test_levels)
{
    enum log_level level;
    static const char *const names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};
    for (int i = LEVEL_EMERG; i <= LEVEL_DEBUG; i++) {
        ck_assert_int_eq(log_level_parse(names[i], &level), 0);
        ck_assert_int_eq((int)level, i);
    }
    ck_assert_int_eq(log_level_parse("warning", &level), -EINVAL);
    ck_assert_int_eq(log_level_parse("", &level), -EINVAL);
}
END_TEST

Suite *suite_base_log(void)
{
    Suite *s = suite_create("base/log");
    TCase *t = tcase_create("log");
    tcase_add_test(t, test_format);
    tcase_add_test(t, test_forked);
    tcase_add_test(t, test_thread);
    tcase_add_test(t, test_plain);
    tcase_add_test(t, test_level);
    tcase_add_test(t, test_long);
    tcase_add_test(t, test_levels);
    suite_add_tcase(s, t);
    return s;
}
