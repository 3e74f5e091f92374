/* tune_private.h - what the measuring rooms of `sluice tune` share. */
#ifndef SERVER_TUNE_TUNE_PRIVATE_H
#define SERVER_TUNE_TUNE_PRIVATE_H

#include "file/file.h"
#include "server/tune/tune.h"

#include <stddef.h>

enum { TUNE_BLOCK = 4 * 1024 * 1024 }; /* the file's size is a multiple of the largest read */

/* A progress bar on standard error, where that is a terminal; else nothing. */
struct tune_progress {
    bool shown;
    double started, seconds; /* clock of tune_now() */
};

void tune_progress_start(struct tune_progress *p, double seconds);
void tune_progress_at(const struct tune_progress *p, const char *what);
void tune_progress_end(const struct tune_progress *p);

/* One measurement: what is measured, on what, and until when. */
struct tune {
    struct tune_results *results;
    struct tune_progress progress;
    struct file *file;
    double deadline; /* of all */
    char error[512]; /* why it cannot be done */
};

double tune_now(void);                            /* seconds, monotonic */
double tune_cpu(void);                            /* seconds of CPU that this process has used, in all its threads */
double tune_median(double *values, size_t count); /* sorts; 0 of none */

/* Until when a step may take that has `share` of the whole time. */
double tune_share(const struct tune *t, double share);

/* The nameless file: of at most `most` bytes, and no longer written than until `until`. 0, or -1
 * with t->error. */
int tune_file_make(struct tune *t, uint64_t most, double until);
void tune_file_forget_pages(const struct file *f);
void tune_filesystem_name(const char *dir, char *out, size_t size);
uint64_t tune_memory(void);

/* Each fills its part of t->results; what does not work here, or does not fit into the time, stays
 * 0. */
int tune_direct_measure(struct tune *t, double share_of_grid, double share_of_rest); /* 0 or -errno */
void tune_cold_measure(struct tune *t, double until);
void tune_send_measure(struct tune *t, double until);
void tune_open_measure(struct tune *t, double until);
void tune_tls_measure(struct tune *t, double until);

#endif
