/* tune_direct.c - `sluice tune`: how fast O_DIRECT reads are, through the readers and the buffers
 * that serve files. */
#include "server/tune/tune_private.h"

#include "file/open.h"
#include "file/residency.h"
#include "io/bufpool.h"
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LANES = 8, /* reads in flight, at most */
    QUEUE = 64,
    THREADS = 32,
    LATENCY_SIZE = 4096,
    LATENCY_SAMPLES = 1024,
    READER_SIZE = 512 * 1024, /* readers are compared at one point of the grid */
    READER_DEPTH = 4,
    ROUNDS = 2 /* interleaved; the better one counts, since whatever else the machine does only slows it down */
};

struct rig {
    struct tune *t;
    struct loop *loop;
    struct pool *pool;
    struct watch *watch;
    struct bufpool *buffers;
    size_t align;
};

/* Reads of one size one behind the other, from the file's beginning to its end and again. */
struct stream {
    struct rig *rig;
    struct disk *disk;
    size_t size;
    off_t next;
    double until;
    unsigned in_flight;
    uint64_t bytes;
    int error;
};

struct lane {
    struct disk_read read;
    struct stream *stream;
};

static void read_next(struct lane *l);

static void on_read(struct disk_read *r)
{
    struct lane *l = container_of(r, struct lane, read);
    struct stream *s = l->stream;

    s->in_flight--;
    if (r->result > 0)
        s->bytes += (uint64_t)r->result;
    else
        s->error = r->result < 0 ? (int)r->result : -ENODATA;
    if (!s->error && tune_now() < s->until)
        read_next(l);
    else if (s->in_flight == 0)
        loop_stop(s->rig->loop);
}

static void read_next(struct lane *l)
{
    struct stream *s = l->stream;
    off_t end = (off_t)s->rig->t->results->file_bytes;

    if (s->next + (off_t)s->size > end)
        s->next = 0;
    l->read.fd = s->rig->t->file->direct_fd;
    l->read.offset = s->next;
    l->read.len = s->size;
    l->read.done = on_read;
    s->next += (off_t)s->size;
    s->in_flight++;
    disk_submit(s->disk, &l->read);
}

/* Reads for `seconds`, and what was started by then. 0 or -errno. */
static int run(struct rig *rig, struct disk *disk, size_t size, unsigned depth, double seconds, struct tune_speed *best)
{
    struct stream s = {.rig = rig, .disk = disk, .size = size};
    struct lane lanes[LANES] = {0};
    double cpu = tune_cpu(), from = tune_now();
    unsigned n = 0;

    s.until = from + seconds;
    for (; n < depth; n++) {
        lanes[n].stream = &s;
        lanes[n].read.buffer = bufpool_take(rig->buffers, size);
        if (!lanes[n].read.buffer)
            break;
        read_next(&lanes[n]);
    }
    if (n > 0)
        loop_run(rig->loop);
    double took = tune_now() - from;
    for (unsigned i = 0; i < n; i++)
        bufpool_give(rig->buffers, lanes[i].read.buffer, size);
    if (s.error || n < depth)
        return s.error ? s.error : -ENOMEM;
    struct tune_speed one = {(double)s.bytes / took, (tune_cpu() - cpu) / ((double)s.bytes / (1 << 30))};
    if (one.rate > best->rate)
        best->rate = one.rate;
    if (best->cpu_gib <= 0 || one.cpu_gib < best->cpu_gib)
        best->cpu_gib = one.cpu_gib;
    return 0;
}

/* ---- what the filesystem makes of O_DIRECT ---- */

