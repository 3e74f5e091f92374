/* sandbox.h - what a process that serves can no longer do: capabilities, new privileges, files
 * (Landlock), system calls (seccomp). capabilities(7), landlock(7), seccomp(2). */
#ifndef SERVER_CONFINE_SANDBOX_H
#define SERVER_CONFINE_SANDBOX_H

#include "server/conf/cycle.h"

extern struct conf_module sandbox_module; /* rows of the main context */

/* Values of sandbox_module. */
struct sandbox_conf {
    bool capabilities; /* keep none */
    bool no_new_privs;
    bool landlock, seccomp;
    bool names_reads; /* landlock_read is there */
};

enum sandbox_role {
    SANDBOX_WORKER,
    SANDBOX_QUICK, /* `sluice DIR`: one process, whose configuration never changes */
    SANDBOX_SINGLE /* master_process off: a reload may name other files and sockets, so that no rule holds for them */
};

const struct sandbox_conf *sandbox_conf_of(const struct cycle *c);

/* Warns of paths that Landlock cannot know beforehand. When a configuration has been read. */
void sandbox_check(const struct cycle *c);

/* Enters it, before there are threads; no way back. Says in the error log what holds, and once per
 * cycle (`first`) what this kernel does not have: the process goes on without it. */
void sandbox_enter(const struct cycle *c, enum sandbox_role role, bool first);

/* The same for a worker's files alone, and without a word: for who shows what a worker could
 * open. */
void sandbox_enter_files(const struct cycle *c);

#endif
