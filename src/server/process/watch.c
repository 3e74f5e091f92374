/* watch.c - reload_on_change: inotify watches the folders that the paths of the configuration lead
 * through. See watch.h.
 *
 * A path is followed link by link, and each link, and the file at its end, is watched by its name in
 * its folder: editors replace files by renaming others, and a ConfigMap of Kubernetes is switched by
 * renaming the link ..data. The file itself is watched as well, since what is written to a file that
 * is mounted alone is not seen in the folder where it is mounted. */
#include "server/process/watch.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SETTLE_MSEC = 200, /* after the last change: files often change together */
    SETTLE_MOST_MSEC = 2000,
    LINKS_MOST = 40
};

static const uint32_t changes = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

struct watched {
    int id;
    char *name; /* in the folder `id`, may be a pattern; NULL: `id` itself */
};

/* ---- what is watched ---- */

static bool is_watched(const struct watch *w, int id, const char *name)
{
    for (unsigned i = 0; i < w->count; i++) {
        const char *known = w->at[i].name;

        if (w->at[i].id == id && (known && name ? strcmp(known, name) == 0 : known == name))
            return true;
    }
    return false;
}

static bool keep(struct watch *w, int id, const char *name)
{
    char *copy = name ? strdup(name) : NULL;

    if (w->count == w->cap) {
        unsigned cap = w->cap ? 2 * w->cap : 16;
        struct watched *at = realloc(w->at, cap * sizeof *at);

        if (at) {
            w->at = at;
            w->cap = cap;
        }
    }
    if (w->count == w->cap || (name && !copy)) {
        free(copy);
        return false;
    }
    w->at[w->count++] = (struct watched){.id = id, .name = copy};
    return true;
}

/* `name`: in the folder `path`; NULL: `path` itself. */
static void add(struct watch *w, const char *path, const char *name)
{
    const char *at = *path ? path : "/";
    int id = inotify_add_watch(w->fd, at, changes);

    if (id < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            log_warn(errno, "reload_on_change: \"%s\" cannot be watched", at);
        return;
    }
    if (!is_watched(w, id, name) && !keep(w, id, name))
        log_warn(ENOMEM, "reload_on_change: \"%s\" cannot be watched", at);
}

/* ---- where paths lead ---- */

/* The path that is left to follow, and the folder that it is followed from: "" is the root. */
struct way {
    char folder[PATH_MAX], rest[PATH_MAX];
    unsigned links;
};

/* Takes the next name off `rest`; false: there is none. */
static bool next_name(struct way *way, char name[NAME_MAX + 1])
{
    char *from = way->rest + strspn(way->rest, "/");
    size_t len = strcspn(from, "/");

    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(name, from, len);
    name[len] = '\0';
    memmove(way->rest, from + len, strlen(from + len) + 1);
    return true;
}

/* What `link` says takes its place before what is left. */
static bool follow(struct way *way, const char *link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlink(link, target, sizeof target - 1);

    if (len <= 0 || ++way->links > LINKS_MOST)
        return false;
    target[len] = '\0';
    if (target[0] == '/')
        way->folder[0] = '\0';
    if ((size_t)snprintf(rest, sizeof rest, "%s%s", target, way->rest) >= sizeof rest)
        return false;
    strcpy(way->rest, rest);
    return true;
}

static void leave_folder(struct way *way)
{
    char *slash = strrchr(way->folder, '/');

    if (slash)
        *slash = '\0';
}

/* One step; false: the end, or it cannot be gone. */
static bool step(struct watch *w, struct way *way)
{
    char name[NAME_MAX + 1], path[PATH_MAX];
    struct stat st;

    if (!next_name(way, name))
        return false;
    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0) {
        leave_folder(way);
        return true;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/%s", way->folder, name) >= sizeof path)
        return false;
    bool exists = lstat(path, &st) == 0;
    if (!exists || S_ISLNK(st.st_mode) || way->rest[strspn(way->rest, "/")] == '\0')
        add(w, way->folder, name);
    if (exists && S_ISLNK(st.st_mode))
        return follow(way, path);
    strcpy(way->folder, path);
    return exists;
}

/* All links on the way to `path`, and what it leads to. */
static void watch_path(struct watch *w, const char *path)
{
    struct way way = {.links = 0};

    if (strlen(path) >= sizeof way.rest)
        return;
    strcpy(way.rest, path);
    while (step(w, &way))
        ;
    add(w, way.folder, NULL);
}

