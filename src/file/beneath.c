/* beneath.c - RESOLVE_BENEATH by hand: one name after another, no link ever followed by the kernel.
 * See beneath.h.
 *
 * Each name is opened with O_NOFOLLOW from the directory before it, and what a link says is read
 * from the very descriptor that was found to be one, so that nothing can be swapped in between. The
 * kernel's ".." is not used: a directory that was moved away meanwhile has another one. Instead the
 * names that led here are kept, and walked again without the last. */
#include "beneath.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DIR_FLAGS = O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY,
    LINKS_MOST = 40 /* the kernel's */
};

struct way {
    int root, dir; /* dir: where `rest` goes on */
    unsigned links;
    bool refuse;
    size_t done_len;
    char done[PATH_MAX]; /* from root to dir: "a/b", of directories alone */
    char rest[PATH_MAX]; /* still to go */
};

static void go_to(struct way *w, int dir)
{
    if (w->dir != w->root)
        close(w->dir);
    w->dir = dir;
}

/* The way to `done`, once more. The descriptor (perhaps root itself), or -errno. */
static int walk_again(const struct way *w)
{
    char names[PATH_MAX], *rest = names, *name, *state = NULL;
    int dir = w->root;

    memcpy(names, w->done, w->done_len);
    names[w->done_len] = '\0';
    while ((name = strtok_r(rest, "/", &state))) {
        int next = guard_openat(dir, name, DIR_FLAGS, 0);
        if (dir != w->root)
            close(dir);
        if (next < 0)
            return next;
        dir = next;
        rest = NULL;
    }
    return dir;
}

static int climb(struct way *w)
{
    if (w->done_len == 0)
        return -EXDEV;
    while (w->done_len > 0 && w->done[--w->done_len] != '/')
        ;
    int dir = walk_again(w);
    if (dir < 0)
        return dir;
    go_to(w, dir);
    return 0;
}

/* Into the directory `fd`, which is `name`. */
static int enter(struct way *w, int fd, const char *name)
{
    size_t len = strlen(name), slash = w->done_len > 0;

    if (w->done_len + slash + len >= sizeof w->done) {
        close(fd);
        return -ENAMETOOLONG;
    }
    if (slash)
        w->done[w->done_len] = '/';
    memcpy(w->done + w->done_len + slash, name, len);
    w->done_len += slash + len;
    go_to(w, fd);
    return 0;
}

/* What `link` says comes before what lies `behind` it. */
static int follow(struct way *w, int link, const char *behind)
{
    char target[PATH_MAX];
    size_t left = strlen(behind);

    if (w->refuse)
        return *behind ? -ENOTDIR : -ELOOP;
    if (++w->links > LINKS_MOST)
        return -ELOOP;
    ssize_t len = readlinkat(link, "", target, sizeof target);
    if (len <= 0)
        return len < 0 ? -errno : -ENOENT;
    if (target[0] == '/') /* the magic ones of /proc too; those that are not absolute are the names of nothing */
        return -EXDEV;
    if ((size_t)len + left >= sizeof w->rest)
        return -ENAMETOOLONG;
    memmove(w->rest + len, behind, left + 1);
    memcpy(w->rest, target, (size_t)len);
    return 0;
}

/* The last name of the path: `seen`, known not to be a link. Takes over `seen`. */
static int open_last(const struct way *w, int seen, const struct stat *st, const char *name, int flags)
{
    if (flags & O_PATH) {
        if (!(flags & O_DIRECTORY) || S_ISDIR(st->st_mode))
            return seen;
        close(seen);
        return -ENOTDIR;
    }
    close(seen);
    int fd = guard_openat(w->dir, name, flags | O_NOFOLLOW, 0);
    return fd == -ELOOP ? -EAGAIN : fd; /* it is a link since */
}

/* One name, and what lies `behind` it: nothing, or a slash and more. True: there is more to walk;
 * else *fd is the result. */
static bool take_name(struct way *w, const char *name, const char *behind, int flags, int *fd)
{
    struct stat st;
    int seen = *fd = guard_openat(w->dir, name, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0);

    if (seen < 0)
        return false;
    if (fstat(seen, &st) < 0) {
        *fd = -errno;
        close(seen);
    } else if (S_ISLNK(st.st_mode)) {
        *fd = follow(w, seen, behind);
        close(seen);
    } else if (!*behind) {
        *fd = open_last(w, seen, &st, name, flags);
        return false;
    } else if (!S_ISDIR(st.st_mode)) {
        *fd = -ENOTDIR;
        close(seen);
    } else {
        *fd = enter(w, seen, name);
        memmove(w->rest, behind, strlen(behind) + 1);
    }
    return *fd == 0;
}

/* The same for any part of a path. */
static bool take_part(struct way *w, int flags, int *fd)
{
    char name[NAME_MAX + 1];
    const char *part = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(part, "/");
    const char *behind = part + len;

    if (len == 0) {
        *fd = guard_openat(w->dir, ".", flags, 0);
        return false;
    }
    *fd = -ENAMETOOLONG;
    if (len > NAME_MAX)
        return false;
    memcpy(name, part, len);
    name[len] = '\0';
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return take_name(w, name, behind, flags, fd);
    *fd = name[1] == '.' ? climb(w) : 0;
    memmove(w->rest, behind, strlen(behind) + 1);
    return *fd == 0;
}

int beneath_open(int root, const char *path, int flags, bool refuse)
{
    struct way w = {.root = root, .dir = root, .refuse = refuse};
    size_t len = strlen(path);
    int fd = -ENAMETOOLONG;

    if (len >= sizeof w.rest)
        return fd;
    if (path[0] == '/')
        return -EXDEV;
    memcpy(w.rest, path, len + 1);
    while (take_part(&w, flags, &fd))
        ;
    go_to(&w, root);
    return fd;
}
