/* guard.c - opens for root_confine and disable_symlinks: openat2(2) from one trusted directory to
 * the next.
 *
 * A path has up to two cuts: where the root ends that it must stay beneath, and where the part ends
 * whose links are trusted. Each piece is opened from the one before it, by the kernel's rules for
 * that piece, so that nothing can be swapped between a check and its use. `if_not_owner` has no
 * rule in the kernel: that part is walked, one component at a time, each link read through the very
 * descriptor whose owner was looked at. So is everything where openat2 cannot be had: before Linux
 * 5.6, or under a seccomp profile that is older than it. */
#include "guard.h"

#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STEP_FLAGS = O_PATH | O_CLOEXEC };

int guard_openat(int at, const char *path, int flags, unsigned resolve)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = resolve};
    long fd;

    do
        fd = resolve ? syscall(SYS_openat2, at, path, &how, sizeof how) : openat(at, path, flags);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : (int)fd;
}

/* Asked once, in a way that only fails where the call as such does: ENOSYS says the kernel, or the
 * profile that stands in for one; EPERM and EACCES are what other profiles say. A lack of
 * descriptors says nothing. */
bool file_guard_works(void)
{
    static atomic_int answer; /* 0: not asked, 1: yes, -1: no */

    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == 0) {
        int fd = guard_openat(AT_FDCWD, "/", STEP_FLAGS, RESOLVE_NO_SYMLINKS);
        if (fd >= 0)
            close(fd);
        if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
            return true;
        known = fd >= 0 ? 1 : -1;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known > 0;
}

/* path[from, to) as a text of its own that is relative unless it starts the path; "." where nothing
 * is left. */
