/* windows.h - reads ahead of the client through the disk reader, in windows: what source_direct.c
 * and source_buffered.c are made of. */
#ifndef IO_WINDOWS_H
#define IO_WINDOWS_H

#include "source_private.h"

struct windows_options {
    const struct source_ops *ops; /* with the functions below */
    enum io_method method;
    bool direct;   /* by file->direct_fd, aligned; where that is refused after all, on as buffered */
    bool uncached; /* buffered, leaving nothing in the page cache where the kernel can */
};

int windows_open(struct source **out, const struct source_request *r, const struct windows_options *options);
enum pull windows_pull(struct source *s, size_t want, struct chunk *out);
void windows_consumed(struct source *s, size_t n);
void windows_close(struct source *s);
void windows_rest(struct source *s);
void windows_forget(struct source *s);
size_t windows_copy(struct source *s, char *to, size_t room, bool *ended);
size_t windows_read(struct source *s, char *to, size_t room);

#endif
