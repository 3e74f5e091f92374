/* test_open.c - paths to struct files: kinds, validators, confinement, direct descriptors,
 * residency. */
#include "file/open.h"

#include "file/residency.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct file *must_open(const char *path)
{
    struct file *f = NULL;
    ck_assert_int_eq(file_open(&f, path, NULL), 0);
    return f;
}

START_TEST(test_regular)
{
    const char *path = unit_write("f", "0123456789", 10);
    struct timespec times[2] = {{0, 0}, {784111777, 5}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    struct file *f = must_open(path);
    ck_assert_int_eq(f->kind, FILE_REGULAR);
    ck_assert_int_eq(f->size, 10);
    ck_assert_uint_eq(f->refs, 1);
    ck_assert_int_ge(f->fd, 0);
    ck_assert_int_eq(f->direct_fd, -1);
    ck_assert_str_eq(f->etag, "\"2ebc98a1-a\"");
    ck_assert_uint_eq(f->etag_len, strlen(f->etag));
    ck_assert_str_eq(f->last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    ck_assert_uint_eq(f->size_len, 2);
    ck_assert_mem_eq(f->size_text, "10", 2);
    ck_assert_str_eq(f->path, path);
    ck_assert(fcntl(f->fd, F_GETFD) & FD_CLOEXEC);
    file_release(f);
}
END_TEST

START_TEST(test_stamp)
{
    const char *path = unit_write("f", "0123456789", 10);
    struct timespec then[2] = {{0, 0}, {784111777, 5}}, touched[2] = {{0, 0}, {784111777, 6}};
    struct file_stamp stamp;
    ck_assert_int_eq(utimensat(AT_FDCWD, path, then, 0), 0);
    struct file *f = must_open(path);
    ck_assert_int_eq(file_stamp(f, &stamp), 0);
    ck_assert_int_eq(stamp.size, 10);
    ck_assert(!file_rewritten(f, &stamp));
    ck_assert_int_eq(utimensat(AT_FDCWD, path, touched, 0), 0);
    ck_assert(file_rewritten(f, &stamp));
    /* Longer, with whatever time: appended to. */
    ck_assert_int_eq(truncate(path, 11), 0);
    ck_assert(!file_rewritten(f, &stamp));
    ck_assert_int_eq(truncate(path, 9), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, then, 0), 0);
    ck_assert(file_rewritten(f, &stamp));
    /* Another file of that name is none of its business. */
    ck_assert_int_eq(truncate(path, 10), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, then, 0), 0);
    ck_assert_int_eq(unlink(path), 0);
    unit_write("f", "0", 1);
    ck_assert(!file_rewritten(f, &stamp));
    file_release(f);
}
END_TEST

START_TEST(test_empty_and_huge)
{
    struct file *f = must_open(unit_write("empty", "", 0));
    ck_assert_int_eq(f->size, 0);
    ck_assert_mem_eq(f->size_text, "0", 1);
    file_release(f);

    const char *path = unit_write("huge", "", 0);
    ck_assert_int_eq(truncate(path, (off_t)5 << 30), 0);
    f = must_open(path);
    ck_assert_int_eq(f->size, (off_t)5 << 30);
    ck_assert_mem_eq(f->size_text, "5368709120", 10);
    file_release(f);
}
END_TEST

