/* test_residency.c - the share of a part that is in the page cache, where the kernel tells it. */
#include "file/open.h"
#include "file/residency.h"

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

/* A file on disk and not in memory; NULL: the kernel does not tell, or keeps it. */
static struct file *cold_file(off_t size, struct file *f)
{
    static char path[4096];
    const char *dir = unit_disk_dir();

    if (!dir)
        return NULL;
    snprintf(path, sizeof path, "%s/residency", dir);
    unit_write_pattern(path, size);
    *f = (struct file){.fd = open(path, O_RDONLY | O_CLOEXEC), .size = size};
    ck_assert_int_ge(f->fd, 0);
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM); /* nothing is read ahead */
    fsync(f->fd);
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
    if (residency_permille(f, 0, (uint64_t)size) == 0)
        return f;
    close(f->fd);
    return NULL;
}

/* Into memory, and kept there until the test ends: the kernel may take out at any time what nobody
 * has locked. Read first, because locking by itself would fetch page by page. False: so much cannot
 * be locked. */
static bool read_part(const struct file *f, off_t offset, size_t len)
{
    char *bytes = malloc(len);
    ck_assert_int_eq(pread(f->fd, bytes, len, offset), (ssize_t)len);
    free(bytes);
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, f->fd, offset);
    ck_assert_ptr_ne(map, MAP_FAILED);
    ck_assert_int_eq(madvise(map, len, MADV_RANDOM), 0); /* nothing around it */
    return mlock(map, len) == 0;
}

START_TEST(test_small)
{
    struct file file, *f = cold_file(2 * MIB, &file);
    if (!f)
        return;
    if (!read_part(f, 0, 512 * 1024))
        return;
    ck_assert_int_eq(residency_permille(f, 0, 2 * MIB), 250);
    ck_assert_int_eq(residency_permille(f, 0, 1), 1000);
    ck_assert_int_eq(residency_permille(f, 2 * MIB - 1, 1), 0);
    if (!read_part(f, 1536 * 1024, 512 * 1024))
        return;
    ck_assert_int_eq(residency_permille(f, 0, 2 * MIB), 500);
    ck_assert_int_eq(residency_permille(f, MIB, MIB), 500);
    ck_assert_int_eq(residency_permille(f, 1536 * 1024, 512 * 1024), 1000);
    ck_assert_int_lt(residency_permille(f, 0, 0), 0);
    close(f->fd);
}
END_TEST

START_TEST(test_samples)
{
    struct file file, *f = cold_file(48 * MIB + 5, &file);
    if (!f)
        return;
    if (!read_part(f, 12 * MIB, 24 * MIB))
        return;
    int half = residency_permille(f, 0, 48 * MIB + 5);
    ck_assert_msg(half > 400 && half < 600, "%d", half);
    if (!read_part(f, 0, 12 * MIB))
        return;
    if (!read_part(f, 36 * MIB, 12 * MIB + 5))
        return;
    ck_assert_int_eq(residency_permille(f, 0, 48 * MIB + 5), 1000);
    close(f->fd);
}
END_TEST

/* Asking brings nothing in. */
START_TEST(test_asking_reads_nothing)
{
    struct file file, *f = cold_file(20 * MIB, &file);
    if (!f)
        return;
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(residency_permille(f, 0, 20 * MIB), 0);
    close(f->fd);
}
END_TEST

Suite *suite_file_residency(void)
{
    Suite *s = suite_create("file/residency");
    TCase *t = tcase_create("residency");
    tcase_add_test(t, test_small);
    tcase_add_test(t, test_samples);
    tcase_add_test(t, test_asking_reads_nothing);
    suite_add_tcase(s, t);
    return s;
}
