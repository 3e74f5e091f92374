/* source_buffered.c - a file through the page cache into memory: where sendfile is off, cannot be
 * taken, or O_DIRECT is refused. */
#include "windows.h"

static const struct source_ops buffered_ops = {.name = "buffered",
                                               .pull = windows_pull,
                                               .consumed = windows_consumed,
                                               .close = windows_close,
                                               .rest = windows_rest,
                                               .copy = windows_copy,
                                               .read = windows_read,
                                               .forget = windows_forget};

int source_buffered_open(struct source **out, const struct source_request *r, bool uncached)
{
    const struct windows_options options = {.ops = &buffered_ops, .method = IO_BUFFERED, .uncached = uncached};
    return windows_open(out, r, &options);
}
