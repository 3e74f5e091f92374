/* seen.h - which pages of files were found in the page cache lately: who sends them again need not ask again, whichever descriptor
 * it has. One per worker. */
#ifndef IO_SEEN_H
#define IO_SEEN_H

#include "file/file.h"

struct seen;

enum {
    SEEN_MSEC = 1000,      /* so long: what was asked for is not the first that the kernel throws out */
    SEEN_MOST = 256 * 1024 /* bytes: of longer parts nothing is remembered, which are asked about seldom */
};

struct seen *seen_create(void); /* NULL: no memory */
void seen_destroy(struct seen *s);

struct io;
struct seen *io_seen(struct io *io); /* made when first asked for; NULL: no memory */

/* Whether all of [offset, offset + len), len at most SEEN_MOST, was noted less than SEEN_MSEC ago. */
bool seen_lately(const struct seen *s, const struct file *f, off_t offset, size_t len);

/* The kernel says that all of it is there. */
void seen_note(struct seen *s, const struct file *f, off_t offset, size_t len);

#endif
