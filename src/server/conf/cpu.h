/* cpu.h - how many CPUs this process may use, and which. sched_getaffinity(2), cgroups(7). */
#ifndef SERVER_CONF_CPU_H
#define SERVER_CONF_CPU_H

#include "base/text.h"

#include <sched.h>

/* CPUs of the affinity mask, bounded by the CPU quota of the cgroup (rounded up); at least 1. */
unsigned cpu_usable(void);

/* "0101": the rightmost digit is CPU 0, as in nginx's worker_cpu_affinity. 0; -EINVAL, -ERANGE (too
 * many digits). */
int cpu_mask_parse(struct text digits, cpu_set_t *mask);

/* The CPU of worker `n` when each gets one of those in `mask` in turn; -1: the mask is empty. */
int cpu_of_worker(const cpu_set_t *mask, unsigned n);

/* CPUs that the quota of the process's cgroup allows, and of those around it (version 2: cpu.max;
 * version 1: cpu.cfs_quota_us), rounded up; 0: no limit. `root` goes before every path: "" but in
 * tests. */
unsigned cpu_quota_read(const char *root);

/* "max 100000" or "150000 100000" (cgroup v2, cpu.max): CPUs, rounded up; 0: no limit. */
unsigned cpu_quota_parse(const char *line);

#endif
