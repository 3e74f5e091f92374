/* main_conf.h - values of the main and events contexts: processes, privileges, limits. */
#ifndef SERVER_CONF_MAIN_CONF_H
#define SERVER_CONF_MAIN_CONF_H

#include "base/log.h"
#include "conf/directive.h"

#include <sched.h>
#include <sys/types.h>

struct user_conf {
    const char *name; /* NULL: stay who we are */
    bool by_default;  /* there is no `user` line */
    uid_t uid;
    gid_t gid;
};

struct affinity_conf {
    bool automatic;   /* one CPU of masks[0] per worker */
    unsigned count;   /* 0: leave it alone */
    cpu_set_t *masks; /* one per worker; further workers get the last */
};

/* `env NAME` or `env NAME=value`: what of the environment workers keep. */
struct env_conf {
    struct env_conf *next;
    const char *text;
};

struct limit_conf {
    bool set; /* otherwise: leave it alone */
    int64_t value;
};

struct main_conf {
    struct user_conf user;
    int64_t worker_processes;
    struct affinity_conf affinity;
    struct limit_conf rlimit_nofile, rlimit_core;
    int64_t shutdown_timeout; /* msec, 0: no limit */
    int64_t drain_delay;      /* msec between QUIT and the drain */
    int64_t priority;         /* -20 .. 20, added as by nice(2) */
    bool priority_set;
    const char *working_directory;
    bool daemon, master_process, reload_on_change;
    const char *pid;       /* NULL: no file */
    struct log *error_log; /* NULL: none given */
    struct env_conf *env;
    struct events_conf *events; /* NULL: no events { } */
};

struct events_conf {
    int64_t connections;  /* worker_connections */
    int64_t aio_requests; /* worker_aio_requests */
    bool multi_accept;
};

extern struct conf_module server_main_module; /* the main context, and the row of events { } */
extern struct conf_module events_module;

#endif
