/* static.c - the conductor: location, access, try_files, index, listing, file; conditionals and ranges; then the source of the bytes.
 *
 * Each step may have to wait for a disk; r->step and r->step_at say where the way goes on. See static.h. */
#include "http/static.h"

#include "base/number.h"
#include "http/access.h"
#include "http/confine.h"
#include "http/empty_gif.h"
#include "http/field.h"
#include "http/headers.h"
#include "http/limit_rate.h"
#include "http/listing.h"
#include "http/listing_job.h"
#include "http/precondition.h"
#include "http/random_index.h"
#include "http/realip.h"
#include "http/respond.h"
#include "http/serve.h"
#include "http/static_route.h"
#include "http/status.h"
#include "http/uri.h"
#include "http/variable.h"
#include "http/variant.h"
#include "http/worker.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- names of files ---- */

struct text static_root(struct request *r)
{
    const struct location *l = r->location;
    if (l->root.at)
        return l->root;
    struct text root = template_text(l->http->root.path, r);
    while (!l->http->root.alias && root.len > 1 && root.at[root.len - 1] == '/')
        root.len--;
    return root;
}

/* The part of `uri` that goes behind the root. */
static struct text below_root(const struct request *r, struct text uri)
{
    const struct root *root = &r->location->http->root;
    if (!uri.at) /* of a request that was refused before it had one */
        return TEXT("");
    if (!root->alias)
        return uri;
    if (root->strip == SIZE_MAX)
        return TEXT("");
    return root->strip <= uri.len ? text_from(uri, root->strip) : TEXT("");
}

static struct text path_below(struct request *r, struct text rest)
{
    struct text root = static_root(r);
    if (!root.at) /* no memory for its variables: the file system's root is no substitute */
        return TEXT_NONE;
    char *path = arena_alloc(&r->arena, root.len + rest.len + 1);
    if (!path)
        return TEXT_NONE;
    memcpy(path, root.at, root.len);
    if (rest.len > 0)
        memcpy(path + root.len, rest.at, rest.len);
    path[root.len + rest.len] = '\0';
    return (struct text){path, root.len + rest.len};
}

struct text static_path(struct request *r, struct text uri)
{
    return path_below(r, below_root(r, uri));
}

/* ---- looking files up ---- */

static void on_found(struct file_lookup *lookup, int rc, struct file *f)
{
    struct request *r = container_of(lookup, struct request, lookup);
    r->found = true;
    r->found_rc = rc;
    r->found_file = f;
    request_resume(r);
}

int static_find(struct request *r, struct text path, struct file **f)
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
    struct open_options options = {.read_ahead = r->location->io->read_ahead > 0};
    if (r->location->confine)
        confine_options(r, path, &options);
    r->lookup.found = on_found;
    return file_cache_find(r->worker->cache, r->location->file, path.at, &options, &r->lookup, f);
}

/* ---- the steps: true: go on with r->step; false: wait ---- */

static void end_try_files(struct request *r, const struct template *last)
{
    struct text target = template_text(last, r);
    uint64_t status;

    if (text_starts(target, TEXT("=")) && number_parse(text_from(target, 1), &status) == 0)
        respond_error(r, (int)status);
    else if (text_starts(target, TEXT("@")))
        respond_named(r, target);
    else
        respond_internally_to(r, target);
}

static struct text joined(struct request *r, struct text a, struct text b)
{
    char *s = arena_alloc(&r->arena, a.len + b.len + 1);
    if (!s || !a.at || !b.at)
        return TEXT_NONE;
    memcpy(s, a.at, a.len);
    memcpy(s + a.len, b.at, b.len);
    s[a.len + b.len] = '\0';
    return (struct text){s, a.len + b.len};
}

/* Behind the root goes the whole name; with `alias`, a name made of variables loses the location's part, as in nginx. */
static struct text try_rest(const struct request *r, const struct template *name, struct text value)
{
    const struct root *root = &r->location->http->root;

    if (!root->alias || root->strip > r->uri.len || template_is_constant(name))
        return value;
    return text_starts(value, (struct text){r->uri.at, root->strip}) ? text_from(value, root->strip) : value;
}

/* The URI of a file that try_files found. */
static struct text try_uri(struct request *r, struct text rest)
{
    const struct root *root = &r->location->http->root;

    if (root->alias && root->strip <= r->uri.len)
        return joined(r, (struct text){r->uri.at, root->strip}, rest);
    return rest.len > 0 ? rest : TEXT("/");
}

/* As nginx, which asks with stat: what is there but may not be read is found, and answered with 403. What lies outside of
 * the rules for files is not there. The name was looked up a moment ago, so that this touches no disk. */
