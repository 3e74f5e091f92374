/* test_filter.c - sources around sources: gzip there and back, in the loop and on threads, chunks,
 * and what happens when things go wrong. */
#include "io/filter.h"

#include "base/list.h"
#include "drain.h"
#include "file/open.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 700 * 1000 + 1 };

static struct rig rig;

static void setup(void)
{
    rig_open(&rig, AIO_THREADS, 3, 64 * 1024, 8 << 20);
}

static void teardown(void)
{
    rig_close(&rig);
}

/* Takes a source to its end, `want` bytes at a time, giving it half of each chunk back. */
struct taker {
    struct source *source;
    struct deferred next;
    size_t want;
    char *bytes;
    size_t len, cap;
    enum pull last;
    unsigned waits;
};

static void take(void *arg)
{
    struct taker *t = arg;
    struct chunk c;

    while ((t->last = t->source->ops->pull(t->source, t->want, &c)) == PULL_READY) {
        size_t n = c.len > 1 ? c.len / 2 : 1;
        ck_assert_ptr_nonnull(c.data);
        ck_assert_uint_le(c.len, t->want);
        if (t->len + n > t->cap)
            t->bytes = realloc(t->bytes, t->cap = (t->len + n) * 2);
        memcpy(t->bytes + t->len, c.data, n);
        t->len += n;
        t->source->ops->consumed(t->source, n);
    }
    if (t->last == PULL_WAIT_DISK)
        t->waits++;
    else
        loop_stop(rig.loop);
}

static struct source *filter(struct taker *t, struct source *inner, struct codec *codec, bool heavy, size_t size)
{
    const struct filter_options o = {
        .pool = heavy ? io_pool(rig.io, TEXT_NONE) : NULL, .out_size = size, .ready = take, .arg = t};
    struct source *s;
    ck_assert_int_eq(source_open_filter(&s, inner, codec, &o), 0);
    return s;
}

static struct source *of_text(struct text t)
{
    struct source *s;
    ck_assert_int_eq(source_open_bytes(&s, t), 0);
    return s;
}

static struct codec *deflater(int level)
{
    const struct deflate_options o = {level, 15, 8};
    struct codec *c;
    ck_assert_int_eq(codec_deflate(&c, &o), 0);
    return c;
}

static struct codec *inflater(void)
{
    struct codec *c;
    ck_assert_int_eq(codec_inflate(&c), 0);
    return c;
}

static void drain_it(struct taker *t, struct source *s, size_t want)
{
    t->source = s;
    t->want = want;
    deferred_init(&t->next, take, t);
    loop_defer(rig.loop, &t->next);
    rig_run(&rig);
}

static void done(struct taker *t)
{
    source_close(t->source);
    free(t->bytes);
}

static struct file *file_of(const char *name, off_t size)
{
    char path[4300];
    struct file *f;

    snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
    unit_write_pattern(path, size);
    ck_assert_int_eq(file_open(&f, path, NULL), 0);
    return f;
}

/* A file read asynchronously, packed and unpacked again: every step waits for another thread. */
START_TEST(there_and_back)
{
    static const size_t sizes[] = {4096, 100 * 1000, 1 << 20};
    struct taker t = {.len = 0};
    struct file *f = file_of("pattern", SIZE);
    struct source_request r = {.io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = take, .arg = &t};
    struct source *s, *packed;
    uint64_t taken, made;
    bool ended, heavy = _i % 2;

    ck_assert_int_eq(source_open(&s, IO_BUFFERED, &r), 0);
    packed = filter(&t, s, deflater(1), heavy, sizes[_i / 2]);
    s = filter(&t, packed, inflater(), heavy, sizes[2 - _i / 2]);
    ck_assert_int_eq(s->method, IO_BUFFERED);
    drain_it(&t, s, 77777);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_uint_eq(t.len, SIZE);
    assert_pattern(t.bytes, SIZE, 0);
    filter_totals(s, &taken, &made, &ended);
    ck_assert(ended);
    ck_assert_uint_eq(made, SIZE);
    ck_assert_uint_gt(taken, 0);
    if (heavy)
        ck_assert_uint_gt(t.waits, 0);
    done(&t);
    file_release(f);
}
END_TEST

