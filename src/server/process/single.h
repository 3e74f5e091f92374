/* single.h - master and worker in one process: `master_process off`, and `sluice DIR`.
 * https://nginx.org/en/docs/ngx_core_module.html#master_process */
#ifndef SERVER_PROCESS_SINGLE_H
#define SERVER_PROCESS_SINGLE_H

#include "server/conf/cycle.h"

struct single_start {
    struct cycle *cycle; /* read and bound; becomes this process' */
    bool pid_file;
    pid_t earlier;              /* as in struct master_start */
    int started;                /* likewise */
    void (*serving)(void *arg); /* called once it serves; may be NULL */
    void *arg;
};

/* Until a signal ends it; the exit code. */
int single_run(const struct single_start *start);

#endif
