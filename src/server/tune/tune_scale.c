/* tune_scale.c - what all measurements of `sluice tune` go by: sizes, clocks, the middle of several
 * values. See tune_private.h. */
#include "server/tune/tune_private.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

const unsigned tune_sizes[TUNE_SIZES] = {64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20};
const unsigned tune_depths[TUNE_DEPTHS] = {1, 2, 4, 8};
const unsigned tune_bodies[TUNE_BODIES] = {1 << 10,  4 << 10,   8 << 10, 16 << 10, 32 << 10,
                                           64 << 10, 256 << 10, 1 << 20, 4 << 20};

double tune_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double tune_cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

double tune_median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

double tune_share(const struct tune *t, double share)
{
    double left = t->deadline - tune_now(), wanted = t->progress.seconds * share;

    if (left < 0)
        left = 0;
    return wanted < left ? wanted : left;
}
