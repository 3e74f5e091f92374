/* io.c - what the sources of one worker share: thread pools, disk readers, buffers, counters, and
 * which filesystems refused O_DIRECT, and what of the large files is wanted in the page cache. */
#include "io/io.h"

#include "base/log.h"
#include "base/threads.h"
#include "io/filter.h"
#include "io/room.h"
#include "io_private.h"
#include "seen.h"

#include <errno.h>
#include <stdlib.h>

enum { CODECS_IDLE_MSEC = 10 * 1000 /* memory of a burst goes back after this */ };

struct io_pool {
    struct list node;
    struct text name;
    struct pool *pool;
    struct loop *loop;
    struct watch *watch;
    struct deferred wake; /* its threads, at the end of the turn */
};

struct io_reader {
    struct list node;
    enum aio_mode mode;
    struct pool *pool;
    struct disk *disk; /* perhaps of another mode, or shared, where this one does not work */
    bool shared;
};

/* Reads how large the page cache may get. */
struct room {
    struct job job;
    struct admission *admission;
    bool under_way;
};

struct io {
    struct loop *loop;
    unsigned depth;
    struct list pools, readers;
    struct pool *default_pool;
    struct disk *synchronous; /* aio off, and the last resort */
    struct bufpool *buffers;
    size_t cap; /* of the buffers */
    struct codec_spares *codecs;
    struct seen *seen; /* NULL: nobody has asked yet */
    struct io_counters own, *counters;
    struct io_shared *shared; /* or NULL */
    dev_t *refused;
    size_t refused_count;
    struct admission *admission; /* that of all workers; without one, its own, made when it is first asked */
    bool owns_admission;
    struct room room;
};

static void on_pool(void *arg, unsigned what)
{
    struct io_pool *p = arg;

    (void)what;
    pool_reap(p->pool);
}

static void on_wake(void *arg)
{
    struct io_pool *p = arg;

    pool_wake(p->pool);
}

static void on_jobs(void *arg)
{
    struct io_pool *p = arg;

    loop_defer(p->loop, &p->wake);
}

static void pool_close(struct io_pool *p)
{
    list_remove(&p->node);
    deferred_clear(&p->wake);
    watch_destroy(p->watch);
    pool_destroy(p->pool);
    free(p);
}

static int pool_open(struct io *io, const struct thread_pool_conf *conf)
{
    struct io_pool *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->name = conf->name;
    int rc = pool_create(&p->pool, conf->name.at, (unsigned)conf->threads, (size_t)conf->max_queue);
    if (rc < 0) {
        free(p);
        return rc;
    }
    list_append(&io->pools, &p->node);
    p->loop = io->loop;
    deferred_init(&p->wake, on_wake, p);
    pool_wake_later(p->pool, on_jobs, p);
    p->watch = watch_create(io->loop, pool_eventfd(p->pool), LOOP_READ, false, on_pool, p);
    if (!p->watch) {
        pool_close(p);
        return -ENOMEM;
    }
    return 0;
}

struct pool *io_pool(struct io *io, struct text name)
{
    if (!name.at)
        return io->default_pool;
    list_each (&io->pools, node, next) {
        struct io_pool *p = container_of(node, struct io_pool, node);
        if (text_equal(p->name, name))
            return p->pool;
    }
    return NULL;
}

static int pools_open(struct io *io, const struct io_main_conf *conf)
{
    const struct thread_pool_conf usual = {
        .name = IO_DEFAULT_POOL, .threads = IO_DEFAULT_THREADS, .max_queue = IO_DEFAULT_QUEUE};
    int rc = 0;

    for (struct list *node = conf->pools.next; node && node != &conf->pools && rc == 0; node = node->next)
        rc = pool_open(io, container_of(node, struct thread_pool_conf, node));
    if (rc == 0 && !io_pool(io, IO_DEFAULT_POOL))
        rc = pool_open(io, &usual);
    io->default_pool = io_pool(io, IO_DEFAULT_POOL);
    return rc;
}

int io_start(struct io **out, struct loop *loop, const struct io_main_conf *conf, unsigned depth)
{
    const char *note;
    struct io *io = calloc(1, sizeof *io);
    if (!io)
        return -ENOMEM;
    io->loop = loop;
    io->depth = depth;
    io->counters = &io->own;
    io->cap = (size_t)conf->directio_memory;
    list_init(&io->pools);
    list_init(&io->readers);
    int rc = pools_open(io, conf);
    if (rc == 0)
        rc = bufpool_create(&io->buffers, (size_t)conf->directio_memory);
    if (rc == 0)
        rc = disk_open(&io->synchronous, loop, AIO_OFF, NULL, depth, &note);
    if (rc == 0)
        rc = codec_spares_create(&io->codecs, loop, CODECS_IDLE_MSEC);
    if (rc < 0) {
        io_stop(io);
        return rc;
    }
    *out = io;
    return 0;
}

void io_share(struct io *io, struct io_counters *counters, struct io_shared *shared)
{
    io->shared = shared;
    if (!counters)
        return;
    io->counters = counters;
    counters->buffers_cap += io->cap;
    bufpool_set_gauge(io->buffers, &counters->buffers_lent);
}

void io_share_admission(struct io *io, struct admission *a)
{
    io->admission = a;
}

/* Readers first: what they have in flight still gives buffers back, and may be on a pool's
 * thread. */
