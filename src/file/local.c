/* local.c - which file systems a path leads through. See local.h; statfs(2), path_resolution(7).
 *
 * Of a mounted FUSE or network file system even a look at a name may wait for its daemon or server.
 * The path is walked name by name, and links by hand, since a link that lies on such a file system
 * may lead to a file that does not. */
#include "file/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { STEP_FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC, LINKS_MOST = 40 /* the kernel's */ };

/* Those whose magic numbers the kernel's headers do not name. */
#define ZFS_MAGIC      0x2fc12fc1UL
#define BCACHEFS_MAGIC 0xca451a4eUL
#define EROFS_MAGIC    0xe0f5e1e2UL
#define JFS_MAGIC      0x3153464aUL

/* FAT and its kin are not among them: their times are too coarse. */
static bool is_known(unsigned long type)
{
    static const unsigned long known[] = {
        EXT4_SUPER_MAGIC, 0x58465342UL /* XFS */, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, RAMFS_MAGIC,
        F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,  SQUASHFS_MAGIC,    EROFS_MAGIC, ISOFS_SUPER_MAGIC,
        ZFS_MAGIC,        BCACHEFS_MAGIC,         JFS_MAGIC};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == type)
            return true;
    return false;
}

struct walk {
    int at;              /* the folder reached so far; -1: nowhere any more */
    unsigned links;      /* followed */
    char rest[PATH_MAX]; /* still to go */
};

static void move_to(struct walk *w, int fd)
{
    if (w->at >= 0)
        close(w->at);
    w->at = fd;
}

/* Puts the target of the link `fd`, which lies in w->at, before what is left of the path. */
static bool follow(struct walk *w, int fd)
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t len = readlinkat(fd, "", target, sizeof target);

    close(fd);
    if (len <= 0 || len == (ssize_t)sizeof target || ++w->links > LINKS_MOST ||
        snprintf(joined, sizeof joined, "%.*s/%s", (int)len, target, w->rest) >= (int)sizeof joined)
        return false;
    strcpy(w->rest, joined);
    if (*target == '/')
        move_to(w, open("/", STEP_FLAGS));
    return w->at >= 0;
}

static bool is_local(int fd, bool *link)
{
    struct statfs fs;
    struct stat st;

    if (fstatfs(fd, &fs) < 0 || !is_known((unsigned long)fs.f_type) || fstat(fd, &st) < 0)
        return false;
    *link = S_ISLNK(st.st_mode);
    return true;
}

/* The next name of the path. False: not local, or not to be told. */
static bool step(struct walk *w)
{
    char name[NAME_MAX + 1];
    char *from = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(from, "/");
    bool link = false;

    if (len > NAME_MAX)
        return false;
    memcpy(name, from, len);
    name[len] = '\0';
    memmove(w->rest, from + len, strlen(from + len) + 1);
    if (len == 0)
        return true;
    int fd = openat(w->at, name, STEP_FLAGS);
    if (fd < 0) {
        w->rest[0] = '\0';
        return errno == ENOENT || errno == ENOTDIR;
    }
    if (!is_local(fd, &link)) {
        close(fd);
        return false;
    }
    if (link)
        return follow(w, fd);
    move_to(w, fd);
    return true;
}

bool path_is_local(const char *path)
{
    struct walk w = {.at = -1};
    bool link, local;

    if (*path != '/' || strlen(path) >= sizeof w.rest)
        return false;
    strcpy(w.rest, path);
    move_to(&w, open("/", STEP_FLAGS));
    local = w.at >= 0 && is_local(w.at, &link);
    while (local && w.rest[0])
        local = step(&w);
    move_to(&w, -1);
    return local;
}
