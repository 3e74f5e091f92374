/* io_private.h - numbers that the rows (io_conf.c) and the worker's side (io.c) share. */
#ifndef IO_IO_PRIVATE_H
#define IO_IO_PRIVATE_H

#include "base/text.h"

#define IO_DEFAULT_POOL TEXT("default")
/* One cold 1 GiB stream to a loopback client on the other CPU, medians of five, MB/s and server CPU
 * seconds per GiB: 4 256k 676 and 0.49; 4 512k 736 and 0.40; 4 1m 1093 and 0.33; 2 2m 1323 and
 * 0.31; 4 2m 1397 and 0.32. 2 MiB is one huge page, i.e. one segment for the block layer. */
#define IO_OUTPUT_BUFFERS "4 2m"

enum {
    IO_DEFAULT_THREADS = 32, /* nginx's */
    IO_DEFAULT_QUEUE = 65536,
    IO_THREADS_MOST = 1024,
    IO_BUFFERS_MOST = 1024,
    IO_BUFFER_SIZE_MOST = 1 << 30,         /* a read of the kernel is at most 2 GiB less a page */
    DIRECTIO_AUTO_LEAST = 4 * 1024 * 1024, /* below, a page cache full of whatever came last does little harm */
    IO_MEMORY_LEAST = 4 * 1024 * 1024      /* room for the default output_buffers */
};

#endif
