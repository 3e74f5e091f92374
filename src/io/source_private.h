/* source_private.h - the kinds of sources, for source.c alone, and what they share. */
#ifndef IO_SOURCE_PRIVATE_H
#define IO_SOURCE_PRIVATE_H

#include "io/io.h"
#include "io/source.h"

int source_memory_open(struct source **out, const struct source_request *r); /* r->file has its content */
int source_pagecache_open(struct source **out, const struct source_request *r);
int source_mmap_open(struct source **out, const struct source_request *r);
int source_buffered_open(struct source **out, const struct source_request *r, bool uncached);
int source_direct_open(struct source **out, const struct source_request *r);

void source_init(struct source *s, const struct source_ops *ops, enum io_method method, const struct source_request *r);
enum pull source_wait(struct source *s, struct io *io);           /* PULL_WAIT_DISK, with the time taken */
enum pull source_fail(struct source *s, int error, off_t offset); /* PULL_FAILED */

/* What it waited for is there: calls s->ready, after which `s` may be gone. Nothing where nobody
 * waits. */
void source_wake(struct source *s);

#endif
