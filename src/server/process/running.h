/* running.h - what the running server of a configuration knows, for `sluice explain`: read from
 * outside, without its help. */
#ifndef SERVER_PROCESS_RUNNING_H
#define SERVER_PROCESS_RUNNING_H

#include "io/admission.h"

struct running {
    struct admission *admission; /* a copy of what it knows of the demand for files; NULL: it could not be asked */
    char why[160];               /* in words: who knows it, or why nobody does */
};

/* Of the server whose master's process is in this pid file. */
void running_ask(struct running *r, const char *pid_path);
void running_forget(struct running *r);

#endif
