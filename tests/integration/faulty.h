/* faulty.h - calls of the C library that fail on order: what the test writes here, faulty.so
 * (LD_PRELOAD) obeys in the process that is named. Both map the same file. And system calls that it
 * makes on order. */
#ifndef FAULTY_H
#define FAULTY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum faulty_call {
    FAULTY_NONE,
    FAULTY_ALLOC,    /* malloc, calloc, realloc, posix_memalign */
    FAULTY_MMAP,     /* mmap */
    FAULTY_OPEN,     /* open, openat2 */
    FAULTY_STAT,     /* fstat, statx */
    FAULTY_PREAD,    /* pread, preadv2 */
    FAULTY_SENDFILE, /* sendfile */
    FAULTY_SEND,     /* send, sendmsg */
    FAULTY_RECV,     /* recv */
    FAULTY_ACCEPT,   /* accept4 */
    FAULTY_OPENDIR,  /* opendir, fdopendir */
    FAULTY_WATCH,    /* epoll_ctl */
    FAULTY_CALLS
};

/* In the place of an errno. */
enum {
    FAULTY_SHORT = -1,  /* the call is made, with half of the bytes asked for */
    FAULTY_ENDLESS = -2 /* recv: as much as is asked for has come, whenever it is asked */
};

/* One system call that the process makes when it next receives: what somebody could do who has
 * taken it over. */
struct errand {
    atomic_bool wanted, done; /* wanted is taken back before the call: it may be the process's last */
    long number, args[6];     /* ERRAND_PATH among them stands for `path` */
    char path[4096];
    long result; /* or -errno */
};
#define ERRAND_PATH 0x7a7a7a7aL

struct faulty {
    _Atomic pid_t pid;       /* obeys; 0: nobody */
    atomic_int call, error;  /* enum faulty_call */
    atomic_long skip, most;  /* that many calls go well, then so many at most do not */
    atomic_long seen, dealt; /* since it was armed */
    atomic_long blocks;      /* of memory allocated and not freed, in that process */
    struct errand errand;
};

#define FAULTY_ENV "FAULTY_CONTROL" /* path of the file */

/* The test's side: faults.c. */
struct faulty *faulty_setup(void); /* before the server starts; NULL, with a line on stdout: not here */
char *const *faulty_env(void);     /* for site_start_with() */
pid_t faulty_follow_worker(void);  /* the newest one obeys from now on; it must have been started */
void faulty_arm(enum faulty_call call, int error, long skip, long most);
void faulty_count(enum faulty_call call); /* faulty_seen() from now on, and none fails */
long faulty_seen(void);
long faulty_disarm(void); /* how many calls failed */

#endif
