/* test_hash.c - `sluice hash DIR`: lists and attributes that the server and sha256sum(1) agree with, what
 * is read again and what is not, checks, and the page cache as it was. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELLO "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

enum { LARGE = 5 * 1024 * 1024 + 77 };

static void hash(struct site_run *run, const char *option, const char *value)
{
    char *argv[] = {(char *)"sluice", (char *)"hash", (char *)site_path("html"), (char *)option, (char *)value, NULL};
    site_run_bare(run, argv);
}

static void assert_has(const char *output, const char *text)
{
    ck_assert_msg(strstr(output, text), "no %s in: %.2000s", text, output);
}

static void sums_agree(void)
{
    char *command = NULL;
    ck_assert_int_gt(asprintf(&command, "cd '%s' && sha256sum --check --quiet --strict SHA256SUMS", site_path("html")),
                     0);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

START_TEST(a_list)
{
    struct site_run run;
    struct stat before, after;
    site_write("html/a.txt", "hello\n");
    site_write("html/sub/empty", "");
    site_write("html/sub/back\\slash\nline", "odd\n");
    site_pattern("html/sub/large", LARGE);
    ck_assert_int_eq(link(site_path("html/a.txt"), site_path("html/b.txt")), 0);
    ck_assert_int_eq(symlink("../a.txt", site_path("html/sub/link")), 0);
    ck_assert_int_eq(symlink("..", site_path("html/sub/loop")), 0);
    hash(&run, NULL, NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    assert_has(run.out, "6 files: 4 read"); /* one inode has three names */
    sums_agree();
    char *list = site_read("html/SHA256SUMS", NULL);
    assert_has(list, HELLO "  a.txt\n");
    assert_has(list, HELLO "  sub/link\n");
    assert_has(list, "  sub/back\\\\slash\\nline\n");
    free(list);

    /* What is as it was is not read again, and the list stays. */
    ck_assert_int_eq(stat(site_path("html/SHA256SUMS"), &before), 0);
    hash(&run, NULL, NULL);
    ck_assert_int_eq(run.status, 0);
    assert_has(run.out, "6 files: 0 read");
    ck_assert_int_eq(stat(site_path("html/SHA256SUMS"), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);

    /* A new file with the size and time of the old one is another inode. */
    time_t mtime = site_mtime("html/sub/large");
    site_write("html/new", "other\n");
    site_set_mtime("html/new", mtime);
    ck_assert_int_eq(rename(site_path("html/new"), site_path("html/sub/back\\slash\nline")), 0);
    ck_assert_int_eq(unlink(site_path("html/sub/empty")), 0);
    hash(&run, NULL, NULL);
    assert_has(run.out, "5 files: 1 read");
    assert_has(run.out, "1 gone");
    sums_agree();
    hash(&run, "--all", NULL);
    assert_has(run.out, "5 files: 3 read");
    sums_agree();
}
END_TEST

START_TEST(a_check)
{
    struct site_run run;
    site_write("html/a.txt", "hello\n");
    site_write("html/b.txt", "hello\n");
    site_write("html/c.txt", "hello\n");
    hash(&run, NULL, NULL);
    ck_assert_int_eq(run.status, 0);
    hash(&run, "--check", NULL);
    ck_assert_msg(run.status == 0, "%s%s", run.out, run.err);
    struct stat st;
    ck_assert_int_eq(stat(site_path("html/a.txt"), &st), 0);
    int fd = open(site_path("html/a.txt"), O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "J", 1, 0), 1);
    struct timespec times[2] = {st.st_mtim, st.st_mtim};
    ck_assert_int_eq(futimens(fd, times), 0);
    close(fd);
    site_write("html/b.txt", "longer than it was\n");
    ck_assert_int_eq(unlink(site_path("html/c.txt")), 0);
    site_write("html/d.txt", "new\n");
    hash(&run, "--check", NULL);
    ck_assert_int_eq(run.status, 1);
    assert_has(run.out, "a.txt: differs, though its size and time are as recorded\n");
    assert_has(run.out, "b.txt: differs: it was changed since\n");
    assert_has(run.out, "c.txt: missing\n");
    assert_has(run.out, "d.txt: not recorded\n");
}
END_TEST

