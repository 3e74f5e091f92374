/* cpu.c - how many CPUs this process may use: for `worker_processes auto` and
 * `worker_cpu_affinity`. */
#include "server/conf/cpu.h"

#include <errno.h>
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

unsigned cpu_usable(void)
{
    cpu_set_t mask;
    unsigned cpus, quota;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof mask, &mask) == 0)
        cpus = (unsigned)CPU_COUNT(&mask);
    else
        cpus = online > 0 ? (unsigned)online : 1;
    quota = cpu_quota_read("");
    if (quota > 0 && quota < cpus)
        cpus = quota;
    return cpus > 0 ? cpus : 1;
}
