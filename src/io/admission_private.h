/* admission_private.h - the memory behind admission.h: what admission.c works on and
 * admission_memory.c makes, shares and copies. */
#ifndef IO_ADMISSION_PRIVATE_H
#define IO_ADMISSION_PRIVATE_H

#include "io/admission.h"
#include "io/demand.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
    ADMISSION_SETS = 8192, /* a power of two, of 64 at least */
    ADMISSION_WAYS = 8     /* a set is one line of a processor's cache */
};

/* In shared memory, whose content is only as trustworthy as the least of the workers: no index or
 * loop depends on it. Zeroed memory, but for the first two, is a valid one.
 *
 * A place is one word, so that it is there or not, and never in between: the file's name (32 bits;
 * with those of the set's index 45) and its pages (32 bits, never 0). 0 is free. */
struct admission_table {
    uint64_t layout, size;
    _Atomic(uint64_t) budget;    /* pages that may be promised */
    _Atomic(int64_t) promised;   /* pages; those set aside for a place that is about to be given included */
    _Atomic(int64_t) difference; /* that the last recount found */
    _Atomic(int64_t) room_msec;  /* when somebody last went to see how much room there is; 0: never */
    _Atomic(uint64_t) lot;
    struct demand demand;
    _Atomic(uint64_t) busy[ADMISSION_SETS / 64]; /* sets that may have places, a bit each */
    _Alignas(64) _Atomic(uint64_t) places[ADMISSION_SETS][ADMISSION_WAYS];
};

struct admission {
    struct admission_table *table;
    int fd; /* of the memory; -1: it has none */
    bool copied;
};

#endif
