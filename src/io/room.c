/* room.c - how large the page cache may get. See room.h; proc(5), cgroups(7), the kernel's
 * cgroup-v2.rst. */
#include "io/room.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MOST = 16 * 1024 };

/* What one version of cgroups calls its files; lists end with NULL. */
struct version {
    const char *mounts[3];
    const char *limits[3], *usage;
    const char *file_pages[3]; /* lines of memory.stat, subgroups included */
};

static const struct version versions[] = {
    {{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL},
     {"memory.max", "memory.high", NULL},
     "memory.current",
     {"inactive_file ", "active_file ", NULL}},
    {{"/sys/fs/cgroup/memory", NULL},
     {"memory.limit_in_bytes", NULL},
     "memory.usage_in_bytes",
     {"total_inactive_file ", "total_active_file ", NULL}},
};

/* The beginning of a file, NUL-terminated. */
static bool read_text(const char *path, char text[TEXT_MOST])
{
    size_t len = 0;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while (n > 0 && len < TEXT_MOST - 1) {
        n = read(fd, text + len, TEXT_MOST - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    text[len] = '\0';
    return n >= 0;
}

/* The number after `name` at the beginning of a line. */
static bool line_value(const char *text, const char *name, uint64_t *value)
{
    size_t len = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0) {
            *value = strtoull(line + len, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool file_text(const char *folder, const char *name, char text[TEXT_MOST])
{
    char path[PATH_MAX + 64];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && read_text(path, text);
}

/* UINT64_MAX: none, which is written "max", or as a number that no machine has. */
static uint64_t limit_of(const struct version *v, const char *folder)
{
    char text[TEXT_MOST];
    uint64_t least = UINT64_MAX;

    for (const char *const *name = v->limits; *name; name++) {
        if (!file_text(folder, *name, text) || strncmp(text, "max", 3) == 0)
            continue;
        uint64_t n = strtoull(text, NULL, 10);
        least = n < least ? n : least;
    }
    return least < INT64_MAX / 2 ? least : UINT64_MAX;
}

static uint64_t group_room(const struct version *v, const char *folder)
{
    char text[TEXT_MOST];
    uint64_t limit = limit_of(v, folder), used, cached = 0, n;

    if (limit == UINT64_MAX || !file_text(folder, v->usage, text))
        return UINT64_MAX;
    used = strtoull(text, NULL, 10);
    if (file_text(folder, "memory.stat", text)) {
        for (const char *const *name = v->file_pages; *name; name++)
            cached += line_value(text, *name, &n) ? n : 0;
    }
    used = used > cached ? used - cached : 0;
    return limit > used ? limit - used : 0;
}

/* What one group says: limit_of() or group_room(). */
typedef uint64_t measure_fn(const struct version *v, const char *folder);

/* From the process's own group up. A path that a container does not see as such ends at what it
 * does see. */
static uint64_t least_of_groups(const struct version *v, measure_fn *measure, const char *root, const char *path)
{
    char folder[PATH_MAX];
    uint64_t least = UINT64_MAX;

    for (const char *const *mount = v->mounts; *mount; mount++) {
        int base = snprintf(folder, sizeof folder, "%s%s", root, *mount);
        int len = snprintf(folder, sizeof folder, "%s%s%s", root, *mount, path);
        if (len >= (int)sizeof folder)
            continue;
        for (;;) {
            uint64_t here = measure(v, folder);
            least = here < least ? here : least;
            char *slash = strrchr(folder + base, '/');
            if (!slash)
                break;
            *slash = '\0';
        }
    }
    return least;
}

/* A line of /proc/self/cgroup is "0::/path", or "4:memory:/path" with version 1. */
static const struct version *version_of(const char *line)
{
    const char *names = strchr(line, ':'), *end = names ? strchr(names + 1, ':') : NULL;

    if (!end)
        return NULL;
    if (strncmp(line, "0::", 3) == 0)
        return &versions[0];
    for (const char *name = names + 1; name < end; name += strcspn(name, ",:") + 1) {
        if (strcspn(name, ",:") == 6 && strncmp(name, "memory", 6) == 0)
            return &versions[1];
    }
    return NULL;
}

static uint64_t least_of_all(measure_fn *measure, const char *root)
{
    char path[PATH_MAX], text[TEXT_MOST], *rest = text, *line;
    uint64_t least = UINT64_MAX;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!read_text(path, text))
        return UINT64_MAX;
    while ((line = strsep(&rest, "\n"))) {
        const struct version *v = version_of(line);
        if (!v)
            continue;
        const char *group = strchr(strchr(line, ':') + 1, ':') + 1;
        uint64_t here = least_of_groups(v, measure, root, strcmp(group, "/") == 0 ? "" : group);
        least = here < least ? here : least;
    }
    return least;
}

uint64_t room_read(const char *root)
{
    char path[PATH_MAX], text[TEXT_MOST];
    uint64_t kib, machine = 0;

    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (read_text(path, text) && line_value(text, "MemAvailable:", &kib))
        machine = kib * 1024;
    uint64_t groups = least_of_all(group_room, root);
    return groups < machine ? groups : machine;
}

uint64_t room_limit(const char *root)
{
    return least_of_all(limit_of, root);
}
