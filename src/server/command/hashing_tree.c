/* hashing_tree.c - which files `sluice hash` is about: all regular ones below a directory, by every
 * name that a request could find them by. Called by hashing.c. */
#include "hashing_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 256, NAME_MOST = 4096 };

struct walk {
    struct hashing *h;
    struct stat list; /* the manifest itself is not in it; st_ino 0: there is none yet */
    char name[NAME_MOST + 1];
    struct {
        dev_t dev;
        ino_t ino;
    } above[DEPTH_MOST]; /* a link that leads to one of these would never end */
};

void hashing_tell(struct hashing *h, const char *name, const char *why)
{
    fprintf(stderr, "sluice hash: %s/%s: %s\n", h->dir, name, why);
}

struct hashing_file *hashing_add(struct hashing *h, const char *name)
{
    if (h->count == h->size) {
        size_t size = h->size ? h->size * 2 : 256;
        struct hashing_file *files = realloc(h->files, size * sizeof *files);
        if (!files)
            return NULL;
        h->files = files;
        h->size = size;
    }
    char *copy = strdup(name);
    if (!copy)
        return NULL;
    struct hashing_file *f = &h->files[h->count++];
    *f = (struct hashing_file){.name = copy};
    return f;
}

static int add_file(struct walk *w, const struct stat *st)
{
    if (w->list.st_ino != 0 && st->st_ino == w->list.st_ino && st->st_dev == w->list.st_dev)
        return 0;
    struct hashing_file *f = hashing_add(w->h, w->name);
    if (!f)
        return -ENOMEM;
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    f->size = st->st_size;
    f->mtime = st->st_mtim;
    f->found = true;
    return 0;
}

static int walk_folder(struct walk *w, int fd, size_t from, unsigned depth);

static bool is_above(const struct walk *w, unsigned depth, const struct stat *st)
{
    for (unsigned i = 0; i < depth; i++)
        if (w->above[i].ino == st->st_ino && w->above[i].dev == st->st_dev)
            return true;
    return false;
}

static int enter(struct walk *w, int parent, size_t from, size_t len, unsigned depth, const struct stat *st)
{
    if (depth == DEPTH_MOST || is_above(w, depth, st)) {
        hashing_tell(w->h, w->name, "left out: the links in this path lead to a folder above them");
        return 0;
    }
    int fd = openat(parent, w->name + from, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        hashing_tell(w->h, w->name, strerror(errno));
        w->h->warnings++;
        return 0;
    }
    w->above[depth].dev = st->st_dev;
    w->above[depth].ino = st->st_ino;
    w->name[len] = '/';
    int rc = walk_folder(w, fd, len + 1, depth + 1);
    w->name[len] = '\0';
    return rc;
}

/* `from`: where the last name of w->name begins. */
static int take_entry(struct walk *w, int parent, size_t from, size_t len, unsigned depth)
{
    struct stat st;

    if (fstatat(parent, w->name + from, &st, 0) < 0) {
        int error = errno;
        bool dangling = error == ENOENT || error == ELOOP; /* nor could it be served; or it has just gone */
        if (!dangling) {
            hashing_tell(w->h, w->name, strerror(error));
            w->h->warnings++;
        }
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return enter(w, parent, from, len, depth, &st);
    return S_ISREG(st.st_mode) ? add_file(w, &st) : 0;
}

/* Takes over `fd`; the entries' own names stand in w->name at `from`. */
static int walk_folder(struct walk *w, int fd, size_t from, unsigned depth)
{
    DIR *d = fdopendir(fd);
    int rc = 0;

    if (!d) {
        close(fd);
        return -ENOMEM;
    }
    for (const struct dirent *e; rc == 0 && (e = readdir(d));) {
        size_t more = strlen(e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || from + more > NAME_MOST)
            continue;
        memcpy(w->name + from, e->d_name, more + 1);
        rc = take_entry(w, dirfd(d), from, from + more, depth);
    }
    closedir(d);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hashing_file *)a)->name, ((const struct hashing_file *)b)->name);
}

void hashing_sort(struct hashing *h)
{
    if (h->count > 0)
        qsort(h->files, h->count, sizeof *h->files, by_name);
}

static int by_inode(const void *a, const void *b)
{
    const struct hashing_file *f = *(struct hashing_file *const *)a, *g = *(struct hashing_file *const *)b;

    if (f->dev != g->dev)
        return f->dev < g->dev ? -1 : 1;
    if (f->ino != g->ino)
        return f->ino < g->ino ? -1 : 1;
    return f < g ? -1 : f > g;
}

static int join_names(struct hashing *h)
{
    struct hashing_file **all = malloc((h->count + 1) * sizeof *all);

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < h->count; i++)
        all[i] = &h->files[i];
    qsort(all, h->count, sizeof *all, by_inode);
    for (size_t i = 1; i < h->count; i++) {
        struct hashing_file *first = all[i - 1]->same ? all[i - 1]->same : all[i - 1];
        if (all[i]->ino == first->ino && all[i]->dev == first->dev)
            all[i]->same = first;
    }
    free(all);
    return 0;
}

int hashing_walk(struct hashing *h)
{
    struct walk *w = calloc(1, sizeof *w);
    struct stat st = {0};
    int fd = w ? fcntl(h->dir_fd, F_DUPFD_CLOEXEC, 0) : -1;
    int rc = !w ? -ENOMEM : fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    if (rc == 0) {
        w->h = h;
        if (!h->list || stat(h->list, &w->list) < 0)
            w->list.st_ino = 0;
        w->above[0].dev = st.st_dev;
        w->above[0].ino = st.st_ino;
        rc = walk_folder(w, fd, 0, 1);
        fd = -1;
    }
    if (fd >= 0)
        close(fd);
    free(w);
    if (rc < 0)
        return rc;
    hashing_sort(h);
    return join_names(h);
}

void hashing_free(struct hashing *h)
{
    for (size_t i = 0; i < h->count; i++)
        free((void *)(uintptr_t)h->files[i].name);
    free(h->files);
    if (h->dir_fd >= 0)
        close(h->dir_fd);
}