static bool is_closed(struct request *r, int rc, struct text path, bool directory)
{
    struct open_options guard = {0};
    struct stat st;

    if (rc != -EACCES || !path.at)
        return false;
    if (r->location->confine)
        confine_options(r, path, &guard);
    return file_stat(path.at, &guard, &st) == 0 && S_ISDIR(st.st_mode) == directory;
}

/* One name of try_files: served if it is there, else the next one's turn. */
static bool try_file(struct request *r, const struct try_files *names)
{
    const struct template *name = names->names->items[r->step_at];
    struct text value = template_text(name, r);
    struct text rest = value.at ? try_rest(r, name, value) : TEXT_NONE;
    struct text path = rest.at ? path_below(r, rest) : TEXT_NONE;
    bool directory = names->directory[r->step_at];
    struct file *f;

    int rc = static_find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0 ? !is_closed(r, rc, path, directory) : (f->kind == FILE_DIRECTORY) != directory) {
        file_release(f);
        r->step_at++;
        return true;
    }
    r->uri = try_uri(r, rest);
    r->step = directory ? STEP_CONTENT : STEP_VARIANT;
    r->step_at = 0;
    r->path = directory ? TEXT_NONE : path;
    if (directory)
        file_release(f);
    else
        r->file = f;
    return true;
}

static bool step_try_files(struct request *r)
{
    const struct http_conf *h = r->location->http;
    const struct template_list *t = h->try_files.names;

    if (!t || t->count == 0)
        r->step = STEP_CONTENT;
    else if (r->step_at < t->count - 1)
        return try_file(r, &h->try_files);
    else
        end_try_files(r, t->items[t->count - 1]);
    return true;
}

static bool step_content(struct request *r)
{
    if (r->location->content)
        return r->location->content(r);

    enum method m = r->msg.method;

    if (r->location->empty_gif) {
        empty_gif_respond(r);
        return true;
    }
    if (m != METHOD_GET && m != METHOD_HEAD && m != METHOD_POST) {
        respond_error(r, 405);
        return true;
    }
    r->step_at = 0;
    r->step = text_ends(r->uri, TEXT("/")) ? STEP_INDEX : STEP_VARIANT;
    if (r->location->random_index && r->step == STEP_INDEX)
        r->step = STEP_RANDOM_INDEX;
    return true;
}

static void fail_open(struct request *r, struct text path, int error)
{
    int status = status_of_errno(error);

    if (status != 404 || r->location->http->log_not_found)
        request_log(r, status == 404 || status == 403 ? LEVEL_ERROR : LEVEL_CRIT, error, "open() \"%.*s\" failed",
                    TEXT_ARG(path));
    respond_error(r, status);
}

static bool step_random_index(struct request *r)
{
    struct text name, path = static_path(r, r->uri);
    int rc = random_index_pick(r, path, &name);

    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0)
        fail_open(r, path, -rc);
    else if (name.at)
        respond_internally(r, joined(r, r->uri, name), r->args);
    else
        r->step = STEP_INDEX;
    return true;
}

/* No index file: is there a directory at all, and may it be listed? */
static bool step_without_index(struct request *r)
{
    struct file *f;
    struct text path = static_path(r, r->uri);
    int rc = static_find(r, path, &f);

    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0) {
        fail_open(r, path, -rc);
        return true;
    }
    file_release(f);
    if (r->location->listing->on && r->msg.method != METHOD_POST) {
        r->path = path;
        r->step = STEP_LISTING;
        return true;
    }
    request_log(r, LEVEL_ERROR, 0, "directory index of \"%.*s\" is forbidden", TEXT_ARG(path));
    respond_error(r, 403);
    return true;
}

/* After names that are not there, a directory that is not there is 404. */
static bool step_absolute_index(struct request *r, struct text name)
{
    struct text path = r->step_at > 0 ? static_path(r, r->uri) : TEXT_NONE;
    struct file *f = NULL;

    int rc = r->step_at > 0 ? static_find(r, path, &f) : 0;
    if (rc == -EINPROGRESS)
        return false;
    file_release(f);
    if (rc < 0)
        fail_open(r, path, -rc);
    else
        respond_internally(r, name, r->args);
    return true;
}

/* One name of index. */
static bool step_index(struct request *r)
{
    const struct template_list *names = r->location->http->index;
    if (r->step_at >= names->count)
        return step_without_index(r);

    struct text name = template_text(names->items[r->step_at], r);
    if (text_starts(name, TEXT("/")))
        return step_absolute_index(r, name);
    struct text uri = joined(r, r->uri, name);
    struct text path = uri.at ? static_path(r, uri) : TEXT_NONE;
    struct file *f;
    int rc = static_find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc == 0) {
        file_release(f);
        respond_internally(r, uri, r->args);
    } else if (rc != -ENOENT && rc != -ENOTDIR && rc != -ENAMETOOLONG) {
        fail_open(r, path, -rc);
    } else {
        r->step_at++;
    }
    return true;
}

