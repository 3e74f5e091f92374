/* room.h - how large the page cache may get: what the machine and this process's memory cgroups
 * leave for it. cgroups(7), proc_meminfo(5). */
#ifndef IO_ROOM_H
#define IO_ROOM_H

#include <stdint.h>

/* Bytes, of which the cache may hold some already: the least of MemAvailable and, for each cgroup
 * from that of this process up (version 2: memory.max and memory.high; version 1:
 * memory.limit_in_bytes), the limit less all that is not file pages. 0 where nothing can be found
 * out. `root` goes before every path: "" but in tests. Reads some files that the kernel makes up,
 * which may take milliseconds: for a thread. */
uint64_t room_read(const char *root);

/* The least of these limits, whatever is used; UINT64_MAX: none. */
uint64_t room_limit(const char *root);

#endif
