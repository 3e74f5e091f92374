/* residency.h - is this part of the file in the page cache? Asked before sendfile, so that the loop
 * never waits for a disk. */
#ifndef FILE_RESIDENCY_H
#define FILE_RESIDENCY_H

#include "file/file.h"

/* Bytes from `offset` on, at most `len`, that a read would find in memory: 0 = cold. Uses
 * cachestat(2) (6.5), else preadv2(RWF_NOWAIT) probes. -1: neither works for this file. Never
 * blocks. */
ssize_t residency(const struct file *f, off_t offset, size_t len);

/* How much of [offset, offset + len) is in memory, in thousandths, wherever in it; of a long part,
 * by samples. Below 0 where cachestat(2) does not say: other ways to ask begin to read what they
 * ask about. Never blocks. */
int residency_permille(const struct file *f, off_t offset, uint64_t len);

#endif
