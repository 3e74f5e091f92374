/* source_direct.c - a large file past the page cache: O_DIRECT reads in aligned windows, several
 * ahead of the client (windows.c). */
#include "windows.h"

static const struct source_ops direct_ops = {.name = "direct",
                                             .pull = windows_pull,
                                             .consumed = windows_consumed,
                                             .close = windows_close,
                                             .rest = windows_rest,
                                             .forget = windows_forget};

/* file_direct() succeeded. */
int source_direct_open(struct source **out, const struct source_request *r)
{
    const struct windows_options options = {.ops = &direct_ops, .method = IO_DIRECT, .direct = true};
    return windows_open(out, r, &options);
}
