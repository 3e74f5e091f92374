/* test_cache_small.c - small_file_cache: kept after two requests, without descriptor, and never
 * older than the path. Time is set by hand in clock_now, ahead of the real one, so that fresh files
 * count as old. */
#include "file/cache.h"

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1000, CAP = 100 * 1000 };

static struct file_conf conf;
static struct open_options options;
static struct file_cache *fc;
static struct pool *pool;

static void pass(int64_t msec)
{
    clock_now.msec += msec;
    clock_now.sec += msec / 1000;
}

static void setup(void)
{
    clock_update();
    pass(10000);
    conf = (struct file_conf){.small = {MOST, CAP}};
    options = (struct open_options){.content_most = MOST};
    ck_assert_int_eq(pool_create(&pool, "test", 2, 64), 0);
    ck_assert_int_eq(file_cache_create(&fc, pool), 0);
}

static void teardown(void)
{
    file_cache_destroy(fc);
    pool_destroy(pool);
}

static struct small_file_stats stats(void)
{
    struct file_cache_stats st;
    file_cache_stats(fc, &st);
    return st.small;
}

static int find_rc(const char *path, struct file **f)
{
    *f = NULL;
    return file_cache_find(fc, &conf, path, &options, NULL, f);
}

static struct file *find(const char *path)
{
    struct file *f;
    int rc = find_rc(path, &f);
    ck_assert_msg(rc == 0, "%s: %d", path, rc);
    return f;
}

static void expect_error(const char *path, int error)
{
    struct file *f;
    int rc = find_rc(path, &f);
    ck_assert_msg(rc == error && !f, "%s: %d", path, rc);
}

static void wait_pool(void)
{
    struct pollfd p = {pool_eventfd(pool), POLLIN, 0};
    ck_assert_int_eq(poll(&p, 1, 10000), 1);
    pool_reap(pool);
}

/* Asked for twice, so that a thread looks at it. */
static void ask_twice(const char *path)
{
    struct file *f;

    for (int i = 0; i < 2; i++) {
        (void)find_rc(path, &f);
        file_release(f);
    }
    wait_pool();
}

static void expect_content(const char *path, const char *text, bool kept)
{
    char bytes[MOST + 1] = "";
    uint64_t hits = stats().hits;
    struct file *f = find(path);

    ck_assert_int_eq(f->size, (off_t)strlen(text));
    if (f->content)
        memcpy(bytes, f->content, (size_t)f->size);
    else
        ck_assert_int_eq(pread(f->fd, bytes, MOST, 0), (ssize_t)f->size);
    ck_assert_str_eq(bytes, text);
    ck_assert_int_eq(f->fd == -1, kept);
    ck_assert_uint_eq(stats().hits - hits, kept);
    file_release(f);
}

/* More than the grain of the file system's clock: what follows bears another time. */
static void pass_grain(void)
{
    usleep(30000);
}

/* Where unit_dir() lies the kernel keeps these promises, or the cache keeps nothing. */
static const char *kept_file(const char *name, const char *text)
{
    const char *path = unit_write(name, text, strlen(text));
    ask_twice(path);
    expect_content(path, text, true);
    pass_grain();
    return path;
}

static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc/self/fd");

    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

/* Waits for nothing in particular: whatever was under way has come by then, or comes later. */
static void reap(void)
{
    usleep(10000);
    pool_reap(pool);
}

START_TEST(test_kept)
{
    const char *path = unit_write("f", "abc", 3);
    expect_content(path, "abc", false);
    unsigned before = descriptors();
    ask_twice(path);
    struct file *f = find(path), *g = find(path);
    ck_assert_ptr_eq(f, g);
    ck_assert_int_eq(f->etag_len, (int)strlen(f->etag));
    ck_assert_int_eq(f->kind, FILE_REGULAR);
    ck_assert(file_unchanged(f));
    ck_assert_uint_eq(descriptors(), before);
    ck_assert_uint_eq(stats().entries, 1);
    ck_assert_uint_gt(stats().bytes, 3);
    file_release(f);
    file_release(g);
}
END_TEST

START_TEST(test_empty_file_and_folder)
{
    const char *path = unit_write("d/f", "", 0), *folder = unit_path("d");
    ask_twice(path);
    expect_content(path, "", true);
    ask_twice(folder);
    uint64_t hits = stats().hits;
    struct file *f = find(folder);
    ck_assert_int_eq(f->kind, FILE_DIRECTORY);
    ck_assert_uint_eq(stats().hits, hits + 1);
    file_release(f);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    unit_write("d", "file", 4);
    expect_content(folder, "file", false);
}
END_TEST

static void write_in_place(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    close(fd);
}

