/* test_cache.c - open_file_cache: hits, revalidation, limits, shared and cancelled opens. Time is
 * set by hand in clock_now. */
#include "file/cache.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_cache_conf cache_conf;
static struct file_conf conf;
static struct file_cache *fc;
static struct pool *pool;

static void setup(void)
{
    clock_update();
    cache_conf = (struct file_cache_conf){.max = 100, .inactive_sec = 60, .id = 3};
    conf = (struct file_conf){.cache = &cache_conf, .valid_sec = 60, .min_uses = 1};
    ck_assert_int_eq(pool_create(&pool, "test", 2, 64), 0);
    ck_assert_int_eq(file_cache_create(&fc, pool), 0);
}

static void teardown(void)
{
    file_cache_destroy(fc);
    pool_destroy(pool);
}

static struct file *find(const char *path)
{
    struct file *f = NULL;
    int rc = file_cache_find(fc, &conf, path, NULL, NULL, &f);
    ck_assert_msg(rc == 0, "%s: %d", path, rc);
    return f;
}

static int find_error(const char *path)
{
    struct file *f = NULL;
    int rc = file_cache_find(fc, &conf, path, NULL, NULL, &f);
    ck_assert_int_lt(rc, 0);
    ck_assert_ptr_null(f);
    return rc;
}

static struct file_cache_stats stats(void)
{
    struct file_cache_stats st;
    file_cache_stats(fc, &st);
    return st;
}

static void wait_pool(void)
{
    struct pollfd p = {pool_eventfd(pool), POLLIN, 0};
    ck_assert_int_eq(poll(&p, 1, 10000), 1);
    pool_reap(pool);
}

START_TEST(test_hit)
{
    const char *path = unit_write("f", "abc", 3);
    struct file *f = find(path), *g = find(path);
    ck_assert_ptr_eq(f, g);
    ck_assert_uint_eq(f->refs, 3);
    ck_assert_uint_eq(stats().hits, 1);
    ck_assert_uint_eq(stats().misses, 1);
    ck_assert_uint_eq(stats().entries, 1);
    file_release(f);
    file_release(g);
}
END_TEST

START_TEST(test_off)
{
    const char *path = unit_write("f", "abc", 3);
    conf.cache = NULL;
    struct file *f = find(path), *g = find(path);
    ck_assert_ptr_ne(f, g);
    ck_assert_uint_eq(f->refs, 1);
    ck_assert_uint_eq(stats().entries, 0);
    file_release(f);
    file_release(g);
    ck_assert_int_eq(find_error(unit_path("none")), -ENOENT);
}
END_TEST

START_TEST(test_revalidation)
{
    const char *path = unit_write("f", "abc", 3);
    struct file *f = find(path);

    /* Until `valid` is over, the old one, whatever happened. */
    ck_assert_int_eq(unlink(path), 0);
    unit_write("f", "defg", 4);
    clock_now.msec += 59000;
    struct file *g = find(path);
    ck_assert_ptr_eq(f, g);
    file_release(g);
    clock_now.msec += 1000;
    g = find(path);
    ck_assert_ptr_ne(f, g);
    ck_assert_int_eq(g->size, 4);
    ck_assert_int_eq(f->size, 3); /* whoever has it keeps it */
    char b[4];
    ck_assert_int_eq(pread(f->fd, b, 4, 0), 3);

    /* Nothing changed: the same file, good for another while. */
    clock_now.msec += 60000;
    struct file *h = find(path);
    ck_assert_ptr_eq(g, h);
    uint64_t misses = stats().misses;
    file_release(find(path));
    ck_assert_uint_eq(stats().misses, misses);
    file_release(f);
    file_release(g);
    file_release(h);
}
END_TEST

START_TEST(test_errors)
{
    const char *path = unit_path("late");
    ck_assert_int_eq(find_error(path), -ENOENT);
    ck_assert_uint_eq(stats().entries, 0);
    conf.errors = true;
    ck_assert_int_eq(find_error(path), -ENOENT);
    ck_assert_uint_eq(stats().entries, 1);
    unit_write("late", "x", 1);
    ck_assert_int_eq(find_error(path), -ENOENT);
    ck_assert_uint_eq(stats().hits, 1);
    clock_now.msec += 60000;
    file_release(find(path));
    ck_assert_int_eq(unlink(path), 0);
    clock_now.msec += 60000;
    conf.errors = false;
    ck_assert_int_eq(find_error(path), -ENOENT);
    ck_assert_uint_eq(stats().entries, 0);
}
END_TEST