/* The smallest alignment that a read is accepted with, where the kernel does not say. */
static void try_alignments(struct tune *t)
{
    static const unsigned tried[] = {512, 1024, 2048, 4096, 8192, 16384, 65536};
    void *buffer;

    for (unsigned i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        if (posix_memalign(&buffer, 2 * tried[i], 2 * tried[i]) != 0)
            return;
        ssize_t n = pread(t->file->direct_fd, (char *)buffer + tried[i], tried[i], tried[i]);
        int error = errno;
        free(buffer);
        if (n == (ssize_t)tried[i]) {
            t->results->align_memory = t->results->align_offset = tried[i];
            return;
        }
        t->results->direct_error = n < 0 ? -error : -EIO;
    }
    t->results->direct = TUNE_DIRECT_REFUSED;
}

static void look_at_direct(struct tune *t)
{
    struct tune_results *r = t->results;
    int rc = file_direct(t->file, 0, false);

    if (rc < 0) {
        r->direct = TUNE_DIRECT_REFUSED;
        r->direct_error = rc;
        return;
    }
    r->align_memory = t->file->align_memory;
    r->align_offset = t->file->align_offset;
    r->align_told = r->align_memory > 0;
    if (!r->align_told)
        try_alignments(t);
}

/* After direct reads of a file that was dropped from the page cache: is it there? */
static void look_at_pages(struct tune *t)
{
    if (residency(t->file, 0, TUNE_BLOCK) != 0)
        t->results->direct = TUNE_DIRECT_CACHED;
}

/* ---- the measurements ---- */

static void measure_grid(struct rig *rig, struct disk *disk, double seconds)
{
    struct tune *t = rig->t;
    double until = tune_now() + seconds;
    double each = seconds / (ROUNDS * TUNE_SIZES * TUNE_DEPTHS);
    char what[64];

    for (unsigned i = 0; i < ROUNDS * TUNE_SIZES * TUNE_DEPTHS && tune_now() < until; i++) {
        unsigned at = i % (TUNE_SIZES * TUNE_DEPTHS), size = at / TUNE_DEPTHS, depth = at % TUNE_DEPTHS;

        snprintf(what, sizeof what, "reading with O_DIRECT, %s x %u", tune_size_text(tune_sizes[size]),
                 tune_depths[depth]);
        tune_progress_at(&t->progress, what);
        (void)run(rig, disk, tune_sizes[size], tune_depths[depth], each, &t->results->grid[size][depth]);
    }
}

static void measure_readers(struct rig *rig, double seconds)
{
    static const struct {
        enum aio_mode mode;
        const char *name, *value;
    } all[TUNE_READERS] = {
        {AIO_URING, "io_uring", "io_uring"}, {AIO_LIBAIO, "libaio", "libaio"}, {AIO_THREADS, "threads", "threads"}};
    struct tune *t = rig->t;

    tune_progress_at(&t->progress, "comparing the disk readers");
    for (unsigned i = 0; i < ROUNDS * TUNE_READERS; i++) {
        struct tune_reader *r = &t->results->readers[i % TUNE_READERS];
        struct disk *disk;

        r->name = all[i % TUNE_READERS].name;
        r->value = all[i % TUNE_READERS].value;
        if (disk_open(&disk, rig->loop, all[i % TUNE_READERS].mode, rig->pool, QUEUE, &r->note) < 0) {
            if (!r->note)
                r->note = "does not work here";
            continue;
        }
        (void)run(rig, disk, READER_SIZE, READER_DEPTH, seconds / (ROUNDS * TUNE_READERS), &r->speed);
        disk_close(disk);
    }
}

/* Blocks all over the file, one at a time: what a client waits for the first byte. */
static void measure_latency(struct rig *rig, double seconds)
{
    struct tune *t = rig->t;
    static double samples[LATENCY_SAMPLES];
    size_t size = rig->align > LATENCY_SIZE ? rig->align : LATENCY_SIZE, n = 0;
    uint64_t blocks = t->results->file_bytes / size, random = 1;
    void *buffer = bufpool_take(rig->buffers, size);
    double until = tune_now() + seconds;

    tune_progress_at(&t->progress, "reading here and there");
    while (buffer && n < LATENCY_SAMPLES && tune_now() < until) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        double from = tune_now();
        if (pread(t->file->direct_fd, buffer, size, (off_t)((random >> 33) % blocks * size)) != (ssize_t)size)
            break;
        samples[n++] = (tune_now() - from) * 1e6;
    }
    if (buffer)
        bufpool_give(rig->buffers, buffer, size);
    t->results->latency_usec = tune_median(samples, n);
}

