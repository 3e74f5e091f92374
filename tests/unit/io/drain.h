/* drain.h - a worker's I/O on a loop of its own, and a client that takes everything a source
 * has. */
#ifndef UNIT_IO_DRAIN_H
#define UNIT_IO_DRAIN_H

#include "io/io.h"
#include "io/source.h"

struct rig {
    struct loop *loop;
    struct io *io;
    struct io_main_conf main_conf;
    struct io_conf conf;
    struct timer *guard;
};

/* aio `mode`, directio on from 0, `number` x `size` output buffers, `memory` for all of them. */
void rig_open(struct rig *rig, int mode, int64_t number, int64_t size, int64_t memory);
void rig_close(struct rig *rig);
void rig_run(struct rig *rig); /* until loop_stop(); fails the test after a long while */

struct drain {
    struct rig *rig;
    struct source *source;
    char *bytes; /* what came; on the heap */
    uint64_t got, most;
    size_t want; /* per pull */
    size_t bite; /* the most that is consumed of one chunk; 0: all */
    enum pull last;
    int error;
    unsigned waits;
    unsigned *running; /* counted down at the end; the loop stops at 0 */
    struct deferred next;
};

/* Opens a source of [offset, offset + len) and takes it as the loop runs. `len` bytes of room are
 * made. */
void drain_start(struct drain *d, struct rig *rig, enum io_method method, struct file *f, off_t offset, uint64_t len,
                 unsigned *running);
void drain_end(struct drain *d); /* closes the source, frees the bytes */

/* All of the range, compared with the pattern; the source's method at its end. */
enum io_method drain_check(struct rig *rig, enum io_method method, struct file *f, off_t offset, uint64_t len,
                           size_t want);

#endif
