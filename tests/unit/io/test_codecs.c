/* test_codecs.c - Brotli and Zstandard there and back, in steps of any size; what is broken, cut, or
 * wants too much; memory that serves the next one. */
#include "io/filter.h"

#include "net/loop.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 700 * 1000 + 1, UNKNOWN = -1 };

static char *noise; /* SIZE bytes that compress somewhat */
static struct loop *loop;
static struct codec_spares *spares;

static void setup(void)
{
    noise = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        noise[i] = (char)(i * i >> 7 & 0x3f);
    ck_assert_int_eq(loop_create(&loop), 0);
    ck_assert_int_eq(codec_spares_create(&spares, loop, 60 * 1000), 0);
}

static void teardown(void)
{
    codec_spares_destroy(spares);
    loop_destroy(loop);
    free(noise);
}

/* The two codings, by one interface. */
enum { BR, ZSTD, KINDS };

static struct codec *encoder(int kind, int level, int64_t size)
{
    const struct brotli_options b = {.quality = level, .window_bits = 19, .size = (uint64_t)size};
    const struct zstd_options z = {.level = level, .size = (uint64_t)size};
    struct codec *c;

    ck_assert_int_eq(kind == BR ? codec_brotli(&c, &b, spares) : codec_zstd(&c, &z, spares), 0);
    return c;
}

static struct codec *decoder(int kind)
{
    struct codec *c;

    ck_assert_int_eq(kind == BR ? codec_unbrotli(&c, spares) : codec_unzstd(&c, spares), 0);
    return c;
}

struct made {
    char *at;
    size_t len;
    int rc;
    bool ended;
};

/* All of `in` through the codec, which goes; the end comes alone where `alone`. */
static struct made pump(struct codec *c, struct text in, size_t in_step, size_t out_step, bool alone)
{
    struct made m = {.at = malloc(out_step)};
    size_t cap = out_step;

    for (;;) {
        size_t n = in.len < in_step ? in.len : in_step;
        if (m.len + out_step > cap)
            m.at = realloc(m.at, cap = 2 * cap + out_step);
        struct codec_step s = {.in = in.at, .in_len = n, .out = m.at + m.len, .out_cap = out_step};
        s.last = n == in.len && !(alone && n > 0);
        m.rc = c->ops->run(c, &s);
        if (m.rc < 0)
            break;
        ck_assert_uint_le(s.taken, n);
        ck_assert_uint_le(s.made, out_step);
        in = text_from(in, s.taken);
        m.len += s.made;
        m.ended = s.ended;
        if (s.ended || (s.last && s.taken == 0 && s.made == 0))
            break;
    }
    c->ops->free(c);
    return m;
}

static struct text text_made(const struct made *m)
{
    return (struct text){m->at, m->len};
}

static void there_and_back(int kind, int level, struct text text, int64_t told, size_t in_step, size_t out_step)
{
    struct made packed = pump(encoder(kind, level, told), text, in_step, out_step, level % 2);
    struct made plain = pump(decoder(kind), text_made(&packed), out_step, in_step, level % 2 == 0);

    ck_assert_int_eq(packed.rc, 0);
    ck_assert(packed.ended);
    ck_assert_int_eq(plain.rc, 0);
    ck_assert(plain.ended);
    ck_assert_uint_eq(plain.len, text.len);
    ck_assert(text.len == 0 || memcmp(plain.at, text.at, text.len) == 0);
    ck_assert(text.len < 1000 || packed.len < text.len);
    free(packed.at);
    free(plain.at);
}

static bool is_here(int kind)
{
    return kind == BR ? codec_has_brotli : codec_has_zstd;
}

START_TEST(every_level)
{
    int kind = _i, least = kind == BR ? 0 : -3, most = kind == BR ? 11 : codec_zstd_level_most();

    if (!is_here(kind))
        return;
    for (int level = least; level <= most; level++)
        there_and_back(kind, level, (struct text){noise, 50 * 1000}, level % 3 ? 50 * 1000 : UNKNOWN, 4096, 1000);
}
END_TEST

START_TEST(any_steps)
{
    static const size_t steps[] = {1000, 4096, 128 * 1024, 1 << 20};
    enum { STEPS = sizeof steps / sizeof *steps };

    if (!is_here(_i))
        return;
    for (int i = 0; i < STEPS * STEPS; i++)
        there_and_back(_i, 1 + i % 2, (struct text){noise, SIZE}, i % 2 ? SIZE : UNKNOWN, steps[i / STEPS],
                       steps[i % STEPS]);
    there_and_back(_i, 5, (struct text){noise, 3000}, UNKNOWN, 1, 1);
    there_and_back(_i, 5, TEXT(""), 0, 10, 10);
    there_and_back(_i, 4, TEXT("a"), UNKNOWN, 10, 10);
}
END_TEST

