/* guard.c - opens for root_confine and disable_symlinks: openat2(2) from one trusted directory to
 * the next.
 *
 * A path has up to two cuts: where the root ends that it must stay beneath, and where the part ends
 * whose links are trusted. Each piece is opened from the one before it, by the kernel's rules for
 * that piece, so that nothing can be swapped between a check and its use. `if_not_owner` has no
 * rule in the kernel: where that part has a link, it is walked, one component at a time, each link
 * read through the very descriptor whose owner was looked at. So is everything where openat2 cannot
 * be had: before Linux 5.6, or under a seccomp profile that is older than it. */
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

/* Follows the link that `link` is, found as `name` in the directory `at`. readlinkat(2) cannot be
 * told not to wait for a disk: with RESOLVE_CACHED the kernel is asked first to follow the link
 * itself. The descriptor, or -errno. */
static int follow_owned(int at, const char *name, int link, uid_t owner, int flags, unsigned resolve)
{
    char target[PATH_MAX];
    struct stat end;
    int probe = resolve ? guard_openat(at, name, STEP_FLAGS, resolve) : 0;

    if (probe < 0)
        return probe;
    if (resolve)
        close(probe);
    ssize_t len = readlinkat(link, "", target, sizeof target - 1);
    if (len <= 0)
        return len < 0 ? -errno : -ENOENT;
    target[len] = '\0';
    int fd = guard_openat(at, target, flags, resolve);
    if (fd < 0)
        return fd;
    if (fstat(fd, &end) == 0 && end.st_uid == owner)
        return fd;
    close(fd);
    return -ELOOP;
}

/* One component. The kernel follows no link here: what it opened as a folder, or for reading, was
 * none. What it refused, and what O_PATH opened, may be a link. `refuse`: of links, even those of
 * the same owner. *linked: a link was followed. */
static int open_component(int at, const char *name, int flags, unsigned resolve, bool refuse, bool *linked)
{
    int fd = guard_openat(at, name, flags | O_NOFOLLOW, resolve);
    bool settled = fd >= 0 ? !(flags & O_PATH) || flags & O_DIRECTORY : fd != -ELOOP && fd != -ENOTDIR;
    struct stat st;

    *linked = false;
    if (settled)
        return fd;
    int seen = fd >= 0 ? fd : guard_openat(at, name, STEP_FLAGS | O_NOFOLLOW, resolve);
    if (seen < 0)
        return seen;
    int rc = fstat(seen, &st) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISLNK(st.st_mode) && fd >= 0)
        return fd;
    if (rc == 0) {
        *linked = S_ISLNK(st.st_mode) && !refuse;
        rc = *linked ? follow_owned(at, name, seen, st.st_uid, flags, resolve) : S_ISLNK(st.st_mode) ? -ELOOP : fd;
    }
    close(seen);
    return rc;
}

/* Opens `path` from `at` component by component; what lies behind a link that was followed is first
 * tried at once, without links. `at` stays open. */
static int walk(int at, char *path, int flags, unsigned resolve, bool refuse)
{
    int dir = at, fd = -ENOENT;
    char *next = path;
    bool linked = false;

    if (*path == '/') {
        dir = guard_openat(AT_FDCWD, "/", STEP_FLAGS, resolve);
        if (dir < 0)
            return dir;
    }
    while (next) {
        char *name = next + strspn(next, "/");
        char *end = strchr(name, '/');
        next = NULL;
        fd = -ELOOP;
        if (linked && file_guard_works())
            fd = guard_openat(dir, *name ? name : ".", flags, resolve | RESOLVE_NO_SYMLINKS);
        if (fd == -ELOOP) {
            if (end)
                *end = '\0';
            next = end ? end + 1 : NULL;
            fd = open_component(dir, *name ? name : ".", next ? STEP_FLAGS | O_DIRECTORY : flags, resolve, refuse,
                                &linked);
        }
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
    rc = file_guard_works() ? guard_openat(at, text, flags, resolve | RESOLVE_NO_SYMLINKS) : -ELOOP;
    if (rc != -ELOOP)
        return rc; /* no link was met, so that there is no owner to look at */
    if (symlinks == SYMLINKS_IF_OWNER)
        return p->beneath ? -ELOOP : walk(at, text, flags, resolve, false);
    return refused(at, text, p->last, resolve);
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
    bool both = o->beneath && o->symlinks == SYMLINKS_IF_OWNER;
    int fd = both && !file_guard_works() ? -ELOOP : open_pieces(path, o, flags, resolve);

    if (fd == -ELOOP && both) /* a link whose owner must be looked at */
        fd = open_both(path, o, flags, resolve);
    return fd == -EXDEV && o->beneath ? -EACCES : fd; /* a link or .. leads out of the root */
}
