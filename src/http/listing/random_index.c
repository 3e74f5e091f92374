/* random_index.c - a file of the directory, whichever, chosen on a thread: a large directory must
 * not hold up others. Called by steps.c. See random_index.h. */
#include "http/listing/random_index.h"

#include "http/core/core.h"
#include "http/files/confine.h"
#include "http/request/request.h"
#include "http/request/request_job.h"
#include "http/worker/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct random_job {
    struct request_job job;
    struct open_options guard;
    int rc;
    char name[NAME_MAX + 1]; /* empty: there is no file */
    size_t len;              /* of the path, its slash included */
    char path[];             /* with room for a name behind it */
};

/* ---- on the thread ---- */

/* A link to a file is one, where links are followed. */
static bool is_file(struct random_job *j, DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_REG;
    if (!open_guarded(&j->guard))
        return fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode);
    snprintf(j->path + j->len, NAME_MAX + 1, "%s", entry->d_name);
    int rc = file_stat(j->path, &j->guard, &st);
    j->path[j->len] = '\0';
    return rc == 0 && S_ISREG(st.st_mode);
}

/* xorshift: nobody is harmed by guessing it. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Each of n files in one pass with equal chance: the n-th takes the place of the chosen one in one
 * of n cases. */
static int choose(struct random_job *j, DIR *dir)
{
    uint64_t state = 0, files = 0;
    const struct dirent *entry;

    if (getrandom(&state, sizeof state, 0) != sizeof state)
        state = (uint64_t)(uintptr_t)j;
    state |= 1;
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (entry->d_name[0] == '.' || !is_file(j, dir, entry))
            continue;
        if (next_random(&state) % ++files == 0)
            snprintf(j->name, sizeof j->name, "%s", entry->d_name);
    }
    return -errno;
}

static void on_run(struct request_job *job)
{
    struct random_job *j = container_of(job, struct random_job, job);
    int fd = file_open_directory(j->path, open_guarded(&j->guard) ? &j->guard : NULL);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    j->rc = dir ? choose(j, dir) : fd < 0 ? fd : -errno;
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}

/* ---- on the loop ---- */

static void on_orphan(struct request_job *job)
{
    free(container_of(job, struct random_job, job));
}

static int start(struct request *r, struct text path)
{
    struct random_job *j = path.at ? calloc(1, sizeof *j + path.len + 1 + NAME_MAX + 1) : NULL;

    if (!j)
        return -ENOMEM;
    memcpy(j->path, path.at, path.len);
    j->len = path.len;
    if (!text_ends(path, TEXT("/")))
        j->path[j->len++] = '/';
    if (r->location->confine && confine_folder_options(r, path, &j->guard) < 0) {
        free(j);
        return -ENOMEM;
    }
    j->job.run = on_run;
    j->job.orphan = on_orphan;
    int rc = request_job_begin(&j->job, r, io_pool(r->worker->io, TEXT_NONE), pool_append);
    if (rc < 0) {
        free(j);
        return rc;
    }
    r->random = j;
    return -EINPROGRESS;
}

int random_index_pick(struct request *r, struct text path, struct text *name)
{
    struct random_job *j = r->random;

    *name = TEXT_NONE;
    if (!j)
        return start(r, path);
    if (!j->job.done)
        return -EINPROGRESS;
    int rc = j->rc;
    if (rc == 0 && j->name[0]) {
        *name = arena_text(&r->arena, text_of(j->name));
        rc = name->at ? 0 : -ENOMEM;
    }
    r->random = NULL;
    free(j);
    return rc;
}

void random_index_abandon(struct request *r)
{
    struct random_job *j = r->random;

    r->random = NULL;
    if (j)
        request_job_leave(&j->job);
}

static const struct conf_row rows[] = {
    {"random_index", CONF_LOCATION, CONF_FLAG, conf_set_flag, CONF_SLOT(struct random_index_conf, on), .dflt = "off",
     .help = "Answers a URI that ends with / with a file of the directory, chosen at random."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->random_index = ((const struct random_index_conf *)values)->on;
    return NULL;
}

struct conf_module random_index_module = {
    .name = "Random index",
    .rows = rows,
    .size = sizeof(struct random_index_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
