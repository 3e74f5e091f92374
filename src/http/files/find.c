/* find.c - the name of a file to the file, by the location's cache and its rules. See place.h. */
#include "http/files/confine.h"
#include "http/files/place.h"
#include "http/syntax/precondition.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <sys/stat.h>

static void on_found(struct file_lookup *lookup, int rc, struct file *f)
{
    struct request *r = container_of(lookup, struct request, lookup);
    r->found = true;
    r->found_rc = rc;
    r->found_file = f;
    request_resume(r);
}

/* What will be sent through the page cache, and is small enough to be read at once. */
static size_t fetch_most(const struct request *r)
{
    const struct io_conf *io = r->location->io;
    bool is_read = r->msg.method == METHOD_GET && !precondition_asked(&r->msg);

    if (!is_read || io->aio.mode == AIO_OFF || io->method == IO_DIRECT || io->method == IO_MEMORY || io->directio == 0)
        return 0;
    return io->directio > 0 && io->directio <= DISK_PROMPT_MOST ? (size_t)io->directio - 1 : DISK_PROMPT_MOST;
}

static void on_waits(struct file_lookup *lookup, struct open_options *options)
{
    const struct request *r = container_of(lookup, struct request, lookup);

    options->fetch_most = fetch_most(r);
    options->fetch_waits = !io_waits_without_threads(r->worker->io, &r->location->io->aio);
}

/* Manifests name files from the root or alias on. A path that does not lie below it, as a name of
 * error_page or try_files may not, has no name there. */
static void set_identity(struct request *r, struct text path, const struct identity_conf *identity,
                         struct open_options *options)
{
    struct text root = place_root(r);
    size_t from = root.len;

    options->identity = identity;
    if (!text_starts(path, root))
        from = path.len;
    while (from < path.len && path.at[from] == '/')
        from++;
    options->identity_from = from;
}

static int find(struct request *r, struct text path, const struct template *source,
                const struct identity_conf *identity, struct file **f)
{
    *f = NULL;
    if (r->found) {
        r->found = false;
        *f = r->found_file;
        r->found_file = NULL;
        return r->found_rc;
    }
    if (!path.at)
        return -ENOMEM;
    const struct location *l = r->location;
    struct open_options options = {.read_ahead = l->io->read_ahead > 0};
    if (identity)
        set_identity(r, path, identity, &options);
    if (!l->file->cache)
        options.content_most = (size_t)policy_content_most(l->io, l->file->small.most);
    int rc = l->confine ? confine_options(r, path, source, &options) : 0;
    if (rc < 0)
        return rc;
    r->lookup.found = on_found;
    r->lookup.waits = on_waits;
    return file_cache_find(r->worker->cache, l->file, path.at, &options, &r->lookup, f);
}

int place_find_named(struct request *r, struct text path, const struct template *source, struct file **f)
{
    return find(r, path, source, r->location->identity, f);
}

int place_find(struct request *r, struct text path, struct file **f)
{
    return find(r, path, NULL, r->location->identity, f);
}

int place_find_identified(struct request *r, struct text path, const struct identity_conf *identity, struct file **f)
{
    return find(r, path, NULL, identity, f);
}

bool place_stat(struct request *r, struct text path, const struct template *source, struct stat *st)
{
    struct open_options guard = {0};

    if (r->location->confine && confine_options(r, path, source, &guard) < 0)
        return false;
    return file_stat(path.at, &guard, st) == 0;
}
