/* sandbox_paths.c - what Landlock grants a worker: every path that a directive names, for reading;
 * the folders of the logs, for writing. Of a path with variables, its constant beginning.
 *
 * Nothing around a path is granted, so that what lies beside a root stays out of reach. What takes
 * the place of a granted folder or file later is opened by another process: opener.c. */
#include "server/confine/sandbox_paths.h"

#include "base/log_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What libraries and sluice itself open while serving: the clock's zone, memory and its limits
 * (directio auto). */
static const struct {
    const char *path;
    unsigned rights;
} fixed[] = {
    {"/dev/null", GRANT_READ | GRANT_WRITE},       {"/etc/localtime", GRANT_READ},
    {"/usr/share/zoneinfo", GRANT_READ},           {"/proc/meminfo", GRANT_READ | GRANT_PIN},
    {"/proc/self/cgroup", GRANT_READ | GRANT_PIN}, {"/sys/fs/cgroup", GRANT_READ},
};

/* `error`: why it is not to be granted, or 0. */
static int add(struct grants *g, const char *path, unsigned rights, int error)
{
    if (g->count == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 16;
        struct grant *at = realloc(g->at, cap * sizeof *at);
        if (!at)
            return -ENOMEM;
        g->at = at;
        g->cap = cap;
    }
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    struct grant *added = &g->at[g->count++];
    added->path = copy;
    added->rights = rights;
    added->error = error;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct grant *x = a, *y = b;
    int order = strcmp(x->path, y->path);

    return order ? order : x->error - y->error;
}

/* Sorted, each path once. */
static void settle(struct grants *g)
{
    size_t kept = 0;

    if (g->count > 0)
        qsort(g->at, g->count, sizeof *g->at, compare);
    for (size_t i = 0; i < g->count; i++) {
        struct grant *last = kept > 0 ? &g->at[kept - 1] : NULL;
        if (last && strcmp(last->path, g->at[i].path) == 0 && last->error == g->at[i].error) {
            last->rights |= g->at[i].rights;
            free(g->at[i].path);
        } else {
            g->at[kept++] = g->at[i];
        }
    }
    g->count = kept;
}

static void to_parent(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash)
        slash[slash == path] = '\0';
}

bool sandbox_constant(const char *path, char out[PATH_MAX])
{
    size_t len = strcspn(path, "$");
    bool variables = path[len] != '\0';

    if (path[0] != '/' || len >= PATH_MAX)
        return false;
    memcpy(out, path, len);
    while (variables && out[len - 1] != '/')
        len--;
    while (len > 1 && out[len - 1] == '/')
        len--;
    out[len] = '\0';
    return true;
}

static int add_read(struct grants *g, const char *path)
{
    char name[PATH_MAX];

    if (!sandbox_constant(path, name))
        return add(g, path, GRANT_READ, path[0] == '/' ? ENAMETOOLONG : EINVAL);
    return add(g, name, GRANT_READ | GRANT_LIST, 0);
}

/* The folder of `path`, in which a log is made anew when it was moved away. */
static int add_log_folder(struct grants *g, const char *path)
{
    char real[PATH_MAX], name[PATH_MAX];

    if (strlen(path) >= sizeof name)
        return add(g, path, GRANT_WRITE, ENAMETOOLONG);
    strcpy(name, path);
    if (realpath(name, real))
        strcpy(name, real);
    to_parent(name);
    if (name[1] == '\0') /* of the root directory the log alone */
        return add(g, path, GRANT_WRITE, 0);
    return add(g, name, GRANT_WRITE | GRANT_MAKE, 0);
}

/* An open log that is no file on a disk is not made anew. One that has a name may be opened again;
 * one that has none (a pipe or socket that a link leads to) needs no grant, and there is none. */
static int add_log(struct grants *g, const char *path)
{
    char real[PATH_MAX];
    struct stat st;

    if (path[0] != '/') /* stderr, syslog:... */
        return 0;
    if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
        return add_log_folder(g, path);
    return realpath(path, real) ? add(g, path, GRANT_WRITE, 0) : 0;
}

/* Logs whose paths have variables: the last folder before these. */
static int add_log_folders(struct grants *g, const char *path)
{
    char name[PATH_MAX];

    if (!sandbox_constant(path, name))
        return add(g, path, GRANT_WRITE, EINVAL);
    if (!strchr(path, '$'))
        to_parent(name);
    if (name[1] == '\0')
        return add(g, path, GRANT_WRITE, EPERM); /* the whole machine would be too much */
    return add(g, name, GRANT_WRITE | GRANT_MAKE, 0);
}

struct collected {
    struct grants *grants;
    int rc;
};

static void on_log(void *arg, const char *path)
{
    struct collected *c = arg;

    if (c->rc == 0)
        c->rc = add_log(c->grants, path);
}

int sandbox_paths(struct grants *g, const struct cycle *c)
{
    struct collected logs = {.grants = g};
    int rc = 0;

    list_each (&c->conf.reads, node, tmp) {
        const char *path = container_of(node, struct conf_noted_path, node)->path;
        if (rc == 0 && !conf_path_is_open(path))
            rc = add_read(g, path);
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && rc == 0; i++)
        rc = add(g, fixed[i].path, fixed[i].rights | GRANT_OWN, 0);
    list_each (&c->conf.writes, node, tmp) {
        if (rc == 0)
            rc = add_log_folders(g, container_of(node, struct conf_noted_path, node)->path);
    }
    log_file_each(on_log, &logs);
    if (rc == 0)
        rc = logs.rc;
    if (rc == 0 && c->main->rlimit_core.set && c->main->working_directory)
        rc = add(g, c->main->working_directory, GRANT_WRITE | GRANT_MAKE, 0);
    settle(g);
    return rc;
}

void sandbox_paths_free(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++)
        free(g->at[i].path);
    free(g->at);
}
