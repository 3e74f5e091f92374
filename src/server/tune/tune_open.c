/* tune_open.c - `sluice tune`: what opening a path costs, on the files that already are below the
 * directory.
 *
 * Nothing is dropped to make paths cold: those that the kernel does not know yet show what that
 * costs. */
#include "server/tune/tune_private.h"

#include "file/open.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 20000, FOLDERS = 1024, PATH_MOST = 4096 };

struct walk {
    double until;
    char *folders[FOLDERS]; /* still to be read */
    unsigned count;
    double cold_usec, warm_usec; /* sums */
    struct tune_opens opens;
};

/* True when it was a directory. */
static bool open_one(struct walk *w, const char *path)
{
    struct file *f;
    double from = tune_now();
    int rc = file_open_cached(&f, path, NULL);
    bool cold = rc == -EAGAIN;

    if (cold) {
        from = tune_now();
        rc = file_open(&f, path, NULL);
    }
    if (rc < 0)
        return false;
    double usec = (tune_now() - from) * 1e6;
    bool is_directory = f->kind == FILE_DIRECTORY;
    file_release(f);
    if (is_directory)
        return true;
    if (cold) {
        w->opens.cold++;
        w->cold_usec += usec;
        if (usec > w->opens.cold_worst)
            w->opens.cold_worst = usec;
    } else {
        w->opens.warm++;
        w->warm_usec += usec;
    }
    return false;
}

static void queue(struct walk *w, const char *path)
{
    char *copy = w->count < FOLDERS ? strdup(path) : NULL;

    if (copy)
        w->folders[w->count++] = copy;
}

/* Links are not followed: they could lead round in circles, or to another disk. */
static void take_entry(struct walk *w, const char *folder, const struct dirent *e)
{
    char path[PATH_MOST];

    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
        return;
    int n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    if (e->d_type == DT_DIR || ((e->d_type == DT_REG || e->d_type == DT_UNKNOWN) && open_one(w, path)))
        queue(w, path);
}

static void read_folder(struct walk *w, const char *folder)
{
    const struct dirent *e;
    DIR *d = opendir(folder);

    if (!d)
        return;
    while (tune_now() < w->until && w->opens.cold < SAMPLES && (e = readdir(d)))
        take_entry(w, folder, e);
    closedir(d);
}

void tune_open_measure(struct tune *t, double until)
{
    struct walk *w = calloc(1, sizeof *w);

    if (!w)
        return;
    w->until = until;
    tune_progress_at(&t->progress, "opening files");
    queue(w, t->results->dir);
    while (w->count > 0) {
        char *folder = w->folders[--w->count];
        read_folder(w, folder);
        free(folder);
    }
    t->results->opens = w->opens;
    if (w->opens.cold > 0)
        t->results->opens.cold_usec = w->cold_usec / w->opens.cold;
    if (w->opens.warm > 0)
        t->results->opens.warm_usec = w->warm_usec / w->opens.warm;
    free(w);
}