/* What the server finds, from either place. */
START_TEST(served)
{
    struct site_run run;
    struct site_response r;
    site_write("html/a.txt", "hello\n");
    hash(&run, _i == 0 ? NULL : "--xattr", NULL);
    if (_i == 1 && strstr(run.err, "no such attributes")) {
        printf("attributes are left out: the filesystem has none\n");
        return;
    }
    ck_assert_msg(run.status == 0, "%s", run.err);
    site_serve(_i == 0 ? "etag content; repr_digest on; digest_manifest @DIR@/html/SHA256SUMS;"
                       : "etag content; repr_digest on;");
    site_get(&r, "/a.txt");
    assert_header(&r, "ETag", "\"WJG1tSLV3whtD_CxEPvZ0h\"");
    assert_header(&r, "Repr-Digest", "sha-256=:WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:");
    site_response_free(&r);
    hash(&run, _i == 0 ? NULL : "--xattr", NULL);
    assert_has(run.out, "1 files: 0 read");
}
END_TEST

static size_t resident(const char *path, size_t len)
{
    unsigned char *pages = calloc(len / 4096 + 1, 1);
    size_t count = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC); /* mincore(2) tells those that may write */
    void *at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(at, MAP_FAILED);
    ck_assert_int_eq(mincore(at, len, pages), 0);
    for (size_t i = 0; i < (len + 4095) / 4096; i++)
        count += pages[i] & 1;
    munmap(at, len);
    close(fd);
    free(pages);
    return count;
}

START_TEST(the_page_cache)
{
    static const struct {
        const char *name;
        off_t len;
    } files[] = {{"cold/large", LARGE}, {"cold/small", 50000}};
    struct site_run run;
    if (!*site_disk()) {
        printf("left out: no folder takes O_DIRECT\n");
        return;
    }
    for (int i = 0; i < 2; i++) {
        const char *path = site_pattern(site_path("%s/%s", site_disk(), files[i].name), files[i].len);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(fsync(fd), 0);
        ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
        close(fd);
    }
    char *argv[] = {(char *)"sluice", (char *)"hash", (char *)site_path("%s/cold", site_disk()), NULL};
    size_t before[2];
    for (int i = 0; i < 2; i++)
        before[i] = resident(site_path("%s/%s", site_disk(), files[i].name), (size_t)files[i].len);
    site_run_bare(&run, argv);
    ck_assert_msg(run.status == 0, "%s", run.err);
    for (int i = 0; i < 2; i++)
        if (before[i] == 0)
            ck_assert_uint_eq(resident(site_path("%s/%s", site_disk(), files[i].name), (size_t)files[i].len), 0);
}
END_TEST

START_TEST(mistakes)
{
    static const struct {
        const char *option, *value, *error;
    } rows[] = {
        {"--threads", "0", "--threads takes a number from 1 to 256, not \"0\""},
        {"--threads", NULL, "a value is missing after \"--threads\""},
        {"--nonsense", NULL, "invalid option \"--nonsense\""},
        {"/", NULL, "more than one directory: \"/\""},
        {"--check", NULL, "SHA256SUMS: No such file or directory"},
    };
    struct site_run run;
    site_write("html/a.txt", "hello\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hash(&run, rows[i].option, rows[i].value);
        ck_assert_int_eq(run.status, 1);
        assert_has(run.err, rows[i].error);
    }
    /* What is no list is not written over. */
    site_write("html/a.txt", "hello\n");
    hash(&run, "-o", site_path("html/a.txt"));
    ck_assert_int_eq(run.status, 1);
    assert_has(run.err, "a.txt:1: not a line as sha256sum writes them; the file is left alone");
    char *text = site_read("html/a.txt", NULL);
    ck_assert_str_eq(text, "hello\n");
    free(text);
}
END_TEST

Suite *suite_hash(void)
{
    Suite *s = suite_create("hash");
    TCase *tc = site_case(s, "hash", 60);
    tcase_add_test(tc, a_list);
    tcase_add_test(tc, a_check);
    tcase_add_loop_test(tc, served, 0, 2);
    tcase_add_test(tc, the_page_cache);
    tcase_add_test(tc, mistakes);
    return s;
}
