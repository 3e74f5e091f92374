/* frames.h - the frames that come in, by their heads alone: what is incomplete, and what was moved.
 * Pure. RFC 9113, sections 4.1 and 6. */
#ifndef HTTP_H2_FRAMES_H
#define HTTP_H2_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed before the first byte behind the preface. */
struct frames {
    uint32_t left;         /* bytes of the content of the frame that is under way */
    unsigned char head[9]; /* of the next one, as far as it came: */
    unsigned char head_len;
    bool block;     /* a header block is open: CONTINUATION is to come */
    bool data;      /* the frame that is under way is DATA */
    bool misplaced; /* PRIORITY came for stream 0, which has none */
    uint64_t units; /* frames, where a header block with its CONTINUATION is one */
    uint64_t datas; /* frames of DATA */
    uint64_t idle;  /* those that asked for nothing and brought nothing */
};

/* The next bytes of the connection. */
void frames_add(struct frames *f, const char *bytes, size_t len);

/* A part of a frame, or of a header block, is still to come. */
static inline bool frames_are_partial(const struct frames *f)
{
    return f->left > 0 || f->head_len > 0 || f->block;
}

#endif