static void replace(const char *path, const char *text)
{
    const char *other = unit_write("other", text, strlen(text));
    ck_assert_int_eq(rename(other, path), 0);
}

static void replace_with_its_times(const char *path, const char *text)
{
    struct stat st;
    const char *other = unit_write("other", text, strlen(text));
    ck_assert_int_eq(stat(path, &st), 0);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    ck_assert_int_eq(utimensat(AT_FDCWD, other, times, 0), 0);
    ck_assert_int_eq(rename(other, path), 0);
}

static void write_with_its_times(const char *path, const char *text)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    write_in_place(path, text);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put_link(const char *path, const char *text)
{
    const char *target = unit_write("target", text, strlen(text));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(target, path), 0);
}

START_TEST(test_changed)
{
    static void (*const ways[])(const char *path, const char *text) = {write_in_place, replace, replace_with_its_times,
                                                                       write_with_its_times, put_link};
    static const char *const texts[] = {"xyz", "longer"};

    const char *path = kept_file("f", "abc");
    ways[_i / 2](path, texts[_i % 2]);
    expect_content(path, texts[_i % 2], false);
    ask_twice(path);
    expect_content(path, texts[_i % 2], true);
}
END_TEST

START_TEST(test_gone_and_back)
{
    const char *path = kept_file("f", "abc");
    ck_assert_int_eq(unlink(path), 0);
    expect_error(path, -ENOENT);
    ck_assert_uint_eq(stats().entries, 0);
    unit_write("f", "def", 3);
    expect_content(path, "def", false);
}
END_TEST

START_TEST(test_folder_switched)
{
    unit_write("a/f", "abc", 3);
    unit_write("b/f", "xyz", 3);
    const char *link = unit_path("current"), *next = unit_path("next"), *path = unit_path("current/f");
    ck_assert_int_eq(symlink("a", link), 0);
    ck_assert_int_eq(symlink("b", next), 0);
    ask_twice(path);
    expect_content(path, "abc", true);
    ck_assert_int_eq(rename(next, link), 0);
    expect_content(path, "xyz", false);
}
END_TEST

START_TEST(test_missing)
{
    const char *path = unit_path("late");
    ask_twice(path);
    uint64_t hits = stats().hits, misses = stats().misses;
    expect_error(path, -ENOENT);
    expect_error(path, -ENOENT);
    ck_assert_uint_eq(stats().hits, hits + 2);
    ck_assert_uint_eq(stats().misses, misses);
    unit_write("late", "x", 1);
    expect_content(path, "x", false);
    ck_assert_int_eq(unlink(path), 0);
    expect_error(path, -ENOENT);
}
END_TEST

START_TEST(test_young)
{
    const char *path = unit_write("f", "abc", 3);
    clock_update();
    for (int i = 0; i < 5; i++) {
        expect_content(path, "abc", false);
        reap();
    }
    ck_assert_uint_eq(stats().entries, 0);
}
END_TEST

START_TEST(test_too_large)
{
    char text[MOST + 2];
    memset(text, 'x', sizeof text);
    const char *path = unit_write("f", text, MOST + 1);
    for (int i = 0; i < 5; i++) {
        struct file *f = find(path);
        ck_assert_int_ge(f->fd, 0);
        file_release(f);
    }
    ck_assert_uint_eq(stats().entries, 0);

    /* Kept for one location, and too large for another. */
    path = kept_file("g", "abc");
    options.content_most = 2;
    expect_content(path, "abc", false);
    options.content_most = 0;
    expect_content(path, "abc", false);
    options.content_most = MOST;
    expect_content(path, "abc", true);
}
END_TEST

/* Requests that are far between are not worth it. */
START_TEST(test_seldom)
{
    const char *path = unit_write("f", "abc", 3);
    for (int i = 0; i < 5; i++) {
        expect_content(path, "abc", false);
        pass(10000);
    }
    ck_assert_uint_eq(stats().entries, 0);

    /* After some seconds it is asked about in a way that never waits. */
    ask_twice(path);
    pass(9000);
    expect_content(path, "abc", true);
}
END_TEST

START_TEST(test_confined)
{
    options.beneath = true;
    options.root_len = strlen(unit_dir());
    const char *path = kept_file("f", "abc");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    expect_error(path, -EACCES);
    ck_assert_int_eq(unlink(path), 0);
    unit_write("g", "xyz", 3);
    ck_assert_int_eq(symlink("g", path), 0);
    expect_content(path, "xyz", false);
    ask_twice(path);
    expect_content(path, "xyz", true);

    /* The same path by other rules is another entry. */
    options.symlinks = SYMLINKS_REFUSE;
    expect_error(path, -ELOOP);
    options.symlinks = SYMLINKS_FOLLOW;
    expect_content(path, "xyz", true);
}
END_TEST