void io_stop(struct io *io)
{
    if (!io)
        return;
    list_each (&io->readers, node, next) {
        struct io_reader *r = container_of(node, struct io_reader, node);
        if (!r->shared)
            disk_close(r->disk);
        free(r);
    }
    disk_close(io->synchronous);
    list_each (&io->pools, pool_node, pool_next) {
        pool_close(container_of(pool_node, struct io_pool, node));
    }
    seen_destroy(io->seen);
    codec_spares_destroy(io->codecs); /* steps on the threads of the pools had some */
    bufpool_destroy(io->buffers);
    if (io->counters != &io->own)
        io->counters->buffers_cap -= io->cap;
    if (io->owns_admission)
        admission_destroy(io->admission);
    free(io->refused);
    free(io);
}

/* What the mode falls back to where it does not work, in the order of `aio on`. */
static enum aio_mode next_best(enum aio_mode mode)
{
    return mode == AIO_URING ? AIO_LIBAIO : AIO_THREADS;
}

/* What was tried before the workers started is in the log; what came as a surprise is not. */
static bool may_say(struct io *io, enum aio_mode asked, const char *note)
{
    if (!io->shared)
        return true;
    return io_shared_claim_mode(io->shared, asked) || (note && io_shared_knows(io->shared, asked));
}

static struct disk *reader_open(struct io *io, enum aio_mode asked, struct pool *pool)
{
    enum aio_mode mode = asked;
    struct disk *d = NULL;
    const char *first_note = NULL, *note;

    if (io->shared)
        mode = io_shared_mode(io->shared, mode);
    int rc = disk_open(&d, io->loop, mode, pool, io->depth, &first_note);
    for (enum aio_mode other = mode; rc < 0 && other != AIO_THREADS;) {
        other = next_best(other);
        rc = disk_open(&d, io->loop, other, pool, io->depth, &note);
    }
    if (rc < 0) {
        log_error(-rc, "no asynchronous disk reader; reading in the loop");
        return io->synchronous;
    }
    if (!may_say(io, asked, first_note))
        return d;
    if (first_note)
        log_warn(0, "%s; reading disks by %s", first_note, disk_name(d));
    else
        log_info(0, "reading disks by %s", disk_name(d));
    return d;
}

struct disk *io_disk(struct io *io, const struct aio_conf *aio)
{
    enum aio_mode mode = (enum aio_mode)aio->mode;
    struct pool *pool = io->default_pool;

    if (mode == AIO_OFF)
        return io->synchronous;
    if (aio->pool.at && mode == AIO_THREADS)
        pool = io_pool(io, aio->pool);
    if (!pool)
        pool = io->default_pool;
    list_each (&io->readers, node, next) {
        struct io_reader *r = container_of(node, struct io_reader, node);
        if (r->mode == mode && r->pool == pool)
            return r->disk;
    }

    struct io_reader *r = calloc(1, sizeof *r);
    if (!r)
        return io->synchronous;
    r->mode = mode;
    r->pool = pool;
    r->disk = reader_open(io, mode, pool);
    r->shared = r->disk == io->synchronous;
    list_append(&io->readers, &r->node);
    return r->disk;
}

struct seen *io_seen(struct io *io)
{
    if (!io->seen)
        io->seen = seen_create();
    return io->seen;
}

bool io_waits_without_threads(struct io *io, const struct aio_conf *aio)
{
    return disk_is_prompt(io_disk(io, aio));
}

struct bufpool *io_buffers(struct io *io)
{
    return io->buffers;
}

struct codec_spares *io_codec_spares(struct io *io)
{
    return io->codecs;
}

struct io_counters *io_counters(struct io *io)
{
    return io->counters;
}

struct loop *io_loop(struct io *io)
{
    return io->loop;
}

bool io_direct_refused(const struct io *io, dev_t dev)
{
    for (size_t i = 0; i < io->refused_count; i++) {
        if (io->refused[i] == dev)
            return true;
    }
    return false;
}

/* Without memory to remember it, it will be found out again. */
void io_note_direct_refused(struct io *io, dev_t dev, const char *path, int error)
{
    if (io_direct_refused(io, dev))
        return;
    dev_t *refused = realloc(io->refused, (io->refused_count + 1) * sizeof(dev_t));
    if (!refused)
        return;
    refused[io->refused_count++] = dev;
    io->refused = refused;
    if (io->shared && !io_shared_claim_refusal(io->shared, dev))
        return;
    io->counters->direct_refused++;
    log_warn(error < 0 ? -error : error,
             "the filesystem of \"%s\" refuses O_DIRECT; its files are read through the page cache from now on", path);
}

/* ---- directio auto ---- */

static void on_room_run(struct job *job)
{
    struct room *room = container_of(job, struct room, job);

    admission_room(room->admission, room_read(""));
    admission_recount(room->admission);
}

static void on_room_done(struct job *job)
{
    container_of(job, struct room, job)->under_way = false;
}

/* Where no thread can be had now, another request sees to it a second later. */
static void look_after_room(struct io *io)
{
    struct room *room = &io->room;

    if (room->under_way || !admission_claim_room(io->admission, clock_now.msec))
        return;
    room->admission = io->admission;
    room->job = (struct job){.run = on_room_run, .done = on_room_done};
    room->under_way = pool_submit(io->default_pool, &room->job) == 0;
}

void io_ask(struct io *io, const struct file *f, uint64_t bytes)
{
    if (!io->admission)
        io->owns_admission = admission_create(&io->admission) == 0;
    if (!io->admission)
        return; /* nothing is admitted */
    look_after_room(io);
    admission_ask(io->admission, admission_key(f->dev, f->ino), (uint64_t)f->size, bytes, clock_now.msec);
}

void io_known_demand(const struct io *io, const struct file *f, struct policy_facts *facts)
{
    uint64_t key = admission_key(f->dev, f->ino);

    if (!io->admission || f->size <= 0)
        return;
    facts->demand = admission_demand(io->admission, key, (uint64_t)f->size);
    facts->fits = admission_has_place(io->admission, key);
}