/* Names that do not exist must not push out files that do. */
START_TEST(test_misses_evict_nothing)
{
    cache_conf.max = 2;
    file_release(find(unit_write("a", "a", 1)));
    file_release(find(unit_write("b", "b", 1)));
    for (int i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof name, "none-%d", i);
        ck_assert_int_eq(find_error(unit_path(name)), -ENOENT);
    }
    file_release(find(unit_path("a")));
    file_release(find(unit_path("b")));
    ck_assert_uint_eq(stats().hits, 2);
}
END_TEST

START_TEST(test_min_uses)
{
    const char *path = unit_write("f", "abc", 3);
    conf.min_uses = 3;
    struct file *f = find(path), *g = find(path);
    ck_assert_ptr_ne(f, g);
    ck_assert_uint_eq(g->refs, 1);
    struct file *h = find(path), *i = find(path);
    ck_assert_ptr_eq(h, i);
    file_release(f);
    file_release(g);
    file_release(h);
    file_release(i);

    /* A folder costs no descriptor. */
    f = find(unit_dir());
    g = find(unit_dir());
    ck_assert_ptr_eq(f, g);
    ck_assert_int_eq(f->kind, FILE_DIRECTORY);
    file_release(f);
    file_release(g);
}
END_TEST

START_TEST(test_max_and_inactive)
{
    char name[32];
    cache_conf.max = 10;
    struct file *kept = find(unit_write("kept", "k", 1));
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%d", i);
        file_release(find(unit_write(name, "x", 1)));
        ck_assert_uint_le(stats().entries, 10);
        file_release(find(unit_path("kept"))); /* used again and again: stays */
    }
    struct file *again = find(unit_path("kept"));
    ck_assert_ptr_eq(again, kept);
    file_release(again);
    file_release(kept);

    clock_now.msec += 61000;
    for (int i = 0; i < 20; i++)
        file_release(find(unit_path("kept")));
    ck_assert_uint_le(stats().entries, 1);
}
END_TEST

START_TEST(test_many)
{
    char name[32];
    cache_conf.max = 5000;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "none-%d", i);
        conf.errors = true;
        ck_assert_int_eq(find_error(unit_path(name)), -ENOENT);
    }
    ck_assert_uint_eq(stats().entries, 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "none-%d", i);
        ck_assert_int_eq(find_error(unit_path(name)), -ENOENT);
    }
    ck_assert_uint_eq(stats().hits, 1000);
}
END_TEST

/* While a table grows, bucket by bucket, each entry is found, replaced and dropped where it is. */
START_TEST(test_growing)
{
    enum { FILES = 3000 };
    char name[32];

    conf.errors = true;
    cache_conf.max = FILES;
    for (int i = 0; i < 2 * FILES; i++) {
        uint64_t hits = stats().hits;
        snprintf(name, sizeof name, "none-%d", i);
        ck_assert_int_eq(find_error(unit_path(name)), -ENOENT);
        ck_assert_uint_eq(stats().hits, hits);
        for (int back = 1; back < FILES / 4 && back <= i; back *= 3) {
            snprintf(name, sizeof name, "none-%d", i - back);
            ck_assert_int_eq(find_error(unit_path(name)), -ENOENT);
            ck_assert_msg(stats().hits == ++hits, "%s behind %d", name, i);
        }
    }
    ck_assert_uint_le(stats().entries, FILES);
    clock_now.msec += 61000;
    for (int i = 0; i < FILES; i++)
        find_error(unit_path("none"));
    ck_assert_uint_le(stats().entries, 1);
}
END_TEST

/* All of them are found, and few are kept. */
START_TEST(test_bound)
{
    enum { FILES = 100, MOST = 20 };
    char name[32];

    cache_conf.max = FILES;
    file_cache_bound(fc, MOST);
    struct file *held = find(unit_write("held", "h", 1));
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "f%d", i);
        file_release(find(unit_write(name, "x", 1)));
        ck_assert_uint_le(stats().entries, MOST);
        uint64_t hits = stats().hits;
        file_release(find(unit_path(name)));
        ck_assert_uint_eq(stats().hits, hits + 1);
    }
    ck_assert_uint_gt(stats().entries, 1);
    file_release(held);

    /* Another cache's: nothing of its own may go. */
    struct file_cache_conf other = {.max = FILES, .inactive_sec = 60, .id = 4};
    file_cache_bound(fc, stats().entries);
    conf.cache = &other;
    for (int i = 0; i < 2; i++)
        file_release(find(unit_path("held")));
    ck_assert_uint_le(stats().entries, MOST + 1);
}
END_TEST

