/* sandbox_paths.c - what Landlock grants a worker: every path that a directive names, for reading; the logs, for writing.
 *
 * Files are often replaced by renaming, and a grant of a file holds for that one inode: so a file's folder is granted, unless it is
 * one that many programs share. A root that is reached through a link may be switched to another release: the folder of what it leads
 * to is granted. A path with variables: its constant beginning. */
#include "sandbox_paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What libraries and sluice itself open while serving: the clock's zone, memory and its limits (directio auto). */
static const struct {
    const char *path;
    unsigned rights;
} fixed[] = {
    {"/dev/null", GRANT_READ | GRANT_WRITE},       {"/etc/localtime", GRANT_READ},
    {"/usr/share/zoneinfo", GRANT_READ},           {"/proc/meminfo", GRANT_READ | GRANT_PIN},
    {"/proc/self/cgroup", GRANT_READ | GRANT_PIN}, {"/sys/fs/cgroup", GRANT_READ},
};

static int add(struct grants *g, const char *path, unsigned rights)
{
    for (size_t i = 0; i < g->count; i++) {
        if (strcmp(g->at[i].path, path) == 0) {
            g->at[i].rights |= rights;
            return 0;
        }
    }
    if (g->count == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 16;
        struct grant *at = realloc(g->at, cap * sizeof(*at));
        if (!at)
            return -ENOMEM;
        g->at = at;
        g->cap = cap;
    }
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    g->at[g->count++] = (struct grant){copy, rights};
    return 0;
}

static void to_parent(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash)
        slash[slash == path] = '\0';
}

static bool is_root(const char *path)
{
    return path[0] == '/' && path[1] == '\0';
}

/* "/etc/passwd" has a folder that is not a site's own, "/etc/nginx/htpasswd" has one that is. */
static bool is_shallow(const char *path)
{
    return !strchr(path + 1, '/');
}

static bool passes_a_link(const char *path)
{
    char part[PATH_MAX];
    struct stat st;

    if (strncmp(path, "/proc/", 6) == 0) /* /proc/self/cwd: there is only one thing it can lead to */
        return false;
    const char *to = path;
    do {
        to = strchr(to + 1, '/');
        snprintf(part, sizeof(part), "%.*s", (int)(to ? (size_t)(to - path) : strlen(path)), path);
        if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode))
            return true;
    } while (to);
    return false;
}

/* The beginning of `path` without variables, as far as it exists; false: that says nothing. */
static bool settle(const char *path, char out[PATH_MAX])
{
    size_t len = strcspn(path, "$");
    bool variables = path[len] != '\0';
    struct stat st;

    if (len >= PATH_MAX)
        return false;
    memcpy(out, path, len);
    out[len] = '\0';
    while (variables && len > 0 && out[len - 1] != '/')
        out[--len] = '\0';
    while (len > 1 && out[len - 1] == '/')
        out[--len] = '\0';
    if (out[0] != '/')
        return false;
    if (is_root(out))
        return true;
    while (stat(out, &st) < 0 && !is_root(out))
        to_parent(out);
    return !is_root(out);
}

static int add_read(struct grants *g, const char *path)
{
    char name[PATH_MAX], real[PATH_MAX];
    struct stat st;

    if (!settle(path, name) || stat(name, &st) < 0 || !realpath(name, real))
        return 0;
    bool linked = passes_a_link(name);
    unsigned rights = S_ISDIR(st.st_mode) ? GRANT_READ | GRANT_LIST : GRANT_READ;
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return add(g, real, rights);
    if (linked || !S_ISDIR(st.st_mode)) {
        char folder[PATH_MAX];
        strcpy(folder, real);
        to_parent(folder);
        bool own = S_ISDIR(st.st_mode) ? !is_root(folder) : !is_root(folder) && !is_shallow(folder);
        if (own)
            strcpy(real, folder);
    }
    return add(g, real, rights);
}

/* A log is made anew in its folder when it has been moved away. */
static int add_log(struct grants *g, const char *path)
{
    char name[PATH_MAX];
    struct stat st;

    if (path[0] != '/' || strlen(path) >= sizeof(name)) /* stderr, syslog:... */
        return 0;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return add(g, path, GRANT_WRITE);
    if (!realpath(path, name))
        strcpy(name, path);
    to_parent(name);
    return is_root(name) ? add(g, path, GRANT_WRITE) : add(g, name, GRANT_WRITE | GRANT_MAKE);
}

/* Logs whose paths have variables: the last folder before these. Where it is missing nothing is granted, as its parent would be too much. */
static int add_log_folder(struct grants *g, const char *path)
{
    char name[PATH_MAX], real[PATH_MAX];
    size_t len = strcspn(path, "$");
    struct stat st;

    if (len >= sizeof(name))
        return 0;
    memcpy(name, path, len);
    name[len] = '\0';
    to_parent(name);
    if (!realpath(name, real) || is_root(real) || stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    return add(g, real, GRANT_WRITE | GRANT_MAKE);
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
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]) && rc == 0; i++)
        rc = add(g, fixed[i].path, fixed[i].rights);
    list_each (&c->conf.writes, node, tmp) {
        if (rc == 0)
            rc = add_log_folder(g, container_of(node, struct conf_noted_path, node)->path);
    }
    log_file_each(on_log, &logs);
    if (rc == 0)
        rc = logs.rc;
    if (rc == 0 && c->main->rlimit_core.set && c->main->working_directory)
        rc = add(g, c->main->working_directory, GRANT_WRITE | GRANT_MAKE);
    return rc;
}

void sandbox_paths_free(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++)
        free(g->at[i].path);
    free(g->at);
}
