/* fuzz.h - what the fuzz targets share: the entry, input taken apart, copies that show a byte read
 * too far, checks.
 *
 * A target is tests/fuzz/fuzz_<name>.c with LLVMFuzzerTestOneInput(). `make fuzz` links it with
 * libFuzzer; `make fuzz-smoke` links it with replay.c, which any compiler builds, and runs it over
 * tests/fuzz/corpus/<name>/. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold is a finding, like a crash. */
#define FUZZ_CHECK(condition, ...)                                                                                     \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            fprintf(stderr, "  " __VA_ARGS__);                                                                         \
            fputc('\n', stderr);                                                                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The input, taken from the front. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* 0 at the end. */
static inline unsigned fuzz_byte(struct fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

/* Up to the next newline, which is taken off too; absent at the end. */
static inline struct text fuzz_line(struct fuzz_input *in)
{
    struct text line = {(const char *)in->at, in->left};

    if (in->left == 0)
        return TEXT_NONE;
    line.len = text_find(line, '\n');
    size_t taken = line.len < in->left ? line.len + 1 : line.len;
    in->at += taken;
    in->left -= taken;
    return line;
}

/* A copy on the heap with nothing behind it: the address sanitizer sees a byte read too far. The
 * caller frees it. */
static inline char *fuzz_copy(const void *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    if (!copy)
        abort();
    *copy = 0;
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* `t` lies within `bytes`, or is absent. */
static inline void fuzz_inside(struct text t, const char *bytes, size_t len)
{
    FUZZ_CHECK(!t.at || (t.at >= bytes && t.at <= bytes + len && t.len <= (size_t)(bytes + len - t.at)),
               "a span points outside of what was parsed");
}

#endif