START_TEST(empty_body)
{
    struct taker t = {.len = 0};
    drain_it(&t, filter(&t, filter(&t, of_text(TEXT("")), deflater(9), _i, 4096), inflater(), _i, 4096), 100);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_uint_eq(t.len, 0);
    done(&t);
}
END_TEST

/* The client goes away while a step runs: the thread's memory stays until it is done, and all of it
 * goes then (the sanitizers see). */
START_TEST(closed_in_a_step)
{
    char *text = calloc(1, SIZE);
    struct taker t = {.len = 0};
    struct source *s = filter(&t, of_text((struct text){text, SIZE}), deflater(9), true, 1 << 20);
    struct chunk c;

    ck_assert_int_eq(s->ops->pull(s, 4096, &c), PULL_WAIT_DISK);
    source_close(s);
    free(text); /* the step has a copy */
}
END_TEST

/* The same where the step reads the source's own bytes: of a kept file, of a window, of another
 * filter. */
START_TEST(closed_in_a_step_without_copy)
{
    static const enum io_method methods[] = {IO_MEMORY, IO_BUFFERED, IO_BUFFERED};
    struct taker t = {.len = 0};
    struct file *f = file_of("pattern", SIZE);
    struct source_request r = {.io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = take, .arg = &t};
    struct source *s;
    struct chunk c;

    f->content = malloc(SIZE); /* as the cache keeps it; freed with the file */
    ck_assert_int_eq(pread(f->fd, f->content, SIZE, 0), SIZE);
    ck_assert_int_eq(source_open(&s, methods[_i], &r), 0);
    file_release(f);
    if (_i == 2)
        s = filter(&t, s, deflater(1), false, 1 << 20);
    ck_assert_ptr_nonnull(s->leave);
    s = filter(&t, s, deflater(9), true, 1 << 20);
    ck_assert_int_eq(s->ops->pull(s, 4096, &c), PULL_WAIT_DISK);
    source_rest(s); /* the step goes on with its bytes */
    source_close(s);
}
END_TEST

START_TEST(broken_input)
{
    static const char cut[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b";
    static const char bad[] = "not gzip at all";
    struct text inputs[] = {{cut, sizeof cut - 1}, {bad, sizeof bad - 1}, {cut, 3}, {"", 0}};
    struct taker t = {.len = 0};

    drain_it(&t, filter(&t, of_text(inputs[_i / 2]), inflater(), _i % 2, 4096), 100);
    ck_assert_int_eq(t.last, PULL_FAILED);
    ck_assert_int_lt(t.source->error, 0);
    done(&t);
}
END_TEST

/* RFC 1952, 2.2: members one after another are one file. */
START_TEST(two_members)
{
    static const unsigned char member[] = {0x1f, 0x8b, 8,    0,    0,    0,    0, 0, 0, 3, 0x4b,
                                           4,    0,    0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0};
    char both[2 * sizeof member];
    struct taker t = {.len = 0};

    memcpy(both, member, sizeof member);
    memcpy(both + sizeof member, member, sizeof member);
    drain_it(&t, filter(&t, of_text((struct text){both, sizeof both}), inflater(), _i, 4096), 100);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_uint_eq(t.len, 2);
    ck_assert_int_eq(memcmp(t.bytes, "aa", 2), 0);
    done(&t);
}
END_TEST

/* ---- contexts that are kept ---- */

static struct codec *kept_deflater(struct codec_spares *spares, int level)
{
    const struct deflate_options o = {level, 15, 8};
    struct codec *c;
    ck_assert_int_eq(codec_deflate_kept(&c, &o, spares), 0);
    return c;
}

static struct codec *kept_inflater(struct codec_spares *spares)
{
    struct codec *c;
    ck_assert_int_eq(codec_inflate_kept(&c, spares), 0);
    return c;
}

static void there_and_back_kept(struct codec_spares *spares, struct text text, bool heavy)
{
    struct taker t = {.len = 0};
    struct source *packed = filter(&t, of_text(text), kept_deflater(spares, 6), heavy, 4096);

    drain_it(&t, filter(&t, packed, kept_inflater(spares), heavy, 4096), 1000);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_uint_eq(t.len, text.len);
    ck_assert_int_eq(memcmp(t.bytes, text.at, text.len), 0);
    done(&t);
}

static void close_early(struct source *s)
{
    struct chunk c;

    (void)s->ops->pull(s, 4096, &c);
    source_close(s);
}

/* A context serves again, whatever it did before: to its end, broken off in the middle, given
 * broken input. */
START_TEST(kept_again)
{
    static char noise[100 * 1000];
    struct text bad = TEXT("not gzip at all"), text = {noise, sizeof noise};
    struct codec_spares *spares;
    struct taker t = {.len = 0};

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * i >> 7);
    ck_assert_int_eq(codec_spares_create(&spares, rig.loop, 60 * 1000), 0);
    there_and_back_kept(spares, text, _i);
    ck_assert_uint_eq(codec_spares_count(spares), 2);
    there_and_back_kept(spares, text, _i);
    ck_assert_uint_eq(codec_spares_count(spares), 2);

    close_early(filter(&t, of_text(text), kept_deflater(spares, 6), false, 4096));
    close_early(filter(&t, of_text(bad), kept_inflater(spares), false, 4096));
    ck_assert_uint_eq(codec_spares_count(spares), 2);
    there_and_back_kept(spares, text, _i);
    ck_assert_uint_eq(codec_spares_count(spares), 2);
    codec_spares_destroy(spares);
}
END_TEST