/* Steps never make more than they may, however small what they come from. */
START_TEST(grows_in_steps)
{
    enum { ZEROS = 20 << 20 };
    char *zeros = calloc(1, ZEROS);

    if (is_here(_i))
        there_and_back(_i, 3, (struct text){zeros, ZEROS}, ZEROS, 4096, 4096);
    free(zeros);
}
END_TEST

static void expect_broken(int kind, struct text in)
{
    for (int i = 0; i < 4; i++) {
        struct made m = pump(decoder(kind), in, i % 2 ? 1 : 4096, 512, i / 2);
        ck_assert_int_eq(m.rc, -EBADMSG);
        free(m.at);
    }
}

START_TEST(broken)
{
    if (!is_here(_i))
        return;
    struct made packed = pump(encoder(_i, 3, UNKNOWN), (struct text){noise, 3000}, 3000, 4096, false);

    expect_broken(_i, TEXT("\xff\xff\xff\xff not compressed at all"));
    expect_broken(_i, TEXT(""));
    for (size_t len = 1; len < packed.len; len += 1 + packed.len / 50)
        expect_broken(_i, (struct text){packed.at, len});
    packed.at = realloc(packed.at, packed.len + 4);
    memcpy(packed.at + packed.len, "\xff\xff\xff\xff", 4);
    expect_broken(_i, (struct text){packed.at, packed.len + 4});
    free(packed.at);
}
END_TEST

/* RFC 8878, 3: frames one after another, and some to be skipped, are one content. */
START_TEST(zstd_frames)
{
    static const char skipped[] = "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz";
    char all[200];
    size_t len = 0;

    for (int i = 0; i < 2; i++) {
        struct made one = pump(encoder(ZSTD, 1, 3), TEXT("abc"), 3, 100, false);
        memcpy(all + len, one.at, one.len);
        len += one.len;
        memcpy(all + len, skipped, sizeof skipped - 1);
        len += sizeof skipped - 1;
        free(one.at);
    }
    struct made m = pump(decoder(ZSTD), (struct text){all, len}, 5, 100, true);
    ck_assert_int_eq(m.rc, 0);
    ck_assert(m.ended);
    ck_assert(text_equal(text_made(&m), TEXT("abcabc")));
    free(m.at);
}
END_TEST

/* A window of 128 MiB is not for HTTP: RFC 9659. */
START_TEST(zstd_window)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00";
    static const char small[] = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00"; /* 8 MiB */

    expect_broken(ZSTD, (struct text){frame, sizeof frame - 1});
    struct made m = pump(decoder(ZSTD), (struct text){small, sizeof small - 1}, 100, 100, false);
    ck_assert_int_eq(m.rc, 0);
    ck_assert(m.ended);
    free(m.at);
}
END_TEST

/* The head of a frame says how much there is. */
START_TEST(zstd_promise)
{
    struct made m = pump(encoder(ZSTD, 1, 100), (struct text){noise, 99}, 99, 4096, true);

    ck_assert_int_lt(m.rc, 0);
    free(m.at);
}
END_TEST

/* What is kept serves again, whatever it did before. */
START_TEST(kept_again)
{
    if (!is_here(_i))
        return;
    for (int i = 0; i < 3; i++) {
        there_and_back(_i, 5, (struct text){noise, 20 * 1000}, 20 * 1000, 4096, 4096);
        ck_assert_uint_eq(codec_spares_count(spares), 2);
        struct codec *broken_off = encoder(_i, 5, 20 * 1000 + 1);
        struct codec_step s = {.in = noise, .in_len = 20 * 1000, .out = (char[100]){0}, .out_cap = 100};
        ck_assert_int_eq(broken_off->ops->run(broken_off, &s), 0);
        broken_off->ops->free(broken_off);
        expect_broken(_i, TEXT("\xff\xff\xff\xff not compressed at all"));
        ck_assert_uint_eq(codec_spares_count(spares), 2);
    }
}
END_TEST

/* What takes much memory goes back to the kernel. */
START_TEST(large_go)
{
    struct made m = pump(encoder(ZSTD, 19, UNKNOWN), (struct text){noise, SIZE}, SIZE, 4096, true);

    ck_assert_int_eq(m.rc, 0);
    ck_assert_uint_eq(codec_spares_count(spares), 0);
    free(m.at);
}
END_TEST

Suite *suite_io_codecs(void);

Suite *suite_io_codecs(void)
{
    Suite *s = suite_create("io/codecs");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_level, 0, KINDS);
    tcase_add_loop_test(t, any_steps, 0, KINDS);
    tcase_add_loop_test(t, grows_in_steps, 0, KINDS);
    tcase_add_loop_test(t, broken, 0, KINDS);
    tcase_add_loop_test(t, kept_again, 0, KINDS);
    if (codec_has_zstd) {
        tcase_add_test(t, zstd_frames);
        tcase_add_test(t, zstd_window);
        tcase_add_test(t, zstd_promise);
        tcase_add_test(t, large_go);
    }
    suite_add_tcase(s, t);
    return s;
}
