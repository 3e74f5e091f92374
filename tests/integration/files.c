/* files.c - the harness's folder: pattern files, texts, logs, and its removal. */
#include "harness.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static char dir[2048], disk[2048];

static const char *tmp_base(void)
{
    const char *base = getenv("TMPDIR");
    return base && *base ? base : "/tmp";
}

/* Workers that dropped their privileges must get in. */
static bool make_dir(char *at, size_t size, const char *base)
{
    snprintf(at, size, "%s/sluice-XXXXXX", base);
    if (mkdtemp(at) && chmod(at, 0755) == 0)
        return true;
    at[0] = '\0';
    return false;
}

/* Opening is not enough: some filesystems refuse only the first read; and a tmpfs that takes
 * O_DIRECT still is memory. */
static bool takes_direct(const char *base)
{
    char path[4096];
    struct statfs fs;
    if (statfs(base, &fs) < 0 || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        return false;
    snprintf(path, sizeof path, "%s/sluice-direct-XXXXXX", base);
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    int direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    void *page = aligned_alloc(4096, 4096);
    bool works = page && direct >= 0 && ftruncate(fd, 4096) == 0 && pread(direct, page, 4096, 0) == 4096;
    free(page);
    if (direct >= 0)
        close(direct);
    close(fd);
    unlink(path);
    return works;
}

void files_setup(void)
{
    if (!make_dir(dir, sizeof dir, tmp_base()))
        ck_abort_msg("no folder in %s: %s", tmp_base(), strerror(errno));
    site_mkdir("logs");
    site_mkdir("html");
    if (!site_transport()->is_tcp)
        site_mkdir(SITE_SOCKETS);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path); /* what cannot go stays: the runner complains about it */
    return 0;
}

void files_remove(void)
{
    if (disk[0] && strcmp(disk, dir))
        nftw(disk, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (dir[0])
        nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    dir[0] = disk[0] = '\0';
}

const char *site_dir(void)
{
    return dir;
}

const char *site_disk(void)
{
    static bool looked;
    if (looked)
        return disk;
    looked = true;
    if (takes_direct(dir))
        return strcpy(disk, dir);
    const char *base = getenv("HARNESS_DISK");
    if (base && *base && takes_direct(base))
        make_dir(disk, sizeof disk, base);
    return disk;
}

const char *site_path(const char *format, ...)
{
    static char paths[16][4096];
    static unsigned turn;
    char name[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    char *path = paths[turn++ % 16];
    if (name[0] == '/')
        snprintf(path, sizeof paths[0], "%s", name);
    else
        snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

const char *site_data(const char *name)
{
    return site_path("%s/data/%s", *site_disk() ? site_disk() : site_dir(), name);
}

static void make_parents(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(copy, 0755);
        *slash = '/';
    }
}

const char *site_mkdir(const char *name)
{
    const char *path = site_path("%s", name);
    make_parents(path);
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        ck_abort_msg("mkdir %s: %s", path, strerror(errno));
    return path;
}

static FILE *open_for_writing(const char *path, const char *mode)
{
    make_parents(path);
    FILE *f = fopen(path, mode);
    if (!f)
        ck_abort_msg("%s: %s", path, strerror(errno));
    return f;
}

static void finish_writing(FILE *f, const char *path)
{
    if (fclose(f) != 0)
        ck_abort_msg("%s: %s", path, strerror(errno));
}

const char *site_write_bytes(const char *name, const void *bytes, size_t len)
{
    const char *path = site_path("%s", name);
    FILE *f = open_for_writing(path, "w");
    if (len)
        ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    finish_writing(f, path);
    return path;
}

const char *site_write(const char *name, const char *text)
{
    return site_write_bytes(name, text, strlen(text));
}

const char *site_pattern(const char *name, off_t len)
{
    const char *path = site_path("%s", name);
    FILE *f = open_for_writing(path, "w");
    pattern_put(f, 0, len);
    finish_writing(f, path);
    return path;
}

void site_pattern_at(const char *name, off_t offset, size_t len)
{
    const char *path = site_path("%s", name);
    FILE *f = open_for_writing(path, access(path, F_OK) == 0 ? "r+" : "w");
    ck_assert_int_eq(fseeko(f, offset, SEEK_SET), 0);
    pattern_put(f, offset, (off_t)len);
    finish_writing(f, path);
}

char *site_read(const char *name, size_t *len)
{
    FILE *f = fopen(site_path("%s", name), "r");
    if (!f)
        return NULL;
    size_t size = 0, room = 65536;
    char *bytes = malloc(room + 1);
    for (size_t n; bytes && (n = fread(bytes + size, 1, room - size, f)) > 0;) {
        size += n;
        if (size == room)
            bytes = realloc(bytes, (room *= 2) + 1);
    }
    fclose(f);
    ck_assert_ptr_nonnull(bytes);
    bytes[size] = '\0';
    if (len)
        *len = size;
    return bytes;
}

void site_set_mtime(const char *name, time_t t)
{
    struct timespec times[2] = {{.tv_sec = t}, {.tv_sec = t}};
    ck_assert_int_eq(utimensat(AT_FDCWD, site_path("%s", name), times, 0), 0);
}

time_t site_mtime(const char *name)
{
    struct stat st;
    ck_assert_int_eq(stat(site_path("%s", name), &st), 0);
    return st.st_mtime;
}

void http_date(char out[30], time_t t)
{
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(out, 30, "%a, %d %b 0000 %H:%M:%S GMT", &tm);
    for (int i = 15, year = tm.tm_year + 1900; i > 11; i--, year /= 10)
        out[i] = (char)('0' + year % 10);
}

unsigned count_text(const char *haystack, const char *needle)
{
    unsigned count = 0;
    for (const char *at = haystack; (at = strstr(at, needle)); at += strlen(needle))
        count++;
    return count;
}

char *log_await_count(const char *name, const char *text, unsigned count)
{
    int64_t deadline = now_msec() + scaled(5000);
    for (;;) {
        char *log = site_read(name, NULL);
        if (log && count_text(log, text) >= count)
            return log;
        if (now_msec() > deadline)
            ck_abort_msg("%s holds \"%s\" %u times, not %u:\n%.2000s", name, text, log ? count_text(log, text) : 0,
                         count, log ? log : "(no such file)");
        free(log);
        sleep_msec(5);
    }
}

char *log_await(const char *name, const char *text)
{
    return log_await_count(name, text, 1);
}

bool site_is_instrumented(void)
{
    char *log = log_await("logs/error.log", "confined:");
    bool yes = strstr(log, "instrumented build") != NULL;
    free(log);
    return yes;
}

int64_t now_msec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sleep_msec(int msec)
{
    struct timespec t = {.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000L};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}