/* None of these may hang, and none keeps a descriptor. */
START_TEST(test_other_kinds)
{
    struct file *f = must_open(unit_dir());
    ck_assert_int_eq(f->kind, FILE_DIRECTORY);
    ck_assert_int_eq(f->fd, -1);
    file_release(f);

    const char *fifo = unit_path("fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    f = must_open(fifo);
    ck_assert_int_eq(f->kind, FILE_OTHER);
    ck_assert_int_eq(f->fd, -1);
    file_release(f);

    f = must_open("/dev/null");
    ck_assert_int_eq(f->kind, FILE_OTHER);
    file_release(f);

    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(un.sun_path, sizeof un.sun_path, "%s/socket", unit_dir());
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    f = must_open(un.sun_path);
    ck_assert_int_eq(f->kind, FILE_OTHER);
    file_release(f);
    close(fd);
}
END_TEST

START_TEST(test_errors)
{
    struct file *f = NULL;
    char name[300];
    const char *path = unit_write("f", "x", 1);

    ck_assert_int_eq(file_open(&f, unit_path("none"), NULL), -ENOENT);
    snprintf(name, sizeof name, "%s/below", path);
    ck_assert_int_eq(file_open(&f, name, NULL), -ENOTDIR);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(file_open(&f, unit_path(name), NULL), -ENAMETOOLONG);
    ck_assert_int_eq(symlink("loop", unit_path("loop")), 0);
    ck_assert_int_eq(file_open(&f, unit_path("loop"), NULL), -ELOOP);
    ck_assert_ptr_null(f);
}
END_TEST

/* What was just opened is in the kernel's path cache; a name never asked for is not, and must not
 * be waited for. */
START_TEST(test_cached)
{
    struct file *f = NULL, *g = NULL;
    const char *path = unit_write("f", "x", 1);
    f = must_open(path);
    ck_assert_int_eq(file_open_cached(&g, path, NULL), 0);
    ck_assert_int_eq(g->ino, f->ino);
    file_release(g);
    file_release(f);
    int rc = file_open_cached(&g, unit_path("never-asked-for"), NULL);
    ck_assert_msg(rc == -EAGAIN || rc == -ENOENT, "rc %d", rc);
    ck_assert_int_eq(file_open(&g, unit_path("never-asked-for"), NULL), -ENOENT);
    rc = file_open_cached(&g, unit_path("never-asked-for"), NULL);
    ck_assert_msg(rc == -ENOENT || rc == -EAGAIN, "rc %d", rc); /* tmpfs remembers no missing names */
}
END_TEST

START_TEST(test_beneath)
{
    struct file *f = NULL;
    if (unit_on_valgrind())
        return;
    unit_write("out/secret", "s", 1);
    unit_write("root/in", "i", 1);
    ck_assert_int_eq(symlink("in", unit_path("root/good")), 0);
    ck_assert_int_eq(symlink("../out/secret", unit_path("root/bad")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", unit_path("root/worse")), 0);
    ck_assert_int_eq(symlink("/proc/self/root", unit_path("root/magic")), 0);
    ck_assert_int_eq(symlink(unit_path("root"), unit_path("link")), 0); /* a root may be a link itself */
    struct open_options o = {.beneath = true, .root_len = strlen(unit_path("root"))};
    const struct {
        const char *path;
        int rc;
    } cases[] = {{"root/in", 0},
                 {"root/good", 0},
                 {"root/bad", -EACCES},
                 {"root/worse", -EACCES},
                 {"root/magic", -EACCES},
                 {"root/../out", -EACCES},
                 {"root/none", -ENOENT},
                 {"root//in", 0},
                 {"root", 0},
                 {"root/", 0},
                 {"link/good", 0},
                 {"link/bad", -EACCES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = file_open(&f, unit_path(cases[i].path), &o);
        ck_assert_msg(rc == cases[i].rc, "%s: %d", cases[i].path, rc);
        if (rc == 0)
            file_release(f);
        rc = file_open_cached(&f, unit_path(cases[i].path), &o);
        ck_assert_msg(rc == cases[i].rc || rc == -EAGAIN, "%s, cached: %d", cases[i].path, rc);
        if (rc == 0)
            file_release(f);
    }
}
END_TEST

START_TEST(test_beneath_the_root_directory)
{
    struct file *f = NULL;
    struct open_options o = {.beneath = true, .root_len = 0};
    ck_assert_int_eq(symlink("/etc", unit_path("absolute")), 0);
    ck_assert_int_eq(file_open(&f, unit_write("f", "f", 1), &o), 0);
    file_release(f);
    ck_assert_int_eq(file_open(&f, unit_path("absolute"), &o), -EACCES);
    ck_assert_int_eq(file_open(&f, "/", &o), 0);
    file_release(f);
}
END_TEST

static const struct linked {
    const char *path;
    const char *trusted; /* the part of it whose links are followed, or NULL */
    int refuse, owner;   /* answers of the two kinds of guard */
} linked[] = {
    {"d/f", NULL, 0, 0},
    {"d/f", "d", 0, 0},
    {"d/", NULL, 0, 0},
    {"d//f", NULL, 0, 0},
    {"d/none", NULL, -ENOENT, -ENOENT},
    {"d/f/g", NULL, -ENOTDIR, -ENOTDIR},
    {"d/mine", NULL, -ELOOP, 0},
    {"d/theirs", NULL, -ELOOP, -ELOOP},
    {"d/nowhere", NULL, -ELOOP, -ENOENT},
    {"to-d/f", NULL, -ENOTDIR, 0},
    {"to-d/", NULL, -ENOTDIR, 0},
    {"to-d", NULL, -ELOOP, 0},
    {"to-d/f", "to-d", 0, 0},
    {"to-d/mine", "to-d", -ELOOP, 0},
    {"to-d/theirs", "to-d", -ELOOP, -ELOOP},
    {"to-d", "to-d", 0, 0},
    {"their-d/f", NULL, -ENOTDIR, -ELOOP},
    {"their-d/f", "their-d", 0, 0},
    {"to-d/mine", NULL, -ENOTDIR, 0},
    {"to-d/theirs", NULL, -ENOTDIR, -ELOOP},
    {"to-d/none", NULL, -ENOTDIR, -ENOENT},
    {"to-d/f/g", NULL, -ENOTDIR, -ENOTDIR},
    {"d/up/to-d/d-again//mine", NULL, -ENOTDIR, 0},
    {"d/up/to-d/d-again/theirs", NULL, -ENOTDIR, -ELOOP},
    {"d/up/their-d/f", NULL, -ENOTDIR, -ELOOP},
    {"d/loop", NULL, -ELOOP, -ELOOP},
};

START_TEST(test_symlinks)
{
    struct file *f = NULL;
    if (geteuid() != 0)
        return; /* links of another user need one */
    unit_write("d/f", "f", 1);
    ck_assert_int_eq(symlink("f", unit_path("d/mine")), 0);
    ck_assert_int_eq(symlink("f", unit_path("d/theirs")), 0);
    ck_assert_int_eq(symlink("nothing", unit_path("d/nowhere")), 0);
    ck_assert_int_eq(symlink("d", unit_path("to-d")), 0);
    ck_assert_int_eq(symlink("d", unit_path("their-d")), 0);
    ck_assert_int_eq(symlink("..", unit_path("d/up")), 0);
    ck_assert_int_eq(symlink("../d", unit_path("d/d-again")), 0);
    ck_assert_int_eq(symlink("loop", unit_path("d/loop")), 0);
    ck_assert_int_eq(lchown(unit_path("d/theirs"), 65534, 65534), 0);
    ck_assert_int_eq(lchown(unit_path("their-d"), 65534, 65534), 0);
    for (size_t i = 0; i < sizeof linked / sizeof linked[0]; i++) {
        const struct linked *c = &linked[i];
        for (enum symlinks how = SYMLINKS_REFUSE; how <= SYMLINKS_IF_OWNER; how++) {
            struct open_options o = {.symlinks = how, .trusted = c->trusted ? strlen(unit_path(c->trusted)) : 0};
            int expected = how == SYMLINKS_REFUSE ? c->refuse : c->owner;
            struct stat st;
            ck_assert_int_eq(file_stat(unit_path(c->path), &o, &st), expected);
            ck_assert(expected < 0 || !S_ISLNK(st.st_mode));
            int rc = file_open(&f, unit_path(c->path), &o);
            ck_assert_msg(rc == expected, "%s, %d: %d", c->path, how, rc);
            if (rc == 0)
                file_release(f);
            rc = file_open_cached(&f, unit_path(c->path), &o);
            ck_assert_msg(rc == expected || rc == -EAGAIN, "%s, %d, cached: %d", c->path, how, rc);
            if (rc == 0)
                file_release(f);
        }
    }
}
END_TEST

/* What is in the kernel's path cache is not waited for, links included. */
START_TEST(test_owned_link_cached)
{
    struct file *f = NULL;
    struct open_options o = {.symlinks = SYMLINKS_IF_OWNER};
    unit_write("d/f", "f", 1);
    ck_assert_int_eq(symlink("d", unit_path("to-d")), 0);
    ck_assert_int_eq(file_open(&f, unit_path("to-d/f"), &o), 0);
    file_release(f);
    int rc = file_open_cached(&f, unit_path("to-d/f"), NULL);
    if (rc == 0)
        file_release(f);
    if (rc == 0 && !unit_on_valgrind()) {
        ck_assert_int_eq(file_open_cached(&f, unit_path("to-d/f"), &o), 0);
        file_release(f);
    }
}
END_TEST

/* Both guards at once: a link must satisfy both. */
START_TEST(test_beneath_and_owned)
{
    struct file *f = NULL;
    unit_write("root/in", "i", 1);
    unit_write("out", "o", 1);
    ck_assert_int_eq(symlink("in", unit_path("root/good")), 0);
    ck_assert_int_eq(symlink("../out", unit_path("root/bad")), 0);
    struct open_options o = {.beneath = true, .root_len = strlen(unit_path("root")), .symlinks = SYMLINKS_IF_OWNER};
    ck_assert_int_eq(file_open(&f, unit_path("root/good"), &o), 0);
    file_release(f);
    ck_assert_int_eq(file_open(&f, unit_path("root/in"), &o), 0);
    file_release(f);
    ck_assert_int_eq(file_open(&f, unit_path("root/none"), &o), -ENOENT);
    ck_assert_int_eq(file_open(&f, unit_path("root/../out"), &o), -EACCES);
    ck_assert_int_eq(file_open(&f, unit_path("root/bad"), &o), -EACCES);
    o.symlinks = SYMLINKS_REFUSE;
    ck_assert_int_eq(file_open(&f, unit_path("root/good"), &o), -ELOOP);
    ck_assert_int_eq(file_open(&f, unit_path("root/in"), &o), 0);
    file_release(f);
    o.trusted = strlen(unit_path("root/good"));
    ck_assert_int_eq(file_open(&f, unit_path("root/good"), &o), 0);
    file_release(f);
}
END_TEST

START_TEST(test_direct)
{
    char path[4200];
    if (!unit_disk_dir())
        return; /* nothing here takes O_DIRECT */
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    unit_write_pattern(path, 10000);
    struct file *f = file_acquire(must_open(path)); /* somebody else reads by it, too */
    ck_assert_int_eq(file_direct(f, 512, true), 0);
    int fd = f->direct_fd;
    ck_assert_int_eq(file_direct(f, 512, true), 0);
    ck_assert_int_eq(f->direct_fd, fd);
    ck_assert(fcntl(fd, F_GETFL) & O_DIRECT);
    ck_assert(!(fcntl(f->fd, F_GETFL) & O_DIRECT));
    ck_assert_uint_gt(f->align_offset, 0);
    ck_assert_uint_eq(f->align_offset & (f->align_offset - 1), 0);
    ck_assert_uint_gt(f->align_memory, 0);
    void *buffer = aligned_alloc(4096, 16384);
    ck_assert_int_eq(pread(fd, buffer, 16384, 0), 10000);
    assert_pattern(buffer, 10000, 0);
    free(buffer);
    file_release(f);
    file_release(f);

    f = must_open(unit_disk_dir());
    ck_assert_int_eq(file_direct(f, 512, true), -EINVAL);
    file_release(f);
}
END_TEST

static bool is_direct(const struct file *f)
{
    return fcntl(f->fd, F_GETFL) & O_DIRECT;
}

/* Whoever has the file for himself needs no second descriptor. */
START_TEST(test_direct_alone)
{
    char path[4200], byte;
    if (!unit_disk_dir())
        return;
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    unit_write_pattern(path, 10000);
    struct file *f = must_open(path);
    ck_assert_int_eq(file_direct(f, 512, true), 0);
    ck_assert_int_eq(f->direct_fd, f->fd);
    ck_assert(is_direct(f));
    file_plain(f);
    ck_assert(!is_direct(f));
    ck_assert_int_eq(pread(f->fd, &byte, 1, 17), 1);
    file_plain(f); /* once more is nothing */
    int fd = f->fd;
    file_release(f);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* closed, once */

    f = file_acquire(must_open(path));
    file_plain(f); /* before anything was made of it */
    ck_assert_int_eq(file_direct(f, 512, true), 0);
    file_plain(f);
    ck_assert(fcntl(f->direct_fd, F_GETFL) & O_DIRECT); /* which is another one */
    file_release(f);
    file_release(f);
}
END_TEST

/* A replaced path must not give the direct descriptor another inode. */
START_TEST(test_direct_is_same_inode)
{
    char path[4200], other[4200];
    if (!unit_disk_dir())
        return;
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    snprintf(other, sizeof other, "%s/g", unit_disk_dir());
    unit_write_pattern(path, 5000);
    unit_write_pattern(other, 6000);
    struct file *f = must_open(path);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(file_direct(f, 512, false), 0);
    struct stat st;
    ck_assert_int_eq(fstat(f->direct_fd, &st), 0);
    ck_assert_int_eq(st.st_size, 5000);
    file_release(f);
}
END_TEST

/* What is read by it is in memory then, and next to nothing behind that. */
START_TEST(test_exact)
{
    enum { LEN = 4 << 20, FAR = 256 * 1024 };
    char path[4200], bytes[4096];
    if (!unit_disk_dir() || unit_on_valgrind())
        return;
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    unit_write_pattern(path, LEN);
    struct file *f = must_open(path);
    ck_assert_int_eq(file_exact(f), 0);
    int fd = f->exact_fd;
    ck_assert_int_eq(file_exact(f), 0);
    ck_assert_int_eq(f->exact_fd, fd);
    ck_assert_int_ne(fd, f->fd);
    ck_assert_int_eq(fsync(f->fd), 0);
    ck_assert_int_eq(posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    bool cold = residency(f, 0, LEN) == 0;
    for (off_t at = 0; at < FAR / 2; at += (off_t)sizeof bytes) {
        ck_assert_int_eq(pread(fd, bytes, sizeof bytes, at), sizeof bytes);
        assert_pattern(bytes, sizeof bytes, at);
    }
    if (cold)
        ck_assert_int_lt(residency(f, 0, LEN), FAR);
    file_release(f);

    f = must_open(unit_disk_dir());
    ck_assert_int_eq(file_exact(f), -EINVAL);
    file_release(f);
}
END_TEST

START_TEST(test_residency)
{
    char path[4200];
    off_t size = 300000;
    if (!unit_disk_dir())
        return;
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    unit_write_pattern(path, size);
    struct file *f = must_open(path);
    ck_assert_int_eq(residency(f, 0, (size_t)size), (size_t)size);
    ck_assert_int_eq(residency(f, 299999, 1), 1);
    ck_assert_int_eq(residency(f, 5000, 7000), 7000);
    ck_assert_int_eq(residency(f, 0, 0), 0);
    ck_assert_int_eq(fsync(f->fd), 0);
    ck_assert_int_eq(posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    ck_assert_int_eq(residency(f, 0, (size_t)size), 0);
    ck_assert_int_eq(residency(f, 250000, 1000), 0);
    file_release(f);
}
END_TEST

/* A hole in what is resident: never more than the beginning is claimed. */
START_TEST(test_residency_prefix)
{
    char path[4200];
    off_t size = 1 << 20, cut = 400 * 1024;
    if (!unit_disk_dir())
        return;
    snprintf(path, sizeof path, "%s/f", unit_disk_dir());
    unit_write_pattern(path, size);
    struct file *f = must_open(path);
    ck_assert_int_eq(fsync(f->fd), 0);
    ck_assert_int_eq(posix_fadvise(f->fd, cut, 0, POSIX_FADV_DONTNEED), 0);
    ssize_t n = residency(f, 0, (size_t)size);
    /* Whole folios go, or stay: the cut may be off by one of them. */
    ck_assert_int_gt(n, 0);
    ck_assert_int_lt(n, size);
    file_release(f);
}
END_TEST

Suite *suite_file_open(void)
{
    Suite *s = suite_create("file/open");
    TCase *t = tcase_create("open");
    tcase_add_test(t, test_regular);
    tcase_add_test(t, test_stamp);
    tcase_add_test(t, test_empty_and_huge);
    tcase_add_test(t, test_other_kinds);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_cached);
    tcase_add_test(t, test_beneath);
    tcase_add_test(t, test_beneath_the_root_directory);
    tcase_add_test(t, test_symlinks);
    tcase_add_test(t, test_owned_link_cached);
    tcase_add_test(t, test_beneath_and_owned);
    tcase_add_test(t, test_direct);
    tcase_add_test(t, test_direct_alone);
    tcase_add_test(t, test_direct_is_same_inode);
    tcase_add_test(t, test_exact);
    tcase_add_test(t, test_residency);
    tcase_add_test(t, test_residency_prefix);
    suite_add_tcase(s, t);
    return s;
}
