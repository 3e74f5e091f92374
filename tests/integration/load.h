/* load.h - clients in processes of their own, which ask and count until they are told to stop. */
#ifndef LOAD_H
#define LOAD_H

#include "transport.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct counts {
    uint64_t done, failed, retried;
    char what[160]; /* the last failure */
};

/* What such a process does until load_goes_on() is false. */
typedef void load_fn(int stop, struct counts *counts, const void *arg);
bool load_goes_on(int stop);
void load_failed(struct counts *counts, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Connected, with a limit on every wait; false and errno. */
bool load_dial(struct channel *ch, int port);

/* Requests for pattern files, one connection after the other, each used as long as the server lets
 * it. Whatever is not the right answer is a failure. So is a connection that the server closes
 * without a word when it was idle for less than LOAD_GRACE_MSEC: what was idle for longer is asked
 * again over another (RFC 9110, 9.2.2), and counts as retried. */
enum { LOAD_GRACE_MSEC = 1500 };
struct load_requests {
    int port;
    const char *target, *fields; /* whole lines, or "" */
    off_t first, len;            /* of the pattern, that the answer must have */
    bool keep;                   /* false: a connection per request */
    int pause_msec;              /* between two requests */
};
load_fn load_requests; /* arg: struct load_requests */

struct loader {
    pid_t pid;
    int stop, result;
};
void loader_start(struct loader *l, load_fn *fn, const void *arg);
struct counts loader_stop(struct loader *l);

/* Ends them; none may have failed, and each must have done something. What they did together. */
struct counts loaders_stop_well(struct loader *loaders, unsigned count);

#endif
