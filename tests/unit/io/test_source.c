/* test_source.c - every byte of every range, over every reader and method; and what happens when
 * things go wrong. */
#include "io/source.h"

#include "drain.h"
#include "file/open.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { K = 1024, WINDOW = 64 * K, SIZE = 5 * WINDOW + 777 };

static const int modes[] = {AIO_ON, AIO_THREADS, AIO_URING, AIO_LIBAIO, AIO_OFF};
enum { MODES = sizeof modes / sizeof modes[0] };

/* On a disk where there is one, so that O_DIRECT is real. */
static struct file *pattern(const char *name, off_t size)
{
    char path[4300];
    struct file *f = NULL;

    snprintf(path, sizeof path, "%s/%s", unit_disk_dir() ? unit_disk_dir() : unit_dir(), name);
    if (access(path, F_OK) != 0)
        unit_write_pattern(path, size);
    ck_assert_int_eq(file_open(&f, path, NULL), 0);
    return f;
}

static void make_cold(struct file *f)
{
    ck_assert_int_eq(fsync(f->fd), 0);
    ck_assert_int_eq(posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    f->hot = false;
}

START_TEST(test_sweep)
{
    static const off_t offsets[] = {0,        1,          511,          512,    513,        4095,
                                    4096,     4097,       WINDOW - 1,   WINDOW, WINDOW + 1, 3 * WINDOW + 5,
                                    SIZE - 1, SIZE - 513, SIZE - WINDOW};
    static const uint64_t lens[] = {1, 511, 512, 513, 4096, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW - 2, SIZE};
    static const enum io_method methods[] = {IO_DIRECT, IO_BUFFERED, IO_SENDFILE, IO_MMAP};
    struct rig rig;
    struct file *f = pattern("sweep", SIZE);

    rig_open(&rig, modes[_i], 3, WINDOW, 8 << 20);
    for (size_t m = 0; m < 4; m++) {
        rig.conf.method = (int)methods[m];
        for (size_t o = 0; o < sizeof offsets / sizeof offsets[0]; o++) {
            if (o % 4 == 0)
                make_cold(f);
            for (size_t l = 0; l < sizeof lens / sizeof lens[0]; l++) {
                uint64_t left = (uint64_t)(SIZE - offsets[o]);
                uint64_t len = lens[l] < left ? lens[l] : left;
                size_t want = l % 3 == 0 ? 1 << 20 : l % 3 == 1 ? 7777 : 65536;
                enum io_method end = drain_check(&rig, methods[m], f, offsets[o], len, want);
                if (methods[m] != IO_DIRECT || unit_disk_dir())
                    ck_assert_int_eq(end, methods[m]);
            }
        }
    }
    ck_assert_uint_eq(io_counters(rig.io)->disk_errors, 0);
    ck_assert_uint_eq(io_counters(rig.io)->direct_refused, 0);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Window sizes that are no multiple of anything, one buffer, tiny files, and files that end at each
 * edge. */
START_TEST(test_sizes)
{
    static const off_t sizes[] = {1, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537};
    static const int64_t bufs[][2] = {{1, 512}, {1, 4096}, {2, 5000}, {4, 8192}, {16, 100000}};
    struct rig rig;
    char name[32];

    for (size_t b = 0; b < 5; b++) {
        rig_open(&rig, modes[_i], bufs[b][0], bufs[b][1], 1 << 20);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            snprintf(name, sizeof name, "size-%d", (int)sizes[s]);
            struct file *f = pattern(name, sizes[s]);
            drain_check(&rig, IO_DIRECT, f, 0, (uint64_t)sizes[s], 1 << 20);
            drain_check(&rig, IO_BUFFERED, f, sizes[s] / 2, (uint64_t)(sizes[s] - sizes[s] / 2), 1000);
            file_release(f);
        }
        rig_close(&rig);
    }
}
END_TEST

/* A file past 4 GiB, mostly hole. */
START_TEST(test_beyond_4g)
{
    struct rig rig;
    char path[4300];
    struct file *f;
    off_t at = ((off_t)5 << 30) - 1000;
    char want[3000];

    snprintf(path, sizeof path, "%s/huge", unit_disk_dir() ? unit_disk_dir() : unit_dir());
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    for (size_t i = 0; i < sizeof want; i++)
        want[i] = (char)pattern_byte(at + (off_t)i);
    ck_assert_int_eq(pwrite(fd, want, sizeof want, at), sizeof want);
    close(fd);
    ck_assert_int_eq(file_open(&f, path, NULL), 0);
    rig_open(&rig, modes[_i], 2, WINDOW, 8 << 20);
    drain_check(&rig, IO_DIRECT, f, at, sizeof want, 1 << 20);
    drain_check(&rig, IO_DIRECT, f, at + 7, 900, 1 << 20);
    drain_check(&rig, IO_MMAP, f, at + 7, 1900, 1 << 20);
    drain_check(&rig, IO_SENDFILE, f, at + 7, 1900, 1 << 20);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Nothing that goes by the direct path may end up in the page cache, odd ends included. */
START_TEST(test_direct_leaves_no_pages)
{
    struct rig rig;
    if (!unit_disk_dir() || unit_on_valgrind())
        return;
    struct file *f = pattern("sweep", SIZE);
    rig_open(&rig, AIO_ON, 3, WINDOW, 8 << 20);
    make_cold(f);
    for (off_t at = 1; at < SIZE; at += 40001)
        ck_assert_int_eq(drain_check(&rig, IO_DIRECT, f, at, (uint64_t)((SIZE - at) / 2 + 1), 1 << 20), IO_DIRECT);
    void *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, f->fd, 0);
    unsigned char pages[SIZE / 4096 + 1];
    ck_assert_int_eq(mincore(map, SIZE, pages), 0);
    for (size_t i = 0; i < sizeof pages; i++)
        ck_assert_msg(!(pages[i] & 1), "page %zu", i);
    munmap(map, SIZE);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* A direct descriptor whose alignment is a lie. False: this filesystem takes any. */
static bool lie(struct file *f)
{
    char byte;

    ck_assert_int_eq(file_direct(f, 512, false), 0);
    f->align_memory = f->align_offset = 1;
    return pread(f->direct_fd, &byte, 1, 1) < 0 && errno == EINVAL;
}

/* Accepted at open, refused at the first read: EINVAL, here by an alignment that is a lie. Every
 * byte right, noted once. */
START_TEST(test_refused_at_read)
{
    struct rig rig;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("sweep", SIZE);
    if (!lie(f)) {
        file_release(f);
        return;
    }
    rig_open(&rig, modes[_i], 4, 2 * WINDOW, 8 << 20);
    ck_assert_int_eq(drain_check(&rig, IO_DIRECT, f, 100, SIZE - 200, 1 << 20), IO_BUFFERED);
    ck_assert(io_direct_refused(rig.io, f->dev));
    ck_assert(!io_direct_refused(rig.io, f->dev + 1));
    ck_assert_uint_eq(io_counters(rig.io)->direct_refused, 1);
    ck_assert_uint_eq(io_counters(rig.io)->fallbacks, 1);
    ck_assert_uint_eq(io_counters(rig.io)->disk_errors, 0);
    ck_assert_int_eq(drain_check(&rig, IO_DIRECT, f, 0, SIZE, 1 << 20), IO_BUFFERED); /* not even tried */
    ck_assert_uint_eq(io_counters(rig.io)->direct_refused, 1);
    ck_assert_uint_eq(io_counters(rig.io)->fallbacks, 2);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* With the same lie, a range that begins aligned fails only at its odd end: it goes on, the
 * filesystem is not given up. */
START_TEST(test_refused_later)
{
    struct rig rig;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("sweep", SIZE);
    if (!lie(f)) {
        file_release(f);
        return;
    }
    rig_open(&rig, modes[_i], 2, WINDOW, 8 << 20);
    ck_assert_int_eq(drain_check(&rig, IO_DIRECT, f, 0, SIZE, 1 << 20), IO_BUFFERED);
    ck_assert(!io_direct_refused(rig.io, f->dev));
    ck_assert_uint_eq(io_counters(rig.io)->direct_refused, 0);
    ck_assert_uint_eq(io_counters(rig.io)->fallbacks, 1);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Cut short between open and read: what comes is right, and then it fails; nothing is made up. */
START_TEST(test_truncated)
{
    static const enum io_method methods[] = {IO_DIRECT, IO_BUFFERED};
    static const off_t cuts[] = {0, 500, 4096, WINDOW, WINDOW + 100, SIZE - 1};
    struct rig rig;

    rig_open(&rig, modes[_i], 2, WINDOW, 8 << 20);
    for (int m = 0; m < 2; m++) {
        for (size_t c = 0; c < sizeof cuts / sizeof cuts[0]; c++) {
            char name[32];
            snprintf(name, sizeof name, "cut-%d-%zu", m, c);
            struct file *f = pattern(name, SIZE);
            ck_assert_int_eq(truncate(f->path, cuts[c]), 0);
            struct drain d;
            unsigned running = 0;
            drain_start(&d, &rig, methods[m], f, 0, SIZE, &running);
            rig_run(&rig);
            ck_assert_int_eq(d.last, PULL_FAILED);
            ck_assert_int_eq(d.error, -ENODATA);
            ck_assert_uint_le(d.got, (uint64_t)cuts[c]);
            ck_assert_int_ge(d.source->error_offset, (off_t)d.got);
            assert_pattern(d.bytes, d.got, 0);
            drain_end(&d);
            file_release(f);
        }
    }
    rig_close(&rig);
}
END_TEST

/* An error of the disk ends the response there; it is counted. */
START_TEST(test_disk_error)
{
    struct rig rig;
    struct drain d;
    unsigned running = 0;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("sweep", SIZE);
    ck_assert_int_eq(file_direct(f, 512, false), 0);
    close(f->direct_fd);
    f->direct_fd = open(f->path, O_WRONLY | O_CLOEXEC);
    rig_open(&rig, modes[_i], 2, WINDOW, 8 << 20);
    drain_start(&d, &rig, IO_DIRECT, f, 5000, 1000, &running);
    rig_run(&rig);
    ck_assert_int_eq(d.last, PULL_FAILED);
    ck_assert_int_eq(d.error, -EBADF);
    ck_assert_uint_eq(d.got, 0);
    ck_assert_uint_eq(io_counters(rig.io)->disk_errors, 1);
    ck_assert(!io_direct_refused(rig.io, f->dev));
    drain_end(&d);
    file_release(f);
    rig_close(&rig);
}
END_TEST

static void on_never(void *arg)
{
    (void)arg;
    ck_abort_msg("ready was called after close");
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static void on_turns(void *arg)
{
    loop_stop(arg);
}

/* Closed with reads in flight: they finish for nobody, and everything is given back. */
START_TEST(test_close_in_flight)
{
    static const enum io_method methods[] = {IO_DIRECT, IO_BUFFERED, IO_SENDFILE, IO_MMAP};
    struct rig rig;
    struct chunk c;

    for (int turns = 0; turns < 2; turns++) {
        struct file *f = pattern("sweep", SIZE);
        rig_open(&rig, modes[_i], 4, WINDOW, 8 << 20);
        for (int m = 0; m < 4; m++) {
            struct source *s[8];
            make_cold(f);
            rig.conf.method = (int)methods[m];
            for (int i = 0; i < 8; i++) {
                struct source_request r = {
                    .io = rig.io, .conf = &rig.conf, .file = f, .offset = i * 100, .len = SIZE - 1000};
                r.ready = on_never;
                ck_assert_int_eq(source_open(&s[i], methods[m], &r), 0);
                (void)s[i]->ops->pull(s[i], 4096, &c);
            }
            for (int i = 0; i < 8; i++)
                source_close(s[i]);
        }
        file_release(f); /* the reads keep it */
        if (turns) {
            struct timer *t = loop_timer(rig.loop, on_turns, rig.loop);
            timer_set(t, 50);
            rig_run(&rig);
            timer_destroy(t);
        }
        rig_close(&rig);
    }
}
END_TEST

struct closer {
    struct rig *rig;
    struct source *source;
};

static void on_ready_close(void *arg)
{
    struct closer *c = arg;
    source_close(c->source);
    c->source = NULL;
    loop_stop(c->rig->loop);
}

START_TEST(test_close_in_ready)
{
    struct rig rig;
    struct chunk c;
    struct file *f = pattern("sweep", SIZE);
    struct closer closer = {.rig = &rig};

    rig_open(&rig, modes[_i], 4, WINDOW, 8 << 20);
    make_cold(f);
    rig.conf.method = IO_DIRECT;
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = on_ready_close, .arg = &closer};
    ck_assert_int_eq(source_open(&closer.source, IO_DIRECT, &r), 0);
    ck_assert_int_eq(closer.source->ops->pull(closer.source, 4096, &c), PULL_WAIT_DISK);
    ck_assert_int_eq(closer.source->ops->pull(closer.source, 4096, &c), PULL_WAIT_DISK);
    rig_run(&rig);
    ck_assert_ptr_null(closer.source);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Forty responses, memory for two windows: all of them end, right to the byte. */
START_TEST(test_little_memory)
{
    enum { N = 40 };
    struct rig rig;
    struct drain d[N];
    unsigned running = 0;
    struct file *f = pattern("sweep", SIZE);

    rig_open(&rig, modes[_i], 4, WINDOW, 2 * WINDOW);
    for (int i = 0; i < N; i++) {
        drain_start(&d[i], &rig, i % 3 ? IO_DIRECT : IO_BUFFERED, f, i * 10, SIZE - 1000, &running);
        d[i].bite = i % 2 ? 10000 : 0;
    }
    rig_run(&rig);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(d[i].last, PULL_END);
        assert_pattern(d[i].bytes, d[i].got, i * 10);
        drain_end(&d[i]);
    }
    ck_assert_uint_eq(bufpool_lent(io_buffers(rig.io)), 0);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* A client that stopped taking keeps one window, whatever was read ahead for it, once somebody else
 * has none. */
START_TEST(test_stuck_client)
{
    struct rig rig;
    struct chunk c;
    struct drain d;
    unsigned running = 0;
    struct file *f = pattern("sweep", SIZE);

    rig_open(&rig, modes[_i], 4, WINDOW, 4 * WINDOW);
    drain_start(&d, &rig, IO_DIRECT, f, 0, SIZE, &running);
    struct source *stuck = d.source;
    d.want = 100;
    d.most = SIZE;
    /* Takes a while, then no more: windows pile up behind the first. */
    for (int i = 0; i < 3; i++) {
        struct timer *t = loop_timer(rig.loop, on_turns, rig.loop);
        deferred_clear(&d.next);
        (void)stuck->ops->pull(stuck, 100, &c);
        stuck->ready = on_turns;
        stuck->arg = rig.loop;
        timer_set(t, 20);
        rig_run(&rig);
        timer_destroy(t);
        while (i < 2 && stuck->ops->pull(stuck, WINDOW, &c) == PULL_READY)
            stuck->ops->consumed(stuck, c.len);
    }
    stuck->ready = on_nothing; /* its last read may still be under way */
    struct drain other[3];
    running = 0;
    for (int i = 0; i < 3; i++)
        drain_start(&other[i], &rig, IO_DIRECT, f, 0, SIZE, &running);
    rig_run(&rig);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(other[i].last, PULL_END);
        assert_pattern(other[i].bytes, SIZE, 0);
        drain_end(&other[i]);
    }
    drain_end(&d);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* The buffers that a client gets follow it: time is set by hand between pull and consumed. */
START_TEST(test_pipeline_follows_the_client)
{
    enum { LARGE = 12 << 20, MOST = 256 * K };
    struct rig rig;
    struct chunk c;
    struct source *s;
    size_t peak = 0;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("large", LARGE);
    rig_open(&rig, AIO_ON, 4, MOST, 8 << 20);
    rig.conf.method = IO_DIRECT;
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = LARGE, .ready = on_turns, .arg = rig.loop};
    ck_assert_int_eq(source_open(&s, IO_DIRECT, &r), 0);
    for (off_t at = 0; at < LARGE; at += (off_t)c.len) {
        while (s->ops->pull(s, LARGE, &c) == PULL_WAIT_DISK)
            rig_run(&rig);
        if (at > LARGE / 2)
            clock_now.msec += 300;
        else if (bufpool_lent(io_buffers(rig.io)) > peak)
            peak = bufpool_lent(io_buffers(rig.io));
        s->ops->consumed(s, c.len);
    }
    ck_assert_uint_eq(peak, 4 * MOST); /* it never had to wait long for a client that takes everything at once */
    source_close(s);

    ck_assert_int_eq(source_open(&s, IO_DIRECT, &r), 0);
    for (int i = 0; i < 8; i++) {
        while (s->ops->pull(s, LARGE, &c) == PULL_WAIT_DISK)
            rig_run(&rig);
        clock_now.msec += 300;
        s->ops->consumed(s, c.len);
    }
    ck_assert_uint_le(bufpool_lent(io_buffers(rig.io)), 64 * K);
    ck_assert_uint_gt(bufpool_lent(io_buffers(rig.io)), 0);
    source_close(s);
    file_release(f);
    rig_close(&rig);
}
END_TEST

static size_t take_some(struct rig *rig, struct source *s, off_t at, size_t most)
{
    struct chunk c;

    while (s->ops->pull(s, most, &c) == PULL_WAIT_DISK)
        rig_run(rig);
    assert_pattern(c.data, c.len, at);
    s->ops->consumed(s, c.len);
    return c.len;
}

/* All buffers are held for clients that take nothing: somebody else gets them, and they lose no
 * byte. */
START_TEST(test_rest_gives_way)
{
    enum { STUCK = 2, SOME = 1000 };
    struct rig rig;
    struct source *stuck[STUCK];
    struct drain d;
    unsigned running = 0;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("sweep", SIZE);
    rig_open(&rig, AIO_ON, 2, 64 * K, STUCK * 64 * K);
    rig.conf.method = IO_DIRECT;
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = on_turns, .arg = rig.loop};
    for (int i = 0; i < STUCK; i++) {
        ck_assert_int_eq(source_open(&stuck[i], IO_DIRECT, &r), 0);
        ck_assert_uint_eq(take_some(&rig, stuck[i], 0, SOME), SOME);
        source_rest(stuck[i]);
    }
    ck_assert_uint_eq(bufpool_lent(io_buffers(rig.io)), STUCK * 64 * K);
    drain_start(&d, &rig, IO_DIRECT, f, 0, SIZE, &running);
    rig_run(&rig);
    ck_assert_int_eq(d.last, PULL_END);
    assert_pattern(d.bytes, SIZE, 0);
    drain_end(&d);
    for (int i = 0; i < STUCK; i++) {
        for (size_t at = SOME; at < SIZE;)
            at += take_some(&rig, stuck[i], (off_t)at, SIZE);
        source_close(stuck[i]);
    }
    ck_assert_uint_eq(bufpool_lent(io_buffers(rig.io)), 0);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* What the page cache has goes straight to who gathers it, and nothing is held for a client that
 * stops. */
START_TEST(test_read_holds_nothing)
{
    enum { PIECE = 10000 };
    static char bytes[SIZE];
    struct rig rig;
    struct source *s;
    size_t at = 0, n;
    struct file *f = pattern("sweep", SIZE);

    rig_open(&rig, AIO_ON, 2, 64 * K, 1 << 20);
    rig.conf.method = IO_BUFFERED;
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = on_turns, .arg = rig.loop};
    ck_assert_int_eq(pread(f->fd, bytes, SIZE, 0), SIZE);
    ck_assert_int_eq(source_open(&s, IO_BUFFERED, &r), 0);
    while ((n = source_read(s, bytes + at, PIECE)) > 0) {
        at += n;
        ck_assert_uint_eq(bufpool_lent(io_buffers(rig.io)), 0);
    }
    ck_assert_uint_eq(at, SIZE);
    assert_pattern(bytes, SIZE, 0);
    struct chunk c;
    ck_assert_int_eq(s->ops->pull(s, PIECE, &c), PULL_END);
    source_close(s);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Read for a client that then took nothing: given back, and read again. */
START_TEST(test_forget)
{
    enum { SOME = 1000 };
    static const enum io_method methods[] = {IO_DIRECT, IO_BUFFERED};
    struct rig rig;
    struct source *s;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("sweep", SIZE);
    rig_open(&rig, AIO_ON, 1, 64 * K, 1 << 20);
    rig.conf.method = (int)methods[_i];
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = on_turns, .arg = rig.loop};
    make_cold(f);
    ck_assert_int_eq(source_open(&s, methods[_i], &r), 0);
    ck_assert_uint_eq(take_some(&rig, s, 0, SOME), SOME);
    ck_assert_uint_gt(bufpool_lent(io_buffers(rig.io)), 0);
    source_forget(s);
    ck_assert_uint_eq(bufpool_lent(io_buffers(rig.io)), 0);
    for (size_t at = SOME; at < SIZE;)
        at += take_some(&rig, s, (off_t)at, SIZE);
    source_close(s);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Cold: waits for a thread first. Resident: no wait at all. */
START_TEST(test_gate)
{
    struct rig rig;
    struct drain d;
    if (!unit_disk_dir())
        return;
    for (int m = 0; m < 2; m++) {
        struct file *f = pattern("sweep", SIZE);
        rig_open(&rig, _i ? AIO_OFF : AIO_ON, 2, WINDOW, 8 << 20);
        for (int warm = 0; warm < 2; warm++) {
            unsigned running = 0;
            if (!warm)
                make_cold(f);
            drain_start(&d, &rig, m ? IO_MMAP : IO_SENDFILE, f, 0, SIZE, &running);
            rig_run(&rig);
            ck_assert_int_eq(d.last, PULL_END);
            assert_pattern(d.bytes, SIZE, 0);
            if (_i || warm)
                ck_assert_uint_eq(d.waits, 0);
            else
                ck_assert_uint_ge(d.waits, 1);
            ck_assert_uint_eq(io_counters(rig.io)->waits, _i ? 0 : 1);
            drain_end(&d);
        }
        file_release(f);
        rig_close(&rig);
    }
}
END_TEST

/* What a first pull of a new response says, and whether it asked where the file is, which is not in
 * memory (any more). */
static enum pull first_pull(struct rig *rig, struct file *f)
{
    struct source *s;
    struct chunk c;
    struct source_request r = {
        .io = rig->io, .conf = &rig->conf, .file = f, .len = (uint64_t)f->size, .ready = on_turns, .arg = rig->loop};
    ck_assert_int_eq(source_open(&s, IO_SENDFILE, &r), 0);
    enum pull answer = s->ops->pull(s, (size_t)f->size, &c);
    if (answer == PULL_WAIT_DISK)
        rig_run(rig);
    source_close(s);
    return answer;
}

static void evict(const struct file *f)
{
    ck_assert_int_eq(posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

/* A hot file is asked about once a second, not for each request: nobody notices for a second that
 * it left memory. So is one that was read just now. */
START_TEST(test_hot_is_not_asked_again)
{
    enum { HOT_SIZE = 100 * K, NOT_FOR = 1000 };
    struct rig rig;
    if (!unit_disk_dir())
        return;
    struct file *f = pattern("hot", HOT_SIZE);
    rig_open(&rig, AIO_ON, 2, WINDOW, 8 << 20);
    make_cold(f);
    ck_assert_int_eq(first_pull(&rig, f), PULL_WAIT_DISK);
    evict(f);
    ck_assert_int_eq(first_pull(&rig, f), PULL_READY);
    clock_now.msec += NOT_FOR;
    ck_assert_int_eq(first_pull(&rig, f), PULL_WAIT_DISK);
    clock_now.msec += NOT_FOR;
    ck_assert_int_eq(first_pull(&rig, f), PULL_READY); /* asked: it is there */
    evict(f);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(first_pull(&rig, f), PULL_READY);
    clock_now.msec += NOT_FOR;
    ck_assert_int_eq(first_pull(&rig, f), PULL_WAIT_DISK);
    file_release(f);
    rig_close(&rig);
}
END_TEST

/* Given up while it waits, it has waited all the same. */
START_TEST(test_waited)
{
    struct rig rig;
    struct chunk c;
    struct source *s;
    struct file *f = pattern("sweep", SIZE);
    rig_open(&rig, AIO_THREADS, 2, WINDOW, 8 << 20);
    rig.conf.method = IO_DIRECT;
    struct source_request r = {
        .io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = on_turns, .arg = rig.loop};
    ck_assert_int_eq(source_open(&s, IO_DIRECT, &r), 0);
    ck_assert_int_eq(source_waited_msec(s), 0);
    ck_assert_int_eq(s->ops->pull(s, 4096, &c), PULL_WAIT_DISK);
    clock_now.msec += 1234;
    ck_assert_int_eq(source_waited_msec(s), 1234);
    source_close(s);
    file_release(f);
    rig_close(&rig);
}
END_TEST

static struct source *open_part(struct rig *rig, enum io_method method, struct file *f, off_t at, uint64_t len)
{
    struct source *s;
    struct source_request r = {.io = rig->io, .conf = &rig->conf, .file = f, .offset = at, .len = len};
    ck_assert_int_eq(source_open(&s, method, &r), 0);
    return s;
}

static void on_ready_stop(void *arg)
{
    loop_stop(((struct rig *)arg)->loop);
}

START_TEST(test_parts)
{
    struct rig rig;
    struct file *f = pattern("sweep", SIZE);
    struct source *parts[5], *s;
    struct chunk c;
    char got[40000];
    size_t len = 0;

    rig_open(&rig, modes[_i], 2, WINDOW, 8 << 20);
    make_cold(f);
    ck_assert_int_eq(source_open_bytes(&parts[0], TEXT("head one")), 0);
    parts[1] = open_part(&rig, IO_DIRECT, f, 12345, 10000);
    ck_assert_int_eq(source_open_bytes(&parts[2], TEXT("head two")), 0);
    parts[3] = open_part(&rig, IO_DIRECT, f, 3, 20000);
    ck_assert_int_eq(source_open_bytes(&parts[4], TEXT("tail")), 0);
    ck_assert_int_eq(source_open_parts(&s, parts, 5, on_ready_stop, &rig), 0);
    for (enum pull p; (p = s->ops->pull(s, 3000, &c)) != PULL_END;) {
        if (p == PULL_WAIT_DISK) {
            rig_run(&rig);
            continue;
        }
        ck_assert_int_eq(p, PULL_READY);
        memcpy(got + len, c.data, c.len);
        len += c.len;
        s->ops->consumed(s, c.len);
    }
    ck_assert_uint_eq(len, 8 + 10000 + 8 + 20000 + 4);
    ck_assert_mem_eq(got, "head one", 8);
    assert_pattern(got + 8, 10000, 12345);
    ck_assert_mem_eq(got + 10008, "head two", 8);
    assert_pattern(got + 10016, 20000, 3);
    ck_assert_mem_eq(got + 30016, "tail", 4);
    if (unit_disk_dir())
        ck_assert_int_eq(s->method, IO_DIRECT);
    source_close(s);

    /* Closed in the middle of a part that waits. */
    ck_assert_int_eq(source_open_bytes(&parts[0], TEXT("head")), 0);
    parts[1] = open_part(&rig, IO_DIRECT, f, 12345, 10000);
    parts[2] = open_part(&rig, IO_BUFFERED, f, 12345, 10000);
    ck_assert_int_eq(source_open_parts(&s, parts, 3, on_never, &rig), 0);
    ck_assert_int_eq(s->ops->pull(s, 100, &c), PULL_READY);
    s->ops->consumed(s, c.len);
    (void)s->ops->pull(s, 100, &c);
    source_close(s);
    file_release(f);
    rig_close(&rig);
}
END_TEST

START_TEST(test_memory)
{
    struct rig rig;
    struct file *f = pattern("size-512", 512);
    rig_open(&rig, AIO_ON, 2, WINDOW, 8 << 20);
    f->content = malloc(512);
    for (int i = 0; i < 512; i++)
        f->content[i] = (char)pattern_byte(i);
    ck_assert_int_eq(drain_check(&rig, IO_MEMORY, f, 0, 512, 100), IO_MEMORY);
    ck_assert_int_eq(drain_check(&rig, IO_MEMORY, f, 500, 12, 100), IO_MEMORY);
    free(f->content);
    f->content = NULL;
    ck_assert_int_eq(drain_check(&rig, IO_MEMORY, f, 10, 500, 100), IO_BUFFERED);
    file_release(f);
    rig_close(&rig);
}
END_TEST

Suite *suite_io_source(void)
{
    Suite *s = suite_create("io/source");
    TCase *t = tcase_create("source");
    tcase_set_timeout(t, 150);
    tcase_add_loop_test(t, test_sweep, 0, MODES);
    tcase_add_loop_test(t, test_sizes, 0, MODES);
    tcase_add_loop_test(t, test_beyond_4g, 0, MODES);
    tcase_add_test(t, test_direct_leaves_no_pages);
    tcase_add_loop_test(t, test_refused_at_read, 0, MODES);
    tcase_add_loop_test(t, test_refused_later, 0, MODES);
    tcase_add_loop_test(t, test_truncated, 0, MODES);
    tcase_add_loop_test(t, test_disk_error, 0, MODES);
    tcase_add_loop_test(t, test_close_in_flight, 0, MODES);
    tcase_add_loop_test(t, test_close_in_ready, 0, MODES);
    tcase_add_loop_test(t, test_little_memory, 0, MODES);
    tcase_add_loop_test(t, test_stuck_client, 0, MODES);
    tcase_add_test(t, test_pipeline_follows_the_client);
    tcase_add_test(t, test_rest_gives_way);
    tcase_add_test(t, test_read_holds_nothing);
    tcase_add_loop_test(t, test_forget, 0, 2);
    tcase_add_loop_test(t, test_gate, 0, 2);
    tcase_add_test(t, test_hot_is_not_asked_again);
    tcase_add_test(t, test_waited);
    tcase_add_loop_test(t, test_parts, 0, MODES);
    tcase_add_test(t, test_memory);
    suite_add_tcase(s, t);
    return s;
}
