/* mix.h - spreads keys that are close to each other, as inode numbers are, over all 64 bits. Shared
 * by demand.c, admission.c and seen.c. */
#ifndef IO_MIX_H
#define IO_MIX_H

#include <stdint.h>

/* The finish of splitmix64. */
static inline uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

#endif