static int piece_of(char out[PATH_MAX], const char *path, size_t from, size_t to)
{
    while (from > 0 && from < to && path[from] == '/')
        from++;
    if (to - from >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(out, path + from, to - from);
    out[to - from] = '\0';
    if (from == to)
        strcpy(out, ".");
    return 0;
}

/* ---- if_not_owner ---- */

/* Follows the link that `link` is, found in the directory `at`. The descriptor, or -errno. */
static int follow_owned(int at, int link, const struct stat *st, int flags)
{
    char target[PATH_MAX];
    struct stat end;
    ssize_t len = readlinkat(link, "", target, sizeof target - 1);

    if (len <= 0)
        return len < 0 ? -errno : -ENOENT;
    target[len] = '\0';
    int fd = guard_openat(at, target, flags, 0);
    if (fd < 0)
        return fd;
    if (fstat(fd, &end) == 0 && end.st_uid == st->st_uid)
        return fd;
    close(fd);
    return -ELOOP;
}

/* One component. `refuse`: of links, even those of the same owner. */
static int open_component(int at, const char *name, int flags, unsigned resolve, bool refuse)
{
    int fd = guard_openat(at, name, STEP_FLAGS | O_NOFOLLOW, resolve);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    int next;
    if (!S_ISLNK(st.st_mode)) /* O_NOFOLLOW: it may have become one since */
        next = guard_openat(at, name, flags | O_NOFOLLOW, resolve);
    else if (refuse)
        next = -ELOOP;
    else if (resolve) /* what a link leads to may need a disk */
        next = -EAGAIN;
    else
        next = follow_owned(at, fd, &st, flags);
    close(fd);
    return next;
}

/* Opens `path` from `at` component by component. `at` stays open. */
static int walk(int at, char *path, int flags, unsigned resolve, bool refuse)
{
    int dir = at, fd = -ENOENT;
    char *next = path;

    if (*path == '/') {
        dir = guard_openat(AT_FDCWD, "/", STEP_FLAGS, resolve);
        if (dir < 0)
            return dir;
    }
    while (next) {
        char *name = next + strspn(next, "/");
        char *end = strchr(name, '/');
        if (end)
            *end = '\0';
        next = end ? end + 1 : NULL;
        fd = open_component(dir, *name ? name : ".", next ? STEP_FLAGS | O_DIRECTORY : flags, resolve, refuse);
        if (dir != at)
            close(dir);
        if (fd < 0)
            return fd == -ELOOP && refuse && next ? -ENOTDIR : fd;
        dir = fd;
    }
    return fd;
}

/* ---- pieces ---- */

struct piece {
    size_t from, to;
    bool beneath, trusted, last;
};

/* nginx opens one component after another, so that a link in the place of a folder is no folder to
 * it, and only a link at the end is too many of them: 404 and 403. `path` is spoilt. */
static int refused(int at, char *path, bool last, unsigned resolve)
{
    char *slash = last ? strrchr(path, '/') : NULL;

    if (!last)
        return -ENOTDIR;
    if (!slash || slash == path)
        return -ELOOP;
    *slash = '\0';
    int fd = guard_openat(at, path, STEP_FLAGS, resolve | RESOLVE_NO_SYMLINKS);
    if (fd >= 0)
        close(fd);
    return fd == -ELOOP ? -ENOTDIR : -ELOOP;
}

/* Without openat2. `text` is spoilt. */
static int open_by_hand(int at, char *text, const struct piece *p, enum symlinks symlinks, int flags)
{
    bool refuse = !p->trusted && symlinks == SYMLINKS_REFUSE;
    int fd = p->beneath ? beneath_open(at, text, flags, refuse)
             : refuse   ? walk(at, text, flags, 0, true)
                        : guard_openat(at, text, flags, 0);

    return fd == -ELOOP && refuse && !p->last ? -ENOTDIR : fd;
}

static int open_piece(int at, const char *path, const struct piece *p, enum symlinks symlinks, int flags,
                      unsigned resolve)
{
    char text[PATH_MAX];
    int rc = piece_of(text, path, p->from, p->to);

    if (rc < 0)
        return rc;
    if (!file_guard_works() && (p->beneath || symlinks == SYMLINKS_REFUSE))
        return open_by_hand(at, text, p, symlinks, flags);
    if (p->beneath)
        resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (p->trusted || symlinks == SYMLINKS_FOLLOW)
        return guard_openat(at, text, flags, resolve);
    if (symlinks == SYMLINKS_IF_OWNER)
        return walk(at, text, flags, resolve, false);
    rc = guard_openat(at, text, flags, resolve | RESOLVE_NO_SYMLINKS);
    return rc == -ELOOP ? refused(at, text, p->last, resolve) : rc;
}

/* Cuts the path where its rules change; returns how many pieces. */
static unsigned cut(struct piece out[3], const char *path, const struct open_options *o)
{
    size_t len = strlen(path), at = 0;
    size_t root = o->beneath ? o->root_len : len, trusted = o->symlinks == SYMLINKS_FOLLOW ? 0 : o->trusted;
    unsigned n = 0;

    if (o->beneath && root == 0)
        root = 1; /* of the root directory there is the slash */
    for (;;) {
        struct piece *p = &out[n++];
        *p = (struct piece){at, len, o->beneath && at >= root, at < trusted, false};
        if (at < root && root < p->to)
            p->to = root;
        if (at < trusted && trusted < p->to)
            p->to = trusted;
        at = p->to;
        if (at == len || n == 3)
            return n;
    }
}

static int open_pieces(const char *path, const struct open_options *o, int flags, unsigned resolve)
{
    struct piece pieces[3];
    unsigned count = cut(pieces, path, o);
    int at = AT_FDCWD, fd = -ENOENT;

    for (unsigned i = 0; i < count; i++) {
        pieces[i].last = i + 1 == count;
        fd = open_piece(at, path, &pieces[i], o->symlinks, pieces[i].last ? flags : STEP_FLAGS | O_DIRECTORY, resolve);
        if (at >= 0)
            close(at);
        if (fd < 0)
            return fd;
        at = fd;
    }
    return fd;
}

/* Two answers that must be about the same file: the kernel's that it is beneath the root, and the
 * walk's about owners. */
static int open_both(const char *path, const struct open_options *o, int flags, unsigned resolve)
{
    struct open_options inside = *o, owned = *o;
    struct stat a, b;

    inside.symlinks = SYMLINKS_FOLLOW;
    owned.beneath = false;
    int fd = open_pieces(path, &inside, STEP_FLAGS, resolve);
    if (fd < 0)
        return fd;
    int other = open_pieces(path, &owned, flags, resolve);
    bool same =
        other >= 0 && fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    close(fd);
    if (same || other < 0)
        return other;
    close(other);
    return -EACCES;
}

int guard_open(const char *path, const struct open_options *o, int flags, unsigned resolve)
{
    int fd = o->beneath && o->symlinks == SYMLINKS_IF_OWNER ? open_both(path, o, flags, resolve)
                                                            : open_pieces(path, o, flags, resolve);

    return fd == -EXDEV && o->beneath ? -EACCES : fd; /* a link or .. leads out of the root */
}
