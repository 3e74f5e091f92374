/* io.h - what moving bytes needs in one worker: disk readers, thread pools, the buffer pool,
 * counters. https://nginx.org/en/docs/http/ngx_http_core_module.html#aio */
#ifndef IO_IO_H
#define IO_IO_H

#include "file/file.h"
#include "io/admission.h"
#include "io/bufpool.h"
#include "io/disk.h"
#include "io/policy.h"
#include "io/shared.h"
#include "net/loop.h"

/* The last three say how it is now, the others how often since the start. */
struct io_counters {
    uint64_t responses[IO_METHODS];
    uint64_t bytes[IO_METHODS];
    uint64_t disk_reads, disk_bytes;
    uint64_t disk_errors;    /* reads that failed */
    uint64_t cut;            /* responses that ended early, for a failed read or a file that had become shorter */
    uint64_t waits;          /* responses that had to wait for a disk */
    uint64_t wait_msec;      /* and how long, together */
    uint64_t direct_refused; /* filesystems demoted */
    uint64_t fallbacks;      /* responses served buffered because of that */
    uint64_t reads_in_flight;
    uint64_t buffers_lent, buffers_cap; /* bytes: directio_memory */
};

struct io;

/* `conf`: main values (pools, memory cap). `depth`: worker_aio_requests. Readers are opened when
 * first used. (Not create and destroy: io_destroy() is libaio's.) */
int io_start(struct io **out, struct loop *loop, const struct io_main_conf *conf, unsigned depth);

/* Before anything else: counts there from now on, in memory that outlives it, and logs nothing that
 * another worker has logged. Either may be NULL. */
void io_share(struct io *io, struct io_counters *counters, struct io_shared *shared);

/* Before anything else: directio auto learns there, together with all who do, in memory that
 * outlives it. Not called: for itself. */
void io_share_admission(struct io *io, struct admission *a);

void io_stop(struct io *io); /* all sources are closed; waits for the reads of those that were closed early */

/* The reader that `aio` asks for, opened on first use; never NULL (falls back, logs once). */
struct disk *io_disk(struct io *io, const struct aio_conf *aio);

/* A short read through the page cache costs that reader no thread, so that it may be begun and waited
 * for later. */
bool io_waits_without_threads(struct io *io, const struct aio_conf *aio);

struct pool *io_pool(struct io *io, struct text name); /* NULL name: "default"; NULL: no such pool */
struct bufpool *io_buffers(struct io *io);
struct io_counters *io_counters(struct io *io);
struct codec_spares *io_codec_spares(struct io *io); /* filter.h */
struct loop *io_loop(struct io *io);

/* directio auto: `bytes` (> 0) of a large file are asked for now; tells the admission, and looks
 * after the room that memory has, once a second, on a thread of one of the workers. */
void io_ask(struct io *io, const struct file *f, uint64_t bytes);

/* What is known of a large file, for policy_facts, without side effects: demand and fits. */
void io_known_demand(const struct io *io, const struct file *f, struct policy_facts *facts);

/* Filesystems that refused O_DIRECT, by device. Noting one logs a warning, once. */
bool io_direct_refused(const struct io *io, dev_t dev);
void io_note_direct_refused(struct io *io, dev_t dev, const char *path, int error);

#endif
