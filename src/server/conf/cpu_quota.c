/* cpu_quota.c - the CPU time that the process's own cgroup, and those around it, may use. See
 * cpu.h; proc(5), cgroups(7), the kernel's cgroup-v2.rst and sched-bwc.rst.
 *
 * /proc/self/cgroup names the group in each hierarchy, /proc/self/mountinfo where the hierarchy is
 * mounted, and which of its groups the mount shows as its root: in a container often the
 * container's own. */
#include "server/conf/cpu.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 2 * PATH_MAX };

enum version { NEITHER, V1, V2 };

static unsigned quota_of(long long quota, long long period)
{
    long long cpus;

    if (quota <= 0 || period <= 0)
        return 0;
    cpus = quota / period + (quota % period != 0);
    return cpus > INT_MAX ? INT_MAX : (unsigned)cpus;
}

unsigned cpu_quota_parse(const char *line)
{
    long long quota, period;

    return sscanf(line, "%lld %lld", &quota, &period) == 2 ? quota_of(quota, period) : 0;
}

static unsigned smaller_limit(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static bool read_line(const char *folder, const char *name, char *line, int size)
{
    char path[LINE_SIZE];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = len < (int)sizeof path ? fopen(path, "re") : NULL;

    if (!f)
        return false;
    bool got = fgets(line, size, f) != NULL;
    fclose(f);
    return got;
}

/* What one group says, the others aside. */
static unsigned group_quota(enum version v, const char *folder)
{
    char quota[64], period[64];

    if (v == V2)
        return read_line(folder, "cpu.max", quota, sizeof quota) ? cpu_quota_parse(quota) : 0;
    if (!read_line(folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
        !read_line(folder, "cpu.cfs_period_us", period, sizeof period))
        return 0;
    return quota_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

/* From the process's own group up to what the mount shows as its root: every one of them may set a
 * limit. A path that the mount does not show as such ends at what it does show. */
static unsigned groups_quota(enum version v, const char *root, const char *mount, const char *group)
{
    char folder[LINE_SIZE];
    int base = snprintf(folder, sizeof folder, "%s%s", root, mount);
    int len = snprintf(folder, sizeof folder, "%s%s%s", root, mount, group);
    unsigned limit = 0;

    if (len >= (int)sizeof folder)
        return 0;
    for (;;) {
        limit = smaller_limit(limit, group_quota(v, folder));
        char *slash = strrchr(folder + base, '/');
        if (!slash)
            return limit;
        *slash = '\0';
    }
}

/* Whether `word` is among those that commas separate. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (strcspn(list, ",") != len || strncmp(list, word, len) != 0) {
        list += strcspn(list, ",");
        if (*list++ == '\0')
            return false;
    }
    return true;
}

/* A line of /proc/self/cgroup, "0::/path" or "4:cpu,cpuacct:/path": which hierarchy it is of, and
 * the group's path in it, "" for the root. */
static enum version take_group(char *line, const char **group)
{
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

    if (!path || path[1] != '/')
        return NEITHER;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    *group = strcmp(path, "/") == 0 ? "" : path;
    if (names[1] == '\0')
        return V2;
    return has_word(names + 1, "cpu") ? V1 : NEITHER;
}

/* A line of /proc/self/mountinfo, "36 35 0:30 ROOT MOUNT options ... - TYPE source OPTIONS": of
 * which hierarchy. */
static enum version take_mount(char *line, const char **shown, const char **mount)
{
    char *words[5], *rest = line, *type = strstr(line, " - ");

    for (unsigned i = 0; i < 5; i++)
        words[i] = strsep(&rest, " ");
    if (!type || !rest || rest > type + 1)
        return NEITHER;
    *shown = strcmp(words[3], "/") == 0 ? "" : words[3];
    *mount = words[4];
    rest = type + 3;
    type = strsep(&rest, " ");
    strsep(&rest, " ");
    if (!rest)
        return NEITHER;
    rest[strcspn(rest, "\n")] = '\0';
    if (strcmp(type, "cgroup2") == 0)
        return V2;
    return strcmp(type, "cgroup") == 0 && has_word(rest, "cpu") ? V1 : NEITHER;
}

/* The group's path below the mount, which shows `shown` and what is in it. */
static const char *below(const char *group, const char *shown)
{
    size_t len = strlen(shown);

    if (strncmp(group, shown, len) != 0 || (group[len] != '/' && group[len] != '\0'))
        return "";
    return group + len;
}

static unsigned mounts_quota(enum version v, const char *root, const char *group)
{
    char path[PATH_MAX], line[LINE_SIZE];
    const char *shown, *mount;
    unsigned limit = 0;

    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        if (take_mount(line, &shown, &mount) == v)
            limit = smaller_limit(limit, groups_quota(v, root, mount, below(group, shown)));
    }
    fclose(f);
    return limit;
}

unsigned cpu_quota_read(const char *root)
{
    char path[PATH_MAX], line[LINE_SIZE];
    const char *group;
    unsigned limit = 0;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        enum version v = take_group(line, &group);
        if (v != NEITHER)
            limit = smaller_limit(limit, mounts_quota(v, root, group));
    }
    fclose(f);
    return limit;
}
