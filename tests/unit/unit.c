/* unit.c - temporary folders and pattern files for unit tests. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static char dir[4096], disk_dir[4096];
static pid_t owner; /* a forked child of a test must not remove its parent's folder */

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (flag == FTW_DP || flag == FTW_D)
        (void)chmod(path, 0700);
    return remove(path);
}

static void remove_all(void)
{
    if (owner != getpid())
        return;
    if (dir[0])
        nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (disk_dir[0])
        nftw(disk_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *make_dir(char *at, size_t size, const char *base)
{
    snprintf(at, size, "%s/sluice-unit-XXXXXX", base);
    if (!mkdtemp(at)) {
        at[0] = '\0';
        ck_abort_msg("mkdtemp in %s: %s", base, strerror(errno));
    }
    if (!owner) {
        owner = getpid();
        atexit(remove_all);
    }
    return at;
}

static const char *tmp_base(void)
{
    const char *base = getenv("TMPDIR");
    return base && *base ? base : "/tmp";
}

const char *unit_dir(void)
{
    return dir[0] ? dir : make_dir(dir, sizeof dir, tmp_base());
}

/* Opening is not enough: some filesystems refuse only the first read; and a tmpfs that takes
 * O_DIRECT still is memory. */
static int takes_direct(const char *base)
{
    char path[4096];
    struct statfs fs;
    if (statfs(base, &fs) < 0 || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        return 0;
    snprintf(path, sizeof path, "%s/sluice-direct-XXXXXX", base);
    int fd = mkstemp(path);
    if (fd < 0)
        return 0;
    int direct = open(path, O_RDONLY | O_DIRECT);
    void *page = aligned_alloc(4096, 4096);
    int works = page && direct >= 0 && ftruncate(fd, 4096) == 0 && pread(direct, page, 4096, 0) == 4096;
    free(page);
    if (direct >= 0)
        close(direct);
    close(fd);
    unlink(path);
    return works;
}

const char *unit_disk_dir(void)
{
    if (disk_dir[0])
        return disk_dir;
    const char *const bases[] = {tmp_base(), "build", "/var/tmp"};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        if (takes_direct(bases[i]))
            return make_dir(disk_dir, sizeof disk_dir, bases[i]);
    }
    return NULL;
}

bool unit_on_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

const char *unit_path(const char *name)
{
    static char paths[8][4096 + 256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", unit_dir(), name);
    return path;
}

static void make_parents(const char *path)
{
    char copy[4096 + 256];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(copy, 0755);
        *slash = '/';
    }
}

const char *unit_write(const char *name, const void *bytes, size_t len)
{
    const char *path = unit_path(name);
    make_parents(path);
    FILE *f = fopen(path, "w");
    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        ck_abort_msg("writing %s: %s", path, strerror(errno));
    return path;
}

void unit_write_pattern(const char *path, off_t len)
{
    make_parents(path);
    FILE *f = fopen(path, "w");
    if (!f)
        ck_abort_msg("writing %s: %s", path, strerror(errno));
    pattern_put(f, 0, len);
    if (fclose(f) != 0)
        ck_abort_msg("writing %s: %s", path, strerror(errno));
}

char *unit_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    if (!f)
        ck_abort_msg("reading %s: %s", path, strerror(errno));
    size_t size = 0, room = 4096;
    char *bytes = malloc(room + 1);
    for (size_t n; bytes && (n = fread(bytes + size, 1, room - size, f)) > 0;) {
        size += n;
        if (size == room)
            bytes = realloc(bytes, (room *= 2) + 1);
    }
    fclose(f);
    if (!bytes)
        ck_abort_msg("no memory for %s", path);
    bytes[size] = '\0';
    if (len)
        *len = size;
    return bytes;
}
