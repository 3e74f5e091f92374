/* align.c - the aligned window around a byte range. Pure; called by windows.c. */
#include "io/align.h"

struct window align_window(off_t at, off_t end, size_t size, size_t align)
{
    uint64_t mask = (uint64_t)align - 1;
    uint64_t from = (uint64_t)at & ~mask;
    uint64_t wanted = (uint64_t)end - from; /* at least 1 */
    uint64_t len = wanted > size ? size : (wanted + mask) & ~mask;

    if (len > size)
        len = size;
    struct window w = {.offset = (off_t)from, .len = (size_t)len, .skip = (size_t)((uint64_t)at - from)};
    uint64_t reach = from + len < (uint64_t)end ? from + len : (uint64_t)end;
    w.keep = (size_t)(reach - (uint64_t)at);
    return w;
}
