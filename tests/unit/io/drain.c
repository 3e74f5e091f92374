/* drain.c - see drain.h. */
#include "drain.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GUARD_MSEC = 120000 };

static void on_guard(void *arg)
{
    (void)arg;
    ck_abort_msg("the loop waits for something that does not come");
}

void rig_open(struct rig *rig, int mode, int64_t number, int64_t size, int64_t memory)
{
    memset(rig, 0, sizeof *rig);
    rig->conf = (struct io_conf){.sendfile = true,
                                 .aio.mode = mode,
                                 .directio = 0,
                                 .directio_alignment = 4096,
                                 .output_buffers = {number, size},
                                 .method = IO_AUTO};
    rig->main_conf.directio_memory = memory;
    list_init(&rig->main_conf.pools);
    ck_assert_int_eq(loop_create(&rig->loop), 0);
    ck_assert_int_eq(io_start(&rig->io, rig->loop, &rig->main_conf, 32), 0);
    rig->guard = loop_timer(rig->loop, on_guard, rig);
}

void rig_close(struct rig *rig)
{
    io_stop(rig->io);
    timer_destroy(rig->guard);
    loop_destroy(rig->loop);
}

void rig_run(struct rig *rig)
{
    timer_set(rig->guard, GUARD_MSEC);
    loop_run(rig->loop);
    timer_clear(rig->guard);
}

static void take(struct drain *d, const struct chunk *c)
{
    size_t n = d->bite && d->bite < c->len ? d->bite : c->len;

    ck_assert_uint_gt(c->len, 0);
    ck_assert_uint_le(c->len, d->want);
    ck_assert_uint_le(d->got + c->len, d->most);
    if (c->data)
        memcpy(d->bytes + d->got, c->data, n);
    else
        ck_assert_int_eq(pread(c->fd, d->bytes + d->got, n, c->offset), n);
    d->got += n;
    d->source->ops->consumed(d->source, n);
}

static void step(void *arg)
{
    struct drain *d = arg;
    struct chunk c, again;

    for (;;) {
        d->last = d->source->ops->pull(d->source, d->want, &c);
        if (d->last == PULL_WAIT_DISK) {
            d->waits++;
            return;
        }
        if (d->last != PULL_READY)
            break;
        ck_assert_int_eq(d->source->ops->pull(d->source, d->want, &again), PULL_READY);
        ck_assert_ptr_eq(c.data, again.data);
        ck_assert_uint_le(c.len, again.len); /* more may have been read meanwhile */
        take(d, &c);
    }
    d->error = d->source->error;
    if (--*d->running == 0)
        loop_stop(d->rig->loop);
}

void drain_start(struct drain *d, struct rig *rig, enum io_method method, struct file *f, off_t offset, uint64_t len,
                 unsigned *running)
{
    struct source_request r = {
        .io = rig->io, .conf = &rig->conf, .file = f, .offset = offset, .len = len, .ready = step, .arg = d};

    memset(d, 0, sizeof *d);
    d->rig = rig;
    d->want = 1 << 20;
    d->most = len;
    d->bytes = malloc(len ? len : 1);
    d->running = running;
    ++*running;
    ck_assert_int_eq(source_open(&d->source, method, &r), 0);
    deferred_init(&d->next, step, d);
    loop_defer(rig->loop, &d->next);
}

void drain_end(struct drain *d)
{
    source_close(d->source);
    free(d->bytes);
}

enum io_method drain_check(struct rig *rig, enum io_method method, struct file *f, off_t offset, uint64_t len,
                           size_t want)
{
    struct drain d;
    unsigned running = 0;

    drain_start(&d, rig, method, f, offset, len, &running);
    d.want = want;
    rig_run(rig);
    ck_assert_msg(d.last == PULL_END, "%s, offset %jd, length %ju: %d, error %d", io_method_name(method),
                  (intmax_t)offset, (uintmax_t)len, d.last, d.error);
    ck_assert_uint_eq(d.got, len);
    assert_pattern(d.bytes, (size_t)len, offset);
    enum io_method at_end = d.source->method;
    drain_end(&d);
    ck_assert_uint_eq(bufpool_lent(io_buffers(rig->io)), 0);
    return at_end;
}
