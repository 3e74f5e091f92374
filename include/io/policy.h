/* policy.h - which way the bytes of one response move: a pure function of what the file is and what
 * was configured. https://nginx.org/en/docs/http/ngx_http_core_module.html#sendfile, #directio,
 * #aio */
#ifndef IO_POLICY_H
#define IO_POLICY_H

#include "conf/directive.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum io_method {
    IO_AUTO,     /* configuration only */
    IO_NONE,     /* no file body: HEAD, 304, error pages; logged as "-" */
    IO_MEMORY,   /* content kept in the cache entry */
    IO_SENDFILE, /* page cache -> socket, no copy in user space; source_pagecache */
    IO_MMAP,
    IO_BUFFERED, /* read through the page cache, write */
    IO_DIRECT,   /* asynchronous O_DIRECT reads */
    IO_METHODS
};

const char *io_method_name(enum io_method m); /* "auto", "-", "memory", "sendfile", "mmap", "buffered", "direct" */

enum aio_mode { AIO_OFF, AIO_ON, AIO_THREADS, AIO_URING, AIO_LIBAIO };

struct io_conf {
    bool sendfile;
    int64_t sendfile_max_chunk; /* bytes per turn, 0: no limit */
    struct aio_conf {
        int mode;         /* enum aio_mode */
        struct text pool; /* threads=NAME; absent: "default" */
        const char *file; /* where it was set, for errors found later */
        unsigned line;
    } aio;
    int64_t directio;           /* threshold in bytes, -1: off */
    bool directio_auto;         /* of the same directive: what is as large may stay in the page cache all the same */
    int64_t directio_alignment; /* bytes, power of two */
    struct conf_bufs output_buffers;
    int64_t read_ahead;
    int64_t postpone_output;
    int method; /* io_method: enum io_method, IO_AUTO by default */
};

extern struct conf_module io_module;

struct io_main_conf {        /* main context */
    int64_t directio_memory; /* cap of the direct buffers of a worker, bytes */
    bool memory_auto;        /* it follows from the memory that there is */
    struct list pools;       /* struct thread_pool_conf */
    unsigned readers;        /* bits of enum aio_mode: those that some location may read a disk by */
    unsigned needed;         /* and that read what the configuration asks to be read so, not only cold small files */
};

struct thread_pool_conf {
    struct list node;
    struct text name;
    int64_t threads, max_queue;
};

extern struct conf_module io_main_module; /* thread_pool, directio_memory */

/* Of no more bytes than this, reading them behind the head, and sending both at once, costs less
 * than asking whether they are in memory, and sending head and file on their own: measured, 12 KiB
 * cost about the same; docs/performance.md. */
enum { POLICY_LITTLE = 8 * 1024 };

struct policy_facts {
    off_t file_size;
    uint64_t bytes;         /* of it that are asked for, in one piece */
    bool content_in_memory; /* the cache entry has the whole content */
    bool sink_takes_files;  /* the transport has sendfile, and the framing permits a slice of a file */
    bool direct_refused;    /* this filesystem refused O_DIRECT before */
    const struct io_conf *conf;

    /* Looked up only where policy_asks_demand() says so. */
    int resident_permille; /* of the part asked for, in the page cache; below 0: cannot be told */
    uint32_t demand;       /* for the file lately, in thousandths of its size */
    bool fits;             /* it has a place in what memory has room for: io/admission.h */
};

/* Whether the last three facts decide: directio auto, and a file as large as that says. The others
 * need not be set. */
bool policy_asks_demand(const struct io_conf *conf, off_t file_size);

/* directio auto takes this file of size into the page cache, or leaves it there. */
bool policy_admits(const struct policy_facts *facts);

/* Up to which size, at most `most`, any part of a file whose content is in memory is sent from there:
 * such a file needs no descriptor. */
int64_t policy_content_most(const struct io_conf *conf, int64_t most);

enum io_method policy_choose(const struct policy_facts *facts);

/* Why, in words, for `sluice explain`: a static string. */
const char *policy_reason(const struct policy_facts *facts);

#endif
