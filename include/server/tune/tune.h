/* tune.h - `sluice tune DIR`: measures the disk and the filesystem under a directory, and
 * recommends settings with reasons.
 *
 * Three rooms: measuring (tune_file.c, tune_direct.c, tune_send.c, tune_open.c, tune_tls.c), recommending
 * (tune_recommend.c, pure) and presenting (tune_show.c, tune_json.c, pure; tune_progress.c). tune.c
 * is the conductor. */
#ifndef SERVER_TUNE_TUNE_H
#define SERVER_TUNE_TUNE_H

#include "base/buffer.h"
#include "net/tls/tls_seal.h"

#include <stdbool.h>
#include <stdint.h>

/* Arguments from the word `tune` on; the exit status. */
int tune_run(int argc, char **argv);

struct tune_options {
    const char *dir;
    double seconds; /* that all of it may take */
    bool json, help;
    char error[256];
};

/* 0, or -EINVAL with options->error. Texts stay in argv. Pure. */
int tune_options_parse(struct tune_options *options, int argc, char *const *argv);

/* ---- what is measured; a speed, time or count of 0: not measured ---- */

enum { TUNE_SIZES = 7, TUNE_DEPTHS = 4, TUNE_READERS = 3, TUNE_BODIES = 9 };

extern const unsigned tune_sizes[TUNE_SIZES];   /* of a read: 64 KiB .. 4 MiB */
extern const unsigned tune_depths[TUNE_DEPTHS]; /* reads in flight: 1, 2, 4, 8 */
extern const unsigned tune_bodies[TUNE_BODIES]; /* of a response: 1 KiB .. 4 MiB */

struct tune_speed {
    double rate;    /* bytes per second */
    double cpu_gib; /* CPU seconds of this process per GiB */
};

enum tune_direct {
    TUNE_DIRECT_WORKS,
    TUNE_DIRECT_REFUSED, /* at open or at the first read: direct_error */
    TUNE_DIRECT_CACHED   /* taken, and yet the pages are in memory after it */
};

enum tune_way { TUNE_MEMORY, TUNE_SENDFILE, TUNE_COPY, TUNE_WAYS }; /* one write; head and sendfile; read and write */

struct tune_send {
    double usec; /* CPU time of the sending thread per response */
    double rate; /* bytes of bodies per second, one response after another */
};

struct tune_reader {
    const char *name, *value; /* "io_uring"; what `aio` says to get it */
    const char *note;         /* why it does not work, or NULL */
    struct tune_speed speed;
};

struct tune_results {
    const char *dir;
    char filesystem[32]; /* "ext4"; "" where nothing tells */
    uint64_t file_bytes; /* of the temporary file */
    uint64_t memory;     /* bytes that this machine, or this container, has */
    double seconds;      /* that it took */

    enum tune_direct direct;
    int direct_error;                    /* -errno */
    unsigned align_memory, align_offset; /* of O_DIRECT, bytes */
    bool align_told;                     /* by the kernel; else found by trying */
    const char *reader;                  /* what `aio on` takes here */
    double latency_usec;                 /* median of a random 4 KiB O_DIRECT read */
    struct tune_speed grid[TUNE_SIZES][TUNE_DEPTHS];
    struct tune_reader readers[TUNE_READERS];
    struct tune_speed cold; /* sequential through an empty page cache */
    struct tune_send sends[TUNE_BODIES][TUNE_WAYS];
    struct tune_opens {
        unsigned cold, warm; /* files below the directory whose paths the kernel did not know, and those it did */
        double cold_usec,
            warm_usec;     /* means: one block of the disk holds many inodes, so that few opens wait for many */
        double cold_worst; /* usec */
    } opens;
    struct tune_speed seals[TLS_SEALS]; /* encrypting full records, as tls_seal_suites names them */
};

/* ---- what follows from it ---- */

enum { TUNE_LINES = 10 };

struct tune_advice {
    struct tune_line {
        const char *name;
        char value[112];
        char reason[320];
    } lines[TUNE_LINES];
    unsigned count;
};

void tune_recommend(const struct tune_results *results, struct tune_advice *advice);

/* ---- how it is shown ---- */

void tune_show(const struct tune_results *results, const struct tune_advice *advice, struct buffer *out);
void tune_show_plot(const struct tune_results *results, struct buffer *out);
void tune_show_configuration(const struct tune_results *results, const struct tune_advice *advice, struct buffer *out);
void tune_show_json(const struct tune_results *results, const struct tune_advice *advice, struct buffer *out);

/* "64k", "2m": as the configuration writes sizes; at least 8 bytes, of static buffers that take
 * turns. */
const char *tune_size_text(uint64_t bytes);

#endif
