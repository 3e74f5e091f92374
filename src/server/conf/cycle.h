/* cycle.h - one configuration in force: read, bound, and given up when the next one is.
 * https://nginx.org/en/docs/control.html#reconfiguration */
#ifndef SERVER_CONF_CYCLE_H
#define SERVER_CONF_CYCLE_H

#include "conf/parse.h"
#include "io/policy.h"
#include "server/conf/main_conf.h"
#include "server/conf/sockets.h"

/* What a configuration is read from, at start and at every reload. All texts outlive the process'
 * cycles. */
struct cycle_source {
    const char *file;      /* full path; NULL: `bytes` */
    struct text bytes;     /* the built-in configuration of `sluice DIR` */
    const char *name;      /* of the configuration in messages; the path, or what stands for the bytes */
    const char *prefix;    /* ends with / */
    const char *globals;   /* -g, or NULL */
    const char *error_log; /* -e, or NULL */
    bool testing;          /* -t */
    bool only_read;        /* nothing will run by it: its users need not exist here */
    bool starting;         /* no configuration is in force: what is wrong with this one goes to the log of -e */
};

struct cycle {
    struct arena arena;
    const struct cycle_source *source;
    struct conf_result conf;
    const struct main_conf *main;
    const struct events_conf *events;
    const struct io_main_conf *io;
    struct http_main *http; /* NULL: there is no http { } */
    struct log *log;
    struct sockets sockets;
};

/* Reads and checks; logs what is wrong with it. 0 or -errno. */
int cycle_read(struct cycle **out, const struct cycle_source *source);

/* Reads its certificates and their keys, while there are privileges to; opens its sockets, or takes
 * those of `earlier` (may be NULL) over; logs. 0 or -errno. */
int cycle_bind(struct cycle *c, struct sockets *earlier);

unsigned cycle_workers(const struct cycle *c);

/* `remove_files`: unix: sockets too (the master's own). NULL is legal. */
void cycle_destroy(struct cycle *c, bool remove_files);

#endif