/* Other options take another context. No more than a few are kept. */
START_TEST(kept_few)
{
    struct codec_spares *spares;
    struct codec *c[CODEC_SPARES_MOST + 5];
    enum { COUNT = sizeof c / sizeof *c };

    ck_assert_int_eq(codec_spares_create(&spares, rig.loop, 60 * 1000), 0);
    c[0] = kept_deflater(spares, 1);
    c[0]->ops->free(c[0]);
    c[0] = kept_deflater(spares, 2);
    ck_assert_uint_eq(codec_spares_count(spares), 1);
    c[1] = kept_deflater(spares, 1);
    ck_assert_uint_eq(codec_spares_count(spares), 0);
    for (int i = 2; i < COUNT; i++)
        c[i] = kept_deflater(spares, 1);
    for (int i = 0; i < COUNT; i++)
        c[i]->ops->free(c[i]);
    ck_assert_uint_eq(codec_spares_count(spares), CODEC_SPARES_MOST);
    codec_spares_destroy(spares);
}
END_TEST

struct idle_watch {
    struct codec_spares *spares;
    struct timer *timer;
};

static void look_again(void *arg)
{
    struct idle_watch *w = arg;

    if (codec_spares_count(w->spares) == 0)
        loop_stop(rig.loop);
    else
        timer_set(w->timer, 5);
}

/* What nobody uses any more goes back to the heap. */
START_TEST(kept_until_idle)
{
    struct idle_watch w;
    struct codec *c;

    ck_assert_int_eq(codec_spares_create(&w.spares, rig.loop, 20), 0);
    for (int level = 1; level < 4; level++) {
        c = kept_deflater(w.spares, level);
        c->ops->free(c);
    }
    ck_assert_uint_eq(codec_spares_count(w.spares), 3);
    w.timer = loop_timer(rig.loop, look_again, &w);
    timer_set(w.timer, 5);
    loop_run(rig.loop);
    ck_assert_uint_eq(codec_spares_count(w.spares), 0);
    timer_destroy(w.timer);
    codec_spares_destroy(w.spares);
}
END_TEST

/* ---- where steps run ---- */

struct lazy {
    struct codec codec;
    pthread_t ended_by;
    size_t taken;
};

/* Takes all, and makes one byte at the end. */
static int lazy_run(struct codec *c, struct codec_step *s)
{
    struct lazy *l = container_of(c, struct lazy, codec);

    s->taken = s->in_len;
    l->taken += s->in_len;
    if (!s->last)
        return 0;
    l->ended_by = pthread_self();
    s->out[0] = '.';
    s->made = 1;
    s->ended = true;
    return 0;
}

static void lazy_free(struct codec *c)
{
    (void)c;
}

