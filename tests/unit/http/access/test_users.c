/* test_users.c - files of users in memory: which are kept, that names are found as in a file that
 * comes in pieces, and that a change is seen. */
#include "unit.h"

#include "base/clock.h"
#include "http/access/users.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usual[] = "# comment:no user\n"
                            "\n"
                            "ann:first:a comment\n"
                            "ann:second\n"
                            "ann2:two\r\n"
                            "an:short\n"
                            " bob:spaced\n"
                            "colonless\n"
                            ":nameless\n"
                            "carl:\n"
                            "a#b:hash\n"
                            "last:end";

static struct users *read_at(const char *path, int later)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct users *u = users_read(fd, path, (struct users_time){time(NULL) + later, clock_now.msec});
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
    close(fd);
    return u;
}

static struct users *read_text(const char *text, size_t len)
{
    return read_at(unit_write("users", text, len), 10);
}

START_TEST(names)
{
    static const char *const users[] = {"ann",  "ann2",  "an",       "a",       " bob",   "bob",       "colonless",
                                        "",     "carl",  "a#b",      "last",    "lastly", "# comment", "#",
                                        "ann:", "first", "nameless", "comment", "none"};
    struct users *u = read_text(usual, sizeof usual - 1);
    struct htpasswd_search kept, whole;

    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        htpasswd_begin(&kept, text_of(users[i]));
        htpasswd_begin(&whole, text_of(users[i]));
        bool there = htpasswd_feed(&whole, usual, sizeof usual - 1) || htpasswd_end(&whole);
        ck_assert_msg(users_find(u, &kept) == there, "\"%s\"", users[i]);
        if (there)
            ck_assert_str_eq(kept.stored, whole.stored);
    }
    users_free(u);
    u = read_text("", 0);
    htpasswd_begin(&kept, TEXT("ann"));
    ck_assert(!users_find(u, &kept));
    users_free(u);
}
END_TEST

/* The first line whose password can be one counts. */
START_TEST(too_long)
{
    char text[HTPASSWD_STORED_MOST + 100];
    struct htpasswd_search s;
    int at = sprintf(text, "ann:");
    memset(text + at, 'x', HTPASSWD_STORED_MOST);
    strcpy(text + at + HTPASSWD_STORED_MOST, "\nbob:b\nann:a\n");
    struct users *u = read_text(text, strlen(text));
    htpasswd_begin(&s, TEXT("ann"));
    ck_assert(users_find(u, &s));
    ck_assert_str_eq(s.stored, "a");
    users_free(u);
}
END_TEST

START_TEST(many)
{
    enum { USERS = 5000 };
    char *text = malloc(USERS * 32), name[16], password[16];
    struct htpasswd_search s;
    size_t len = 0;
    for (unsigned i = 0; i < USERS; i++)
        len += (size_t)sprintf(text + len, "user%u:p%u\n", i, i * 7);
    struct users *u = read_text(text, len);
    for (unsigned i = 0; i < USERS; i++) {
        sprintf(name, "user%u", i);
        sprintf(password, "p%u", i * 7);
        htpasswd_begin(&s, text_of(name));
        ck_assert(users_find(u, &s));
        ck_assert_str_eq(s.stored, password);
    }
    htpasswd_begin(&s, TEXT("user5000"));
    ck_assert(!users_find(u, &s));
    users_free(u);
    free(text);
}
END_TEST

START_TEST(what_is_not_kept)
{
    size_t large = 256 * 1024 + 1;
    char *text = calloc(1, large);
    ck_assert_ptr_null(read_at(unit_write("young", "ann:a\n", 6), 1));
    ck_assert_ptr_null(read_at(unit_write("future", "ann:a\n", 6), -10));
    ck_assert_ptr_null(read_text("ann:{PLAIN}a\n", 13));
    ck_assert_ptr_null(read_text(text, large));
    ck_assert_ptr_null(read_at(unit_path("."), 10));
    struct users *u = read_text(text, large - 1);
    ck_assert_ptr_nonnull(u);
    users_free(u);
    users_free(NULL);
    free(text);
}
END_TEST

static void replace(const char *path)
{
    ck_assert_int_eq(rename(unit_write("other", "bob:b\n", 6), path), 0);
}

static void lengthen(const char *path)
{
    ck_assert_int_eq(truncate(path, 7), 0);
}

static void touch(const char *path)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {1000000000, 0}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void take_away(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static void (*const changes[])(const char *path) = {replace, lengthen, touch, take_away};

START_TEST(changed)
{
    struct users *u = read_text("ann:a\n", 6);
    const char *path = unit_path("users");
    ck_assert(users_are_at(u, text_of(path)));
    ck_assert(!users_are_at(u, text_of(unit_path("users2"))));
    ck_assert(users_are_current(u));
    changes[_i](unit_path("users"));
    ck_assert(!users_are_current(u));
    users_free(u);
}
END_TEST

/* What was stored through a mapping need not show in its times. */
START_TEST(read_again)
{
    struct users *u = read_text("ann:a\n", 6);
    clock_now.msec += 59 * 1000;
    ck_assert(users_are_current(u));
    clock_now.msec += 1000;
    ck_assert(!users_are_current(u));
    users_free(u);
}
END_TEST

/* The file is local, and the link on the way to it is not. */
START_TEST(behind_another_file_system)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "/proc/self/root%s", unit_write("users", "ann:a\n", 6));
    ck_assert_ptr_null(read_at(path, 10));
}
END_TEST

Suite *suite_http_users(void)
{
    Suite *s = suite_create("http_users");
    TCase *t = tcase_create("users");
    tcase_add_test(t, names);
    tcase_add_test(t, too_long);
    tcase_add_test(t, many);
    tcase_add_test(t, what_is_not_kept);
    tcase_add_loop_test(t, changed, 0, sizeof changes / sizeof *changes);
    tcase_add_test(t, read_again);
    tcase_add_test(t, behind_another_file_system);
    suite_add_tcase(s, t);
    return s;
}