static void on_pool(void *arg, unsigned what)
{
    (void)what;
    pool_reap(arg);
}

static void rig_fini(struct rig *rig)
{
    bufpool_destroy(rig->buffers);
    watch_destroy(rig->watch);
    if (rig->pool)
        pool_destroy(rig->pool);
    loop_destroy(rig->loop);
}

static int rig_init(struct rig *rig, struct tune *t)
{
    *rig = (struct rig){.t = t};
    int rc = loop_create(&rig->loop);
    if (rc == 0)
        rc = pool_create(&rig->pool, "tune", THREADS, QUEUE);
    if (rc == 0)
        rc = bufpool_create(&rig->buffers, (size_t)2 * LANES * TUNE_BLOCK);
    if (rc == 0) {
        rig->watch = watch_create(rig->loop, pool_eventfd(rig->pool), LOOP_READ, false, on_pool, rig->pool);
        rc = rig->watch ? 0 : -ENOMEM;
    }
    if (rc < 0)
        rig_fini(rig);
    return rc;
}

static bool first_read_works(struct rig *rig, struct disk *disk)
{
    struct tune_speed ignored = {0, 0};
    int rc = run(rig, disk, TUNE_BLOCK, 1, 0, &ignored);

    if (rc == 0)
        return true;
    rig->t->results->direct = TUNE_DIRECT_REFUSED;
    rig->t->results->direct_error = rc;
    return false;
}

int tune_direct_measure(struct tune *t, double share_of_grid, double share_of_rest)
{
    const char *note;
    struct disk *disk;
    struct rig rig;

    int rc = rig_init(&rig, t);
    if (rc < 0)
        return rc;
    rc = disk_open(&disk, rig.loop, AIO_ON, rig.pool, QUEUE, &note);
    if (rc < 0) {
        rig_fini(&rig);
        return rc;
    }
    t->results->reader = disk_name(disk);
    look_at_direct(t);
    rig.align = t->results->align_offset;
    tune_file_forget_pages(t->file);
    if (t->results->direct == TUNE_DIRECT_WORKS && first_read_works(&rig, disk))
        look_at_pages(t);
    if (t->results->direct == TUNE_DIRECT_WORKS) {
        measure_grid(&rig, disk, tune_share(t, share_of_grid));
        measure_readers(&rig, tune_share(t, share_of_rest) * 2 / 3);
        measure_latency(&rig, tune_share(t, share_of_rest) / 3);
    }
    disk_close(disk);
    rig_fini(&rig);
    return 0;
}

/* As a kernel reads a file for sendfile: from its beginning, with the read-ahead of the page
 * cache. */
void tune_cold_measure(struct tune *t, double until)
{
    size_t size = 256 * 1024;
    uint64_t bytes = 0;
    char *buffer = malloc(size);

    tune_progress_at(&t->progress, "reading through the page cache");
    tune_file_forget_pages(t->file);
    if (buffer && residency(t->file, 0, TUNE_BLOCK) == 0) {
        double cpu = tune_cpu(), from = tune_now();
        ssize_t n = 1;
        while (n > 0 && tune_now() < until) {
            n = pread(t->file->fd, buffer, size, (off_t)bytes);
            bytes += n > 0 ? (uint64_t)n : 0;
        }
        if (bytes > 0)
            t->results->cold = (struct tune_speed){(double)bytes / (tune_now() - from),
                                                   (tune_cpu() - cpu) / ((double)bytes / (1 << 30))};
    }
    free(buffer);
}
