/* gate.h - lets a part of a file through once it is in the page cache. Shared by source_pagecache.c
 * and source_mmap.c. */
#ifndef IO_GATE_H
#define IO_GATE_H

#include "source_private.h"

struct gate_read;

struct gate {
    struct source *source; /* woken when a read is over */
    struct io *io;
    struct file *file; /* the source's reference */
    struct disk *disk; /* NULL: no gate (aio off) */
    off_t at;          /* of the client, when it last asked */
    off_t open_to;     /* known to be resident up to here */
    off_t end;
    size_t part;            /* looked at, and read, at a time */
    int64_t looked_msec;    /* when that was found out */
    struct gate_read *read; /* under way, for [open_to, ...) */
    int error;
};

void gate_open(struct gate *g, struct source *s, const struct source_request *r);
void gate_close(struct gate *g); /* legal while a read is under way */

/* PULL_READY: *len bytes from `at` may be touched, at most `want`. PULL_WAIT_DISK: the source is
 * woken later. PULL_FAILED: g->error. */
enum pull gate_pass(struct gate *g, off_t at, size_t want, size_t *len);

/* All of [at, at + len) into `to`, where it is in memory. False: it is not, or not all. */
bool gate_copy(struct gate *g, off_t at, char *to, size_t len);

#endif