/* Others hold the descriptors: what was used least recently is closed. */
START_TEST(test_no_descriptors_left)
{
    enum { FILES = 60, LEFT = 30 };
    struct rlimit before, limit;
    char name[32];

    cache_conf.max = FILES;
    int next = dup(0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "f%d", i);
        unit_write(name, "x", 1);
    }
    limit = before;
    limit.rlim_cur = (rlim_t)next + LEFT;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 2 * FILES; i++) {
        snprintf(name, sizeof name, "f%d", i % FILES);
        file_release(find(unit_path(name)));
    }
    ck_assert_uint_le(stats().entries, LEFT);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* The same path, confined and not, is two entries. */
START_TEST(test_confinement_is_part_of_the_key)
{
    struct file *f = NULL;
    if (unit_on_valgrind())
        return;
    unit_write("out", "o", 1);
    unit_write("root/in", "i", 1);
    ck_assert_int_eq(symlink("../out", unit_path("root/link")), 0);
    struct open_options o = {.beneath = true, .root_len = strlen(unit_path("root"))};
    file_release(find(unit_path("root/link")));
    ck_assert_int_eq(file_cache_find(fc, &conf, unit_path("root/link"), &o, NULL, &f), -EACCES);
    struct open_options wider = {.beneath = true, .root_len = strlen(unit_dir())};
    ck_assert_int_eq(file_cache_find(fc, &conf, unit_path("root/link"), &wider, NULL, &f), 0);
    file_release(f);
    ck_assert_int_eq(file_cache_find(fc, &conf, unit_path("root/link"), &o, NULL, &f), -EACCES);
    struct open_options linkless = {.symlinks = SYMLINKS_REFUSE};
    ck_assert_int_eq(file_cache_find(fc, &conf, unit_path("root/link"), &linkless, NULL, &f), -ELOOP);
    file_release(find(unit_path("root/link")));
}
END_TEST

START_TEST(test_content)
{
    conf.content.most = 100;
    conf.content.cap = 150;
    char bytes[100];
    memset(bytes, 'c', sizeof bytes);
    struct file *f = find(unit_write("f", bytes, 100));
    ck_assert_ptr_nonnull(f->content);
    ck_assert_mem_eq(f->content, bytes, 100);
    ck_assert_uint_eq(stats().content_bytes, 100);
    struct file *g = find(unit_write("g", bytes, 51)); /* would pass the cap */
    ck_assert_ptr_null(g->content);
    struct file *h = find(unit_write("h", bytes, 50));
    ck_assert_ptr_nonnull(h->content);
    struct file *e = find(unit_write("e", "", 0));
    ck_assert_ptr_null(e->content);
    ck_assert_uint_eq(stats().content_bytes, 150);

    /* Goes with its entry, but not from under those that use it. */
    ck_assert_int_eq(unlink(unit_path("f")), 0);
    clock_now.msec += 60000;
    ck_assert_int_eq(find_error(unit_path("f")), -ENOENT);
    ck_assert_uint_eq(stats().content_bytes, 50);
    ck_assert_mem_eq(f->content, bytes, 100);
    file_release(e);
    file_release(f);
    file_release(g);
    file_release(h);
}
END_TEST

static struct file *find_after_valid(const char *path)
{
    clock_now.msec += 60000;
    return find(path);
}

