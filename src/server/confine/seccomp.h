/* seccomp.h - which system calls a process that serves may make. seccomp(2) */
#ifndef SERVER_CONFINE_SECCOMP_H
#define SERVER_CONFINE_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

/* Who may make a call; several for one process. */
enum seccomp_role {
    SECCOMP_SERVES = 1 << 0,  /* everybody */
    SECCOMP_SYSLOGS = 1 << 1, /* opens sockets to a syslog server */
    SECCOMP_MANAGES = 1 << 2, /* also is its own master: binds sockets, writes the pid file, reads configurations */
    SECCOMP_URING = 1 << 3,   /* may read the disk by io_uring, which makes calls that no filter sees */
    SECCOMP_AIO = 1 << 4      /* may read it by Linux AIO */
};

enum seccomp_test {
    SECCOMP_ALWAYS,
    SECCOMP_ONE_OF,   /* the argument is one of the values */
    SECCOMP_ALL_SET,  /* all bits of values[0] are set in it */
    SECCOMP_NONE_SET, /* none of them are */
    SECCOMP_OWN_PID,  /* it is this process */
    SECCOMP_FATAL     /* never: the process is killed. What nobody but an intruder asks for */
};

struct seccomp_call {
    int number;
    unsigned roles; /* one of these is enough */
    enum seccomp_test test;
    unsigned argument;      /* 0 .. 5, that the test is about; its lower 32 bits */
    const uint32_t *values; /* end with 0 */
};

extern const struct seccomp_call seccomp_calls[]; /* seccomp_calls.c; the frequent ones first */
extern const size_t seccomp_call_count;

/* Restricts this thread, and those it will start; no way back. A call that is not in the table is
 * one that the kernel does not have (ENOSYS), so that libraries take another; one whose arguments
 * are not allowed, EPERM. It takes no_new_privs. 0 or -errno; -EOPNOTSUPP on machines for which
 * there is no table. */
int seccomp_enter(unsigned roles);

#endif
