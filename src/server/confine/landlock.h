/* landlock.h - Landlock: files that are not granted cannot be opened. landlock(7) */
#ifndef SERVER_CONFINE_LANDLOCK_H
#define SERVER_CONFINE_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

enum grant_right {
    GRANT_READ = 1 << 0,  /* files */
    GRANT_LIST = 1 << 1,  /* folders */
    GRANT_WRITE = 1 << 2, /* into files */
    GRANT_MAKE = 1 << 3,  /* regular files */
    GRANT_PIN = 1 << 4,   /* keep it open: procfs forgets files, and what is granted of them */
    GRANT_OWN = 1 << 5    /* of the program itself, not of the configuration: nothing is said about it */
};

struct grant {
    char *path;
    unsigned rights; /* to it, and to all that is below it */
    int error;       /* errno: nothing is granted, and why */
};

struct grants {
    struct grant *at;
    size_t count, cap;
};

/* The version of Landlock, or -errno: -ENOSYS, -EOPNOTSUPP where there is none. */
int landlock_version(void);

/* Restricts this thread, and those it will start, to the grants; no way back. A path that is
 * missing, or of which the kernel takes no grant (a pipe), has its `error` set; the others hold. A
 * file has no GRANT_LIST afterwards. TCP sockets can be neither bound nor connected, abstract unix:
 * sockets and signals reach no further than the process, where the kernel has it. As
 * landlock_version(). */
int landlock_enter(struct grants *grants);

#endif
