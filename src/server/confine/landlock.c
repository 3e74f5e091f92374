/* landlock.c - the system calls of Landlock, for which there is no library.
 * include/uapi/linux/landlock.h of the kernel; what is newer than the headers we build with is
 * written out here, as the layout is ABI. */
#include "server/confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr grew: by the network with version 4, by scopes with version 6. */
struct ruleset_attr {
    uint64_t fs, net, scopes;
};

enum {
    FS_FIRST = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, /* all that version 1 knows */
    FS_REFER = 1 << 13,                                /* 2 */
    FS_TRUNCATE = 1 << 14,                             /* 3 */
    FS_IOCTL_DEV = 1 << 15,                            /* 5 */
    NET_TCP = 3,                                       /* 4: bind and connect */
    SCOPES = 3                                         /* 6: abstract unix: sockets, signals */
};

static uint64_t fs_of(int version)
{
    uint64_t fs = FS_FIRST;

    if (version >= 2)
        fs |= FS_REFER;
    if (version >= 3)
        fs |= FS_TRUNCATE;
    if (version >= 5)
        fs |= FS_IOCTL_DEV;
    return fs;
}

static size_t size_of(int version)
{
    return version >= 6 ? sizeof(struct ruleset_attr) : version >= 4 ? offsetof(struct ruleset_attr, scopes) : 8;
}

static uint64_t access_of(unsigned rights)
{
    uint64_t access = 0;

    if (rights & GRANT_READ)
        access |= LANDLOCK_ACCESS_FS_READ_FILE;
    if (rights & GRANT_LIST)
        access |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (rights & GRANT_WRITE)
        access |= LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (rights & GRANT_MAKE)
        access |= LANDLOCK_ACCESS_FS_MAKE_REG;
    return access;
}

static int add_rule(int ruleset, const struct grant *g, int fd)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access_of(g->rights), .parent_fd = fd};

    if (rule.allowed_access && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        return errno;
    return 0;
}

static void add(int ruleset, struct grant *g)
{
    int fd = open(g->path, O_PATH | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        g->error = errno;
    } else {
        if (!S_ISDIR(st.st_mode))
            g->rights &= ~(unsigned)(GRANT_LIST | GRANT_MAKE);
        g->error = add_rule(ruleset, g, fd);
    }
    if (fd >= 0 && (g->error || !(g->rights & GRANT_PIN)))
        close(fd);
}

int landlock_version(void)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? -errno : version;
}

int landlock_enter(struct grants *grants)
{
    int version = landlock_version();
    if (version < 0)
        return version;

    struct ruleset_attr attr = {
        .fs = fs_of(version), .net = version >= 4 ? NET_TCP : 0, .scopes = version >= 6 ? SCOPES : 0};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size_of(version), 0);
    if (ruleset < 0)
        return -errno;
    for (size_t i = 0; i < grants->count; i++)
        if (!grants->at[i].error)
            add(ruleset, &grants->at[i]);
    int rc = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : version;
    close(ruleset);
    return rc;
}