/* The very file, by a way that is not permitted. */
START_TEST(test_moved_out)
{
    char root[4096];
    snprintf(root, sizeof root, "%s", unit_path("root"));
    options.beneath = true;
    options.root_len = strlen(root);
    const char *path = kept_file("root/d/f", "abc"), *folder = unit_path("root/d"), *outside = unit_path("outside");
    ck_assert_int_eq(rename(folder, outside), 0);
    ck_assert_int_eq(symlink(outside, folder), 0);
    expect_error(path, -EACCES);
    ck_assert_int_eq(unlink(folder), 0);
    expect_error(path, -ENOENT);
    ck_assert_int_eq(rename(outside, folder), 0);
    expect_content(path, "abc", false);
}
END_TEST

START_TEST(test_mode)
{
    const char *path = kept_file("f", "abc");
    ck_assert_int_eq(chmod(path, 0600), 0);
    expect_content(path, "abc", false); /* opened, by whoever may */
}
END_TEST

/* The last store of a mapping need not show in the times. */
START_TEST(test_mapping)
{
    const char *path = unit_write("f", "abc", 3);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char *at = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(at, MAP_FAILED);
    at[0] = 'A';
    ask_twice(path);
    expect_content(path, "Abc", true);
    at[0] = 'X';
    for (int i = 0; i < 8; i++) {
        pass(8000);
        struct file *f = find(path);
        file_release(f);
    }
    ask_twice(path);
    expect_content(path, "Xbc", true);
    munmap(at, 3);
    close(fd);
}
END_TEST

/* Several looks at a time, each of which was promised the same room. */
START_TEST(test_bounded)
{
    enum { FILES = 160 };
    char text[MOST], name[32];

    memset(text, 'x', sizeof text);
    for (int round = 0; round < 2; round++) {
        /* What is not used any more makes room, and nothing else does. */
        for (int i = 0; i < FILES || stats().bytes < CAP / 2 || (round > 0 && stats().evictions == 0); i++) {
            snprintf(name, sizeof name, "%d-%d", round, i);
            const char *path = unit_write(name, text, MOST);
            file_release(find(path));
            file_release(find(path));
            if (i % 6 == 5)
                reap();
            ck_assert_uint_le(stats().bytes, CAP);
            ck_assert(round > 0 || stats().evictions == 0);
        }
        pass(31000);
    }
}
END_TEST

START_TEST(test_unused_goes)
{
    const char *path = kept_file("f", "abc");
    pass(61000);
    expect_error(unit_path("none"), -ENOENT);
    ck_assert_uint_eq(stats().entries, 0);
    ck_assert_uint_eq(stats().bytes, 0);
    ck_assert_uint_eq(stats().evictions, 1);
    expect_content(path, "abc", false);
}
END_TEST

START_TEST(test_destroyed_in_flight)
{
    const char *path = unit_write("f", "abc", 3);
    struct file *f = find(path), *g = find(path);
    file_release(f);
    file_release(g);
    file_cache_destroy(fc);
    wait_pool();
    ck_assert_int_eq(file_cache_create(&fc, pool), 0);
}
END_TEST

/* Of these even the name may wait for somebody else. */
START_TEST(test_elsewhere)
{
    for (int i = 0; i < 5; i++) {
        struct file *f = find("/proc/self/task");
        file_release(f);
        reap();
    }
    ck_assert_uint_eq(stats().hits, 0);
    ck_assert_uint_eq(stats().entries, 0);
    for (int i = 0; i < 5; i++) {
        expect_error("/proc/self/none", -ENOENT);
        reap();
    }
    ck_assert_uint_eq(stats().hits, 0);
}
END_TEST

Suite *suite_file_cache_small(void)
{
    Suite *s = suite_create("file/cache_small");
    TCase *t = tcase_create("small");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_kept);
    tcase_add_test(t, test_empty_file_and_folder);
    tcase_add_loop_test(t, test_changed, 0, 10);
    tcase_add_test(t, test_gone_and_back);
    tcase_add_test(t, test_folder_switched);
    tcase_add_test(t, test_missing);
    tcase_add_test(t, test_young);
    tcase_add_test(t, test_too_large);
    tcase_add_test(t, test_seldom);
    tcase_add_test(t, test_confined);
    tcase_add_test(t, test_moved_out);
    tcase_add_test(t, test_mode);
    tcase_add_test(t, test_mapping);
    tcase_add_test(t, test_bounded);
    tcase_add_test(t, test_unused_goes);
    tcase_add_test(t, test_destroyed_in_flight);
    tcase_add_test(t, test_elsewhere);
    suite_add_tcase(s, t);
    return s;
}