/* Other bytes of the same length, with the times that a copy keeps: only ctime tells. */
static void rewrite(const char *path, const char *bytes)
{
    struct stat before, now;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(fstat(fd, &before), 0);
    do {
        ck_assert_int_eq(pwrite(fd, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
        ck_assert_int_eq(futimens(fd, (struct timespec[]){before.st_atim, before.st_mtim}), 0);
        ck_assert_int_eq(fstat(fd, &now), 0);
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec && now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
    close(fd);
}

START_TEST(test_content_is_of_the_file)
{
    conf.content.most = conf.content.cap = 100;
    const char *path = unit_write("f", "first", 5);
    clock_now.sec += 10; /* it is an old file */
    struct file *f = find(path);
    ck_assert_mem_eq(f->content, "first", 5);
    rewrite(path, "other");
    struct file *g = find_after_valid(path);
    ck_assert_mem_eq(g->content, "other", 5);
    struct file *h = find_after_valid(path);
    ck_assert_ptr_eq(g, h); /* nothing happened */
    ck_assert_uint_eq(stats().content_bytes, 5);
    file_release(f);
    file_release(g);
    file_release(h);
}
END_TEST

/* The clock of a file system ticks slowly: a file may be written again with nothing to tell it
 * by. */
START_TEST(test_content_of_a_young_file)
{
    conf.content.most = conf.content.cap = 100;
    const char *path = unit_write("f", "first", 5);
    struct file *f = find(path);
    ck_assert_ptr_nonnull(f->content);
    clock_now.sec += 10;
    struct file *g = find_after_valid(path);
    ck_assert_ptr_ne(f, g); /* read once more */
    ck_assert_mem_eq(g->content, "first", 5);
    struct file *h = find_after_valid(path);
    ck_assert_ptr_eq(g, h); /* and that will do */
    file_release(f);
    file_release(g);
    file_release(h);
}
END_TEST

/* Opened when there was no room for its content, or by a location that keeps none. */
START_TEST(test_content_comes_later)
{
    const char *path = unit_write("f", "first", 5);
    clock_now.sec += 10;
    conf.content.most = 0;
    conf.content.cap = 5;
    struct file *f = find(path);
    ck_assert_ptr_null(f->content);
    conf.content.most = 5;
    struct file *g = find_after_valid(path);
    ck_assert_mem_eq(g->content, "first", 5);
    rewrite(path, "other"); /* what it holds makes room for what replaces it */
    struct file *h = find_after_valid(path);
    ck_assert_mem_eq(h->content, "other", 5);
    ck_assert_uint_eq(stats().content_bytes, 5);
    file_release(f);
    file_release(g);
    file_release(h);
}
END_TEST

struct waiter {
    struct file_lookup lookup;
    int calls, rc;
    struct file *file;
};

static void on_found(struct file_lookup *l, int rc, struct file *f)
{
    struct waiter *w = container_of(l, struct waiter, lookup);
    w->calls++;
    w->rc = rc;
    w->file = f;
}

/* A file whose content is not in the page cache, so that reading it is for the pool: the first
 * lookup of it waits. The kernel may be done reading before it says so, on a busy machine with a
 * fast disk: another file, then. False: no filesystem here does that. */
static bool find_cold(struct file_lookup *l, char *path, size_t size)
{
    for (int attempt = 0; unit_disk_dir() && attempt < 20; attempt++) {
        struct file *f = NULL;
        snprintf(path, size, "%s/cold-%d", unit_disk_dir(), attempt);
        unit_write_pattern(path, 20000);
        int fd = open(path, O_RDONLY);
        ck_assert_int_eq(fsync(fd), 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
        l->found = on_found;
        int rc = file_cache_find(fc, &conf, path, NULL, l, &f);
        if (rc == -EINPROGRESS)
            return true;
        ck_assert_int_eq(rc, 0);
        file_release(f);
    }
    return false;
}

START_TEST(test_shared_open)
{
    struct waiter w[3];
    char path[4200];
    memset(w, 0, sizeof w);
    conf.content.most = conf.content.cap = 1 << 20;
    if (!find_cold(&w[0].lookup, path, sizeof path))
        return;
    size_t entries = stats().entries;
    for (int i = 1; i < 3; i++) {
        struct file *f = NULL;
        w[i].lookup.found = on_found;
        ck_assert_int_eq(file_cache_find(fc, &conf, path, NULL, &w[i].lookup, &f), -EINPROGRESS);
        ck_assert_ptr_null(f);
    }
    struct file *own = find(path); /* cannot wait: opens for itself */
    file_lookup_cancel(&w[1].lookup);
    wait_pool();
    ck_assert_int_eq(w[0].calls, 1);
    ck_assert_int_eq(w[1].calls, 0);
    ck_assert_int_eq(w[2].calls, 1);
    ck_assert_int_eq(w[0].rc, 0);
    ck_assert_ptr_null(w[0].lookup.open);
    ck_assert_ptr_eq(w[0].file, w[2].file);
    ck_assert_ptr_nonnull(w[0].file->content);
    assert_pattern(w[0].file->content, 20000, 0);
    ck_assert_uint_eq(w[0].file->refs, 3);
    ck_assert_uint_eq(stats().entries, entries);
    struct file *hit = find(path);
    ck_assert_ptr_eq(hit, w[0].file);
    file_release(hit);
    file_release(own);
    file_release(w[0].file);
    file_release(w[2].file);
}
END_TEST

/* A name the kernel has not cached is looked up by the pool, with the cache and without. */
START_TEST(test_cold_name)
{
    for (int cached = 0; cached < 2; cached++) {
        struct waiter w = {.lookup = {.found = on_found}};
        struct file *f = NULL;
        conf.cache = cached ? &cache_conf : NULL;
        int rc = file_cache_find(fc, &conf, unit_path(cached ? "cold-1" : "cold-0"), NULL, &w.lookup, &f);
        if (rc != -EINPROGRESS) {
            ck_assert_int_eq(rc, -ENOENT); /* a kernel without RESOLVE_CACHED */
            continue;
        }
        wait_pool();
        ck_assert_int_eq(w.calls, 1);
        ck_assert_int_eq(w.rc, -ENOENT);
        ck_assert_ptr_null(w.file);
        ck_assert_uint_eq(stats().entries, 0);
    }
}
END_TEST

/* Destroyed while an open whose only lookup was cancelled is in the pool. */
START_TEST(test_destroy_in_flight)
{
    struct waiter w = {.lookup = {.found = on_found}};
    char path[4200];
    conf.content.most = conf.content.cap = 1 << 20;
    (void)find_cold(&w.lookup, path, sizeof path);
    file_lookup_cancel(&w.lookup);
    file_cache_destroy(fc);
    pool_destroy(pool);
    ck_assert_int_eq(w.calls, 0);
    setup();
}
END_TEST

static void slow_run(struct job *job)
{
    (void)job;
    usleep(20000);
}

static void slow_done(struct job *job)
{
    (void)job;
}

/* A pool full of the work of others delays nothing for ever, and nothing is opened in the loop for
 * that. */
START_TEST(test_full_pool)
{
    static struct job jobs[8]; /* the last ones end with the pool, after this */
    struct waiter probe = {.lookup = {.found = on_found}};
    struct waiter w = {.lookup = {.found = on_found}};
    struct file *f = NULL;
    pool_destroy(pool);
    file_cache_destroy(fc);
    ck_assert_int_eq(pool_create(&pool, "small", 1, 1), 0);
    ck_assert_int_eq(file_cache_create(&fc, pool), 0);
    bool waits = file_cache_find(fc, &conf, unit_path("probe"), NULL, &probe.lookup, &f) == -EINPROGRESS;
    if (waits)
        wait_pool();
    for (int i = 0; i < 8; i++) {
        jobs[i].run = slow_run;
        jobs[i].done = slow_done;
        (void)pool_submit(pool, &jobs[i]);
    }
    int rc = file_cache_find(fc, &conf, unit_path("full"), NULL, &w.lookup, &f);
    ck_assert_int_eq(rc, waits ? -EINPROGRESS : -ENOENT);
    for (int i = 0; rc == -EINPROGRESS && w.calls == 0 && i < 20; i++)
        wait_pool();
    ck_assert_int_eq(rc == -EINPROGRESS ? w.rc : rc, -ENOENT);

    /* More cold names than the pool takes: all are answered. */
    struct waiter many[12];
    char name[32];
    int answered = 0;
    memset(many, 0, sizeof many);
    for (int i = 0; i < 12; i++) {
        many[i].lookup.found = on_found;
        snprintf(name, sizeof name, "many-%d", i);
        rc = file_cache_find(fc, &conf, unit_path(name), NULL, &many[i].lookup, &f);
        ck_assert_int_eq(rc, waits ? -EINPROGRESS : -ENOENT);
        many[i].calls = rc != -EINPROGRESS;
    }
    for (int turn = 0; turn < 50 && answered < 12; turn++) {
        struct pollfd p = {pool_eventfd(pool), POLLIN, 0};
        poll(&p, 1, 200);
        pool_reap(pool);
        answered = 0;
        for (int i = 0; i < 12; i++)
            answered += many[i].calls;
    }
    ck_assert_int_eq(answered, 12);
}
END_TEST

Suite *suite_file_cache(void)
{
    Suite *s = suite_create("file/cache");
    TCase *t = tcase_create("cache");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_hit);
    tcase_add_test(t, test_off);
    tcase_add_test(t, test_revalidation);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_misses_evict_nothing);
    tcase_add_test(t, test_min_uses);
    tcase_add_test(t, test_max_and_inactive);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_growing);
    tcase_add_test(t, test_bound);
    tcase_add_test(t, test_no_descriptors_left);
    tcase_add_test(t, test_confinement_is_part_of_the_key);
    tcase_add_test(t, test_content);
    tcase_add_test(t, test_content_is_of_the_file);
    tcase_add_test(t, test_content_of_a_young_file);
    tcase_add_test(t, test_content_comes_later);
    tcase_add_test(t, test_shared_open);
    tcase_add_test(t, test_cold_name);
    tcase_add_test(t, test_destroy_in_flight);
    tcase_add_test(t, test_full_pool);
    suite_add_tcase(s, t);
    return s;
}