/* "/dir" to "/dir/", query kept. */
static void redirect_to_directory(struct request *r)
{
    struct text args = field_encode(r->args, &r->arena); /* `set $args` can have made them */
    char *to = arena_alloc(&r->arena, 3 * r->uri.len + 2 + args.len + 1);
    if (!to) {
        respond_page(r, 500);
        return;
    }
    size_t len = uri_escape(r->uri, to);
    to[len++] = '/';
    if (args.len > 0) {
        to[len++] = '?';
        memcpy(to + len, args.at, args.len);
        len += args.len;
    }
    respond_redirect_self(r, 301, (struct text){to, len});
}

/* One look for a side file; the file itself comes after the last one. */
static bool step_variant(struct request *r)
{
    struct variant_look looks[2 * CODINGS];

    if (!r->location->variants || r->msg.method == METHOD_POST || r->step_at >= variant_looks(r, looks)) {
        r->step = STEP_FILE;
        return true;
    }
    const struct variant_look *look = &looks[r->step_at];
    if (!r->found && !variant_matters(r, look)) {
        r->step_at++;
        return true;
    }
    if (!r->path.at)
        r->path = static_path(r, r->uri);
    struct text path = variant_path(r, look);
    struct file *f;
    int rc = static_find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR && rc != -ENAMETOOLONG)
        request_log(r, LEVEL_ERROR, -rc, "open() \"%.*s\" failed", TEXT_ARG(path));
    variant_found(r, look, path, f);
    r->step_at++;
    return true;
}

static bool step_file(struct request *r)
{
    int rc = 0;

    if (!r->path.at)
        r->path = static_path(r, r->uri);
    if (!r->file)
        rc = static_find(r, r->path, &r->file);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0) {
        fail_open(r, r->path, -rc);
        return true;
    }
    switch (r->file->kind) {
    case FILE_DIRECTORY:
        redirect_to_directory(r);
        break;
    case FILE_OTHER:
        request_log(r, LEVEL_CRIT, 0, "\"%.*s\" is not a regular file", TEXT_ARG(r->path));
        respond_error(r, 404);
        break;
    case FILE_REGULAR:
        if (r->msg.method == METHOD_POST)
            respond_error(r, 405);
        else
            serve_file(r);
        break;
    }
    return true;
}

/* ---- listings ---- */

static bool step_listing(struct request *r)
{
    struct text callback, type, page;

    if (!r->listing) {
        if (listing_callback(r->location->listing, r->args, &callback) != 0) {
            respond_error(r, 400);
            return true;
        }
        int rc = listing_join(r, callback);
        if (rc == 0)
            return false;
        if (rc < 0) {
            request_log(r, LEVEL_ALERT, -rc, "listing \"%.*s\" failed", TEXT_ARG(r->path));
            respond_error(r, 503);
            return true;
        }
    }
    if (!listing_is_ready(r))
        return false;
    int rc = listing_result(r, &type, &page);
    if (rc < 0) {
        listing_leave(r);
        fail_open(r, r->path, -rc);
        return true;
    }
    respond_text(r, 200, type, page);
    return true;
}

bool static_step(struct request *r)
{
    switch (r->step) {
    case STEP_ROUTE:
        return static_step_route(r);
    case STEP_LOCATION:
        return static_step_location(r);
    case STEP_REWRITE:
        return static_step_rewrite(r);
    case STEP_LIMIT:
        return limits_step(r);
    case STEP_ACCESS:
        return access_step(r);
    case STEP_TRY_FILES:
        return step_try_files(r);
    case STEP_CONTENT:
        return step_content(r);
    case STEP_RANDOM_INDEX:
        return step_random_index(r);
    case STEP_INDEX:
        return step_index(r);
    case STEP_VARIANT:
        return step_variant(r);
    case STEP_FILE:
        return step_file(r);
    case STEP_LISTING:
        return step_listing(r);
    case STEP_READY:
        return true;
    }
    return true;
}

bool static_run(struct request *r)
{
    while (r->step != STEP_READY)
        if (!static_step(r))
            return false;
    return true;
}

void static_abandon(struct request *r)
{
    if (r->limits.held || r->limits.timer)
        limits_release(r);
    if (r->paced)
        rate_release(r);
    file_lookup_cancel(&r->lookup);
    access_abandon(r);
    random_index_abandon(r);
    source_close(r->out.file.source);
    r->out.file.source = NULL;
    file_release(r->found_file);
    file_release(r->file);
    r->found_file = r->file = NULL;
    listing_leave(r);
}
