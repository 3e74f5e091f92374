/* filter.c - a source made of another one's bytes. See filter.h. */
#include "io/filter.h"

#include <errno.h>
#include <stdlib.h>

struct filter {
    struct source source;
    struct source *inner;
    struct codec *codec;
    struct filter_options options;
    struct codec_step step; /* of the job, with a pool */
    struct job job;
    int job_error;
    bool running;  /* the job is on its way: codec, input and output are its own */
    bool orphan;   /* closed meanwhile: the job's end frees it */
    bool resting;  /* the client rested meanwhile: inner is told at the job's end */
    bool in_ended; /* inner has given all */
    bool ended;
    uint64_t taken, made;
    struct held *input;   /* of the job of an orphan, or NULL */
    struct held held;     /* the output is in use, and the rest closed */
    size_t in_at, in_len; /* with a pool: input copied and not yet taken */
    char *in;             /* NULL: inner's own bytes are used, which can outlive it */
    size_t at, len;       /* output not yet consumed */
    char out[];
};

static void filter_free(struct filter *f)
{
    f->codec->ops->free(f->codec);
    free(f->in);
    free(f);
}

static enum pull fail(struct filter *f, int error, off_t offset)
{
    f->source.error = error;
    f->source.error_offset = offset;
    return PULL_FAILED;
}

static void wake(struct filter *f)
{
    if (!f->source.waiting)
        return;
    f->source.waiting = false;
    f->source.ready(f->source.arg);
}

static void on_inner_ready(void *arg)
{
    wake(arg);
}

static enum pull wait(struct filter *f)
{
    f->source.waiting = true;
    return PULL_WAIT_DISK;
}

/* What the log says of the whole is what is said of its source. */
static void take_over(struct filter *f, const struct source *inner)
{
    f->source.wait_msec = inner->wait_msec;
    f->source.method = inner->method;
}

static enum pull pull_inner(struct filter *f, size_t want, struct chunk *c)
{
    struct source *inner = f->inner;
    if (f->in_ended)
        return PULL_END;
    enum pull p = inner->ops->pull(inner, want, c);
    take_over(f, inner);
    if (p == PULL_FAILED)
        return fail(f, inner->error, inner->error_offset);
    if (p == PULL_READY && !c->data)
        return fail(f, -EINVAL, c->offset);
    f->in_ended = p == PULL_END; /* it stays open: filter_totals() may still be asked */
    return p;
}

/* What a step came to. 0 or -errno. */
static int account(struct filter *f, const struct codec_step *s, int rc)
{
    if (rc < 0)
        return rc;
    f->taken += s->taken;
    f->made += s->made;
    f->len += s->made;
    f->ended = s->ended;
    return !s->ended && s->taken == 0 && s->made == 0 && s->last ? -ENODATA : 0; /* it would go on like that */
}

/* ---- light: from the inner source's memory into ours ---- */

/* PULL_READY: there is output, or the end. */
static enum pull run_here(struct filter *f)
{
    enum { LEAST = 64 };

    while (!f->ended && f->options.out_size - f->len >= LEAST) {
        struct chunk c = {.data = NULL};
        enum pull p = pull_inner(f, f->options.out_size, &c);
        if (p == PULL_WAIT_DISK)
            return f->len > 0 ? PULL_READY : wait(f);
        if (p == PULL_FAILED)
            return p;
        struct codec_step s = {.in = c.data,
                               .in_len = c.len,
                               .last = p == PULL_END,
                               .out = f->out + f->len,
                               .out_cap = f->options.out_size - f->len};
        int rc = account(f, &s, f->codec->ops->run(f->codec, &s));
        if (rc < 0)
            return fail(f, rc, (off_t)f->taken);
        if (s.taken > 0)
            f->inner->ops->consumed(f->inner, s.taken);
        else if (s.made == 0)
            break; /* wants more room */
    }
    return PULL_READY;
}

/* ---- heavy: on a thread ---- */

static void on_run(struct job *job)
{
    struct filter *f = container_of(job, struct filter, job);
    f->job_error = f->codec->ops->run(f->codec, &f->step);
}

static void finish_step(struct filter *f)
{
    f->job_error = account(f, &f->step, f->job_error);
    if (f->job_error == 0 && f->in)
        f->in_at += f->step.taken;
    else if (f->job_error == 0 && f->step.taken > 0)
        f->inner->ops->consumed(f->inner, f->step.taken);
    if (f->resting)
        source_rest(f->inner);
    f->resting = false;
}

static void on_done(struct job *job)
{
    struct filter *f = container_of(job, struct filter, job);

    f->running = false;
    if (f->orphan) {
        if (f->input)
            f->input->release(f->input);
        filter_free(f);
        return;
    }
    finish_step(f);
    wake(f);
}