/* Files that would match are watched in the folders that are there now. */
static void watch_pattern(struct watch *w, const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    char folders[PATH_MAX];
    glob_t found;

    if (!slash || (size_t)(slash - pattern) >= sizeof folders)
        return;
    memcpy(folders, pattern, (size_t)(slash - pattern));
    folders[slash - pattern] = '\0';
    if (glob(folders[0] ? folders : "/", GLOB_ONLYDIR, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            watch_path(w, found.gl_pathv[i]);
            add(w, found.gl_pathv[i], slash + 1);
        }
        globfree(&found);
    }
    if (strpbrk(folders, "*?["))
        watch_pattern(w, folders);
}

static void open_watch(struct watch *w)
{
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->on = w->fd >= 0;
    if (w->on && (fcntl(w->fd, F_SETOWN, getpid()) < 0 || fcntl(w->fd, F_SETFL, O_NONBLOCK | O_ASYNC) < 0))
        watch_stop(w);
    if (!w->on)
        log_warn(errno, "reload_on_change: the configuration cannot be watched");
}

void watch_add(struct watch *w, const struct cycle *c)
{
    if (!c->main->reload_on_change)
        return;
    if (!w->on)
        open_watch(w);
    if (!w->on)
        return;
    list_each (&c->conf.files, node, next)
        watch_path(w, container_of(node, struct conf_file, node)->path);
    list_each (&c->conf.watched, node, next) {
        const char *path = container_of(node, struct conf_noted_path, node)->path;

        if (strpbrk(path, "*?["))
            watch_pattern(w, path);
        else
            watch_path(w, path);
    }
}

void watch_start(struct watch *w, const struct cycle *c)
{
    watch_stop(w);
    watch_add(w, c);
}

void watch_stop(struct watch *w)
{
    if (w->on)
        close(w->fd);
    for (unsigned i = 0; i < w->count; i++)
        free(w->at[i].name);
    free(w->at);
    *w = (struct watch){.on = false};
}

/* ---- what has changed ---- */

static void note_change(struct watch *w, int64_t now)
{
    if (w->due == 0)
        w->first = now;
    w->due = now + SETTLE_MSEC < w->first + SETTLE_MOST_MSEC ? now + SETTLE_MSEC : w->first + SETTLE_MOST_MSEC;
}

/* A file of `size` bytes. */
static bool holds(int fd, size_t size, struct text bytes)
{
    char *now = malloc(size + 1);
    size_t len = 0;
    ssize_t n;

    while (now && len <= size && (n = read(fd, now + len, size + 1 - len)) > 0)
        len += (size_t)n;
    bool same = now && text_equal(text_without_mark((struct text){now, len}), bytes);
    free(now);
    return same;
}

/* What is no regular file was there once. */
static bool is_as_read(const struct conf_file *f)
{
    struct stat st;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return false;
    bool same = fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || holds(fd, (size_t)st.st_size, f->bytes));
    close(fd);
    return same;
}

void watch_compare(struct watch *w, const struct cycle *c, int64_t now)
{
    bool same = true;

    if (!w->on || !c->main->reload_on_change)
        return;
    list_each (&c->conf.files, node, next)
        same = same && is_as_read(container_of(node, struct conf_file, node));
    if (!same)
        note_change(w, now);
}

static bool is_about(const struct watch *w, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW)
        return true;
    if (e->mask & IN_IGNORED)
        return false;
    for (unsigned i = 0; i < w->count; i++) {
        const char *name = w->at[i].name;

        if (w->at[i].id != e->wd || !name != (e->len == 0))
            continue;
        if (!name || strcmp(name, e->name) == 0 || fnmatch(name, e->name, FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

void watch_heard(struct watch *w, int64_t now)
{
    _Alignas(struct inotify_event) char bytes[16 * 1024];
    ssize_t n;

    while (w->on && (n = read(w->fd, bytes, sizeof bytes)) > 0) {
        for (const char *at = bytes; at < bytes + n;) {
            const struct inotify_event *e = (const void *)at;

            at += sizeof *e + e->len;
            if (is_about(w, e))
                note_change(w, now);
        }
    }
}

int64_t watch_wait(struct watch *w, int64_t now)
{
    if (w->due == 0)
        return -1;
    if (w->due > now)
        return w->due - now;
    w->due = 0;
    return 0;
}
