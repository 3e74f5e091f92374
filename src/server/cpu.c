/* cpu.c - how many CPUs this process may use: for `worker_processes auto` and `worker_cpu_affinity`. */
#include "server/cpu.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cpu_mask_parse(struct text digits, cpu_set_t *mask)
{
    CPU_ZERO(mask);
    if (digits.len == 0)
        return -EINVAL;
    if (digits.len > CPU_SETSIZE)
        return -ERANGE;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.at[digits.len - 1 - i];

        if (c == '1')
            CPU_SET(i, mask);
        else if (c != '0')
            return -EINVAL;
    }
    return 0;
}

int cpu_of_worker(const cpu_set_t *mask, unsigned n)
{
    int count = CPU_COUNT(mask);
    int wanted;

    if (count == 0)
        return -1;
    wanted = (int)(n % (unsigned)count);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET((size_t)cpu, mask) && wanted-- == 0)
            return cpu;
    }
    return -1;
}

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

static bool read_line(const char *path, char *line, int size)
{
    FILE *f = fopen(path, "re");
    bool got;

    if (!f)
        return false;
    got = fgets(line, size, f) != NULL;
    fclose(f);
    return got;
}

static unsigned smaller_limit(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* cgroup v2: every group on the way up may set a limit. */
static unsigned quota_v2(char *group)
{
    unsigned limit = 0;

    for (;;) {
        char path[PATH_MAX], line[128];
        char *slash;

        if (snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group) < (int)sizeof(path) &&
            read_line(path, line, sizeof(line)))
            limit = smaller_limit(limit, cpu_quota_parse(line));
        slash = strrchr(group, '/');
        if (!slash)
            return limit;
        *slash = '\0';
    }
}

static unsigned quota_v1(void)
{
    char quota[64], period[64];

    if (!read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, sizeof(quota)) ||
        !read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof(period)))
        return 0;
    return quota_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

static unsigned cgroup_quota(void)
{
    char line[PATH_MAX];
    FILE *f = fopen("/proc/self/cgroup", "re");
    unsigned limit = 0;

    if (!f)
        return 0;
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        limit = quota_v2(line + 3);
    }
    fclose(f);
    return smaller_limit(limit, quota_v1());
}

unsigned cpu_usable(void)
{
    cpu_set_t mask;
    unsigned cpus, quota;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof(mask), &mask) == 0)
        cpus = (unsigned)CPU_COUNT(&mask);
    else
        cpus = online > 0 ? (unsigned)online : 1;
    quota = cgroup_quota();
    cpus = smaller_limit(cpus, quota);
    return cpus > 0 ? cpus : 1;
}