/* PULL_READY: there is input, or its end. */
static enum pull fill(struct filter *f)
{
    if (f->in_at < f->in_len)
        return PULL_READY;
    f->in_at = f->in_len = 0;
    while (!f->in_ended && f->in_len < f->options.out_size) {
        struct chunk c;
        enum pull p = pull_inner(f, f->options.out_size - f->in_len, &c);
        if (p == PULL_FAILED)
            return p;
        if (p == PULL_WAIT_DISK)
            return f->in_len > 0 ? PULL_READY : wait(f);
        if (p == PULL_END)
            break;
        memcpy(f->in + f->in_len, c.data, c.len);
        f->in_len += c.len;
        f->inner->ops->consumed(f->inner, c.len);
    }
    return PULL_READY;
}

static enum pull copy_input(struct filter *f)
{
    enum pull p = fill(f);

    f->step.in = f->in + f->in_at;
    f->step.in_len = f->in_len - f->in_at;
    return p;
}

/* The same, where it lies. */
static enum pull find_input(struct filter *f)
{
    struct chunk c = {.data = NULL};
    enum pull p = pull_inner(f, f->options.out_size, &c);

    if (p == PULL_WAIT_DISK)
        return wait(f);
    if (p == PULL_FAILED)
        return p;
    f->step.in = c.data;
    f->step.in_len = c.len;
    return PULL_READY;
}

/* The end alone is little work for most codecs, which is not worth a trip. */
static bool is_trip(const struct filter *f)
{
    return f->step.in_len > 0 || !f->step.last || f->in || f->codec->works_at_end;
}

static enum pull run_there(struct filter *f)
{
    while (f->len == 0 && !f->ended) {
        if (f->running)
            return wait(f);
        if (f->job_error < 0)
            return fail(f, f->job_error, (off_t)f->taken);
        f->step = (struct codec_step){.out = f->out, .out_cap = f->options.out_size};
        enum pull p = f->in ? copy_input(f) : find_input(f);
        if (p != PULL_READY)
            return p;
        f->step.last = f->in_ended;
        f->running = is_trip(f) && pool_append(f->options.pool, &f->job) == 0;
        if (!f->running) { /* or there are no threads: better late than never */
            on_run(&f->job);
            finish_step(f);
        }
    }
    return PULL_READY;
}

/* ---- the source ---- */

static enum pull filter_pull(struct source *s, size_t want, struct chunk *out)
{
    struct filter *f = container_of(s, struct filter, source);

    if (f->at == f->len) {
        f->at = f->len = 0;
        enum pull p = f->options.pool ? run_there(f) : run_here(f);
        if (p != PULL_READY)
            return p;
        if (f->len == 0)
            return f->ended ? PULL_END : fail(f, -ENODATA, (off_t)f->taken);
    }
    size_t left = f->len - f->at;
    *out = (struct chunk){.data = f->out + f->at, .fd = -1, .len = want < left ? want : left};
    return PULL_READY;
}

static void filter_consumed(struct source *s, size_t n)
{
    container_of(s, struct filter, source)->at += n;
}

static void filter_close(struct source *s)
{
    struct filter *f = container_of(s, struct filter, source);

    if (f->running && !f->in && f->step.in_len > 0)
        f->input = f->inner->leave(f->inner);
    else
        source_close(f->inner);
    if (f->running)
        f->orphan = true;
    else
        filter_free(f);
}

static void on_release(struct held *h)
{
    filter_free(container_of(h, struct filter, held));
}

/* No job is on its way while there is output. */
static struct held *filter_leave(struct source *s)
{
    struct filter *f = container_of(s, struct filter, source);

    source_close(f->inner);
    f->held.release = on_release;
    return &f->held;
}

static void filter_rest(struct source *s)
{
    struct filter *f = container_of(s, struct filter, source);

    if (f->running && !f->in)
        f->resting = true;
    else
        source_rest(f->inner);
}

static const struct source_ops filter_ops = {
    .name = "filter", .pull = filter_pull, .consumed = filter_consumed, .close = filter_close, .rest = filter_rest};

int source_open_filter(struct source **out, struct source *inner, struct codec *codec, const struct filter_options *o)
{
    struct filter *f = malloc(sizeof *f + o->out_size);
    bool copies = o->pool && !inner->leave;
    char *in = copies ? malloc(o->out_size) : NULL;

    if (!f || (copies && !in)) {
        free(f);
        free(in);
        source_close(inner);
        codec->ops->free(codec);
        return -ENOMEM;
    }
    *f = (struct filter){
        .source =
            {.ops = &filter_ops, .leave = filter_leave, .method = inner->method, .ready = o->ready, .arg = o->arg},
        .inner = inner,
        .codec = codec,
        .options = *o,
        .job = {.run = on_run, .done = on_done},
        .in = in,
    };
    inner->ready = on_inner_ready;
    inner->arg = f;
    *out = &f->source;
    return 0;
}

void filter_totals(const struct source *s, uint64_t *taken, uint64_t *made, bool *ended)
{
    const struct filter *f = container_of(s, const struct filter, source);

    *taken = f->taken;
    *made = f->made;
    *ended = f->ended;
}
