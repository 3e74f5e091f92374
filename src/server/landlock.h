/* landlock.h - Landlock: files that are not granted cannot be opened. landlock(7) */
#ifndef SERVER_LANDLOCK_H
#define SERVER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

enum grant_right {
    GRANT_READ = 1 << 0,  /* files */
    GRANT_LIST = 1 << 1,  /* folders */
    GRANT_WRITE = 1 << 2, /* into files */
    GRANT_MAKE = 1 << 3,  /* regular files */
    GRANT_PIN = 1 << 4    /* keep it open: procfs forgets files, and what is granted of them */
};

struct grant {
    char *path;
    unsigned rights; /* to it, and to all that is below it */
};

struct grants {
    struct grant *at;
    size_t count, cap;
};

/* Restricts this thread, and those it will start, to the grants; no way back. What is missing is no grant. TCP sockets can be neither
 * bound nor connected, abstract unix: sockets and signals reach no further than the process, where the kernel has it.
 * The version of Landlock, or -errno: -ENOSYS, -EOPNOTSUPP where there is none. */
int landlock_enter(const struct grants *grants);

#endif
