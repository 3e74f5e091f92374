/* deny.h - system calls that fail from now on, for the test and for the server that it starts: a
 * container's seccomp profile, a filesystem without O_DIRECT, a disk with a bad sector. One after
 * the other; they add up. */
#ifndef DENY_H
#define DENY_H

#include <stdbool.h>
#include <stdint.h>

/* All return false, with a line on stdout, where a seccomp filter cannot be had. Arguments count
 * from 0; only the low 32 bits of one are looked at. */
bool deny(long call, int error);
bool deny_flag(long call, unsigned arg, uint32_t flag, int error);  /* calls with this bit set in `arg` */
bool deny_set_flag(uint32_t flag, int error);                       /* of a descriptor, by fcntl(F_SETFL) */
bool deny_from(long call, unsigned arg, uint32_t least, int error); /* calls whose `arg` is at least that */

#endif
