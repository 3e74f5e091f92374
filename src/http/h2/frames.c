/* frames.c - see frames.h. Called by session_receive.c, beside nghttp2. */
#include "http/h2/frames.h"

#include <string.h>

enum { DATA = 0, HEADERS = 1, PRIORITY = 2, CONTINUATION = 9, END_STREAM = 1, END_HEADERS = 4 };

/* A head is complete. */
static void begin(struct frames *f)
{
    const unsigned char *h = f->head;
    unsigned type = h[3], flags = h[4];

    f->left = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
    f->head_len = 0;
    f->data = type == DATA;
    f->datas += f->data;
    f->misplaced |= type == PRIORITY && !((h[5] & 0x7f) | h[6] | h[7] | h[8]);
    f->units += type != CONTINUATION;
    if (type == HEADERS || type == CONTINUATION)
        f->block = !(flags & END_HEADERS);
    if ((type != HEADERS && type != DATA) || (type == DATA && f->left == 0 && !(flags & END_STREAM)))
        f->idle++;
}

void frames_add(struct frames *f, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t take = f->left < len ? f->left : len;
        f->left -= (uint32_t)take;
        bytes += take;
        len -= take;
        size_t want = sizeof f->head - f->head_len, n = want < len ? want : len;
        if (n == 0)
            break;
        memcpy(f->head + f->head_len, bytes, n);
        f->head_len = (unsigned char)(f->head_len + n);
        bytes += n;
        len -= n;
        if (f->head_len == sizeof f->head)
            begin(f);
    }
}