/* A codec that works when the end comes does so on a thread, although no input comes with it. */
START_TEST(end_is_work)
{
    static const struct codec_ops ops = {lazy_run, lazy_free};
    struct lazy lazy = {.codec = {.ops = &ops, .works_at_end = _i}};
    struct taker t = {.len = 0};
    struct file *f = file_of("pattern", SIZE);
    struct source_request r = {.io = rig.io, .conf = &rig.conf, .file = f, .len = SIZE, .ready = take, .arg = &t};
    struct source *s;

    f->content = malloc(SIZE); /* freed with the file */
    ck_assert_int_eq(pread(f->fd, f->content, SIZE, 0), SIZE);
    ck_assert_int_eq(source_open(&s, IO_MEMORY, &r), 0);
    drain_it(&t, filter(&t, s, &lazy.codec, true, 4096), 100);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_uint_eq(t.len, 1);
    ck_assert_uint_eq(lazy.taken, SIZE);
    ck_assert_int_eq(pthread_equal(lazy.ended_by, pthread_self()) == 0, _i);
    done(&t);
    file_release(f);
}
END_TEST

/* ---- chunks ---- */

static struct text trailer(void *arg)
{
    return *(struct text *)arg;
}

static struct source *chunks_of(struct taker *t, struct text body, struct text *tail, size_t size)
{
    struct codec *c;
    ck_assert_int_eq(codec_chunked(&c, tail ? trailer : NULL, tail), 0);
    return filter(t, of_text(body), c, false, size);
}

static void expect_chunks(struct text body, struct text *tail, const char *expected)
{
    struct taker t = {.len = 0};
    drain_it(&t, chunks_of(&t, body, tail, 4096), 4096);
    ck_assert_int_eq(t.last, PULL_END);
    ck_assert_msg(t.len == strlen(expected) && memcmp(t.bytes, expected, t.len) == 0, "%.*s", (int)t.len, t.bytes);
    done(&t);
}

START_TEST(chunk_framing)
{
    struct text tail = TEXT("X-A: 1\r\nX-B: 2\r\n");
    struct taker t = {.len = 0};
    struct chunk c;

    expect_chunks(TEXT("hello"), NULL, "5\r\nhello\r\n0\r\n\r\n");
    expect_chunks(TEXT(""), NULL, "0\r\n\r\n");
    expect_chunks(TEXT("0123456789abcdef!"), &tail, "11\r\n0123456789abcdef!\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n");

    struct source *s = chunks_of(&t, TEXT("hello"), NULL, 4096); /* a short body is one piece with its end */
    ck_assert_int_eq(s->ops->pull(s, 4096, &c), PULL_READY);
    ck_assert_uint_eq(c.len, strlen("5\r\nhello\r\n0\r\n\r\n"));
    source_close(s);
}
END_TEST

/* Trailers larger than the buffer, and a body of many chunks. */
START_TEST(chunks_of_much)
{
    enum { LONG = 10000 };
    char *x = malloc(LONG);
    memset(x, 'x', LONG);
    struct text tail = {x, LONG};
    struct taker t = {.len = 0};

    drain_it(&t, chunks_of(&t, tail, &tail, 256), 100);
    ck_assert_int_eq(t.last, PULL_END);
    size_t at = 0, body = 0;
    for (;;) {
        char *end;
        size_t n = strtoul(t.bytes + at, &end, 16);
        at = (size_t)(end - t.bytes) + 2;
        if (n == 0)
            break;
        body += n;
        at += n;
        ck_assert_int_eq(memcmp(t.bytes + at, "\r\n", 2), 0);
        at += 2;
    }
    ck_assert_uint_eq(body, LONG);
    ck_assert_uint_eq(t.len - at, LONG + 2);
    done(&t);
    free(x);
}
END_TEST

Suite *suite_io_filter(void);

Suite *suite_io_filter(void)
{
    Suite *s = suite_create("io/filter");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    if (codec_has_zlib) {
        tcase_add_loop_test(t, there_and_back, 0, 6);
        tcase_add_loop_test(t, empty_body, 0, 2);
        tcase_add_test(t, closed_in_a_step);
        tcase_add_loop_test(t, closed_in_a_step_without_copy, 0, 3);
        tcase_add_loop_test(t, broken_input, 0, 8);
        tcase_add_loop_test(t, two_members, 0, 2);
        tcase_add_loop_test(t, kept_again, 0, 2);
        tcase_add_test(t, kept_few);
        tcase_add_test(t, kept_until_idle);
    }
    tcase_add_loop_test(t, end_is_work, 0, 2);
    tcase_add_test(t, chunk_framing);
    tcase_add_test(t, chunks_of_much);
    suite_add_tcase(s, t);
    return s;
}
