/* static.c - the conductor: location, access, try_files, index, listing, file; conditionals and ranges; then the source of the bytes.
 *
 * Each step may have to wait for a disk; r->step and r->step_at say where the way goes on. See static.h. */
#include "http/static.h"

#include "base/number.h"
#include "http/access.h"
#include "http/confine.h"
#include "http/connection.h"
#include "http/headers.h"
#include "http/listing.h"
#include "http/precondition.h"
#include "http/realip.h"
#include "http/respond.h"
#include "http/route.h"
#include "http/serve.h"
#include "http/service_private.h"
#include "http/status.h"
#include "http/uri.h"
#include "http/variable.h"

#include <errno.h>
#include <stdlib.h>

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
    connection_resume(r->conn);
}

/* 0 and a reference, -errno, or -EINPROGRESS: the request waits, and the same call again gets the answer. */
static int find(struct request *r, struct text path, struct file **f)
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
    return file_cache_find(r->conn->service->cache, r->location->file, path.at, &options, &r->lookup, f);
}

/* ---- the steps: true: go on with r->step; false: wait ---- */

static void run_action(struct request *r, const struct return_action *a)
{
    enum { CLOSE_SILENTLY = 444 };

    if (a->status == CLOSE_SILENTLY) {
        r->silent = true;
        r->out.status = CLOSE_SILENTLY; /* for the log */
        r->step = STEP_READY;
        return;
    }
    struct text value = a->text ? template_text(a->text, r) : TEXT_NONE;
    if (status_is_redirect(a->status) && value.len > 0)
        respond_redirect(r, a->status, value);
    else if (a->text)
        respond_text(r, a->status, r->location->http->default_type, value.at ? value : TEXT(""));
    else if (a->status < 300 && a->status != 204)
        respond_text(r, a->status, TEXT_NONE, TEXT(""));
    else
        respond_error(r, a->status);
}

void static_route(struct request *r)
{
    const struct return_action *a = r->server->base.http->action;

    r->location = &r->server->base;
    if (r->location->realip)
        realip_apply(r);
    if (a) {
        run_action(r, a);
        return;
    }
    const struct location *l = route_location(r);
    if (!l) {
        respond_page(r, 500);
        return;
    }
    r->location = l;
    if (l->realip)
        realip_apply(r);
    r->step = STEP_REWRITE;
    r->step_at = 0;
    if (l->http->internal && !r->internal)
        respond_error(r, 404);
}

static bool step_rewrite(struct request *r)
{
    const struct return_action *a = r->location->http->action;

    if (a && r->location != &r->server->base)
        run_action(r, a);
    else
        r->step = r->location->access ? STEP_ACCESS : STEP_TRY_FILES;
    return true;
}

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

/* One name of try_files: served if it is there, else the next one's turn. */
static bool try_file(struct request *r, const struct try_files *names)
{
    const struct template *name = names->names->items[r->step_at];
    struct text value = template_text(name, r);
    struct text rest = value.at ? try_rest(r, name, value) : TEXT_NONE;
    struct text path = rest.at ? path_below(r, rest) : TEXT_NONE;
    bool directory = names->directory[r->step_at];
    struct file *f;

    int rc = find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0 || (f->kind == FILE_DIRECTORY) != directory) {
        file_release(f);
        r->step_at++;
        return true;
    }
    r->uri = try_uri(r, rest);
    r->step = directory ? STEP_CONTENT : STEP_FILE;
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
    enum method m = r->msg.method;

    if (m != METHOD_GET && m != METHOD_HEAD && m != METHOD_POST) {
        respond_error(r, 405);
        return true;
    }
    r->step_at = 0;
    r->step = text_ends(r->uri, TEXT("/")) ? STEP_INDEX : STEP_FILE;
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

/* No index file: is there a directory at all, and may it be listed? */
static bool step_without_index(struct request *r)
{
    struct file *f;
    struct text path = static_path(r, r->uri);
    int rc = find(r, path, &f);

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

/* One name of index. */
static bool step_index(struct request *r)
{
    const struct template_list *names = r->location->http->index;
    if (r->step_at >= names->count)
        return step_without_index(r);

    struct text name = template_text(names->items[r->step_at], r);
    if (text_starts(name, TEXT("/"))) {
        respond_internally(r, name, r->args);
        return true;
    }
    struct text uri = joined(r, r->uri, name);
    struct text path = uri.at ? static_path(r, uri) : TEXT_NONE;
    struct file *f;
    int rc = find(r, path, &f);
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
    char *to = arena_alloc(&r->arena, 3 * r->uri.len + 2 + r->args.len + 1);
    if (!to) {
        respond_page(r, 500);
        return;
    }
    size_t len = uri_escape(r->uri, to);
    to[len++] = '/';
    if (r->args.len > 0) {
        to[len++] = '?';
        memcpy(to + len, r->args.at, r->args.len);
        len += r->args.len;
    }
    respond_redirect(r, 301, (struct text){to, len});
}

static bool step_file(struct request *r)
{
    int rc = 0;

    if (!r->path.at)
        r->path = static_path(r, r->uri);
    if (!r->file)
        rc = find(r, r->path, &r->file);
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

/* ---- listings are made on a thread: a large directory must not hold up others ---- */

struct listing_job {
    struct job job;
    struct request *request; /* NULL: it is gone */
    const struct listing_conf *conf;
    struct open_options guard;
    char *path;
    struct text uri, callback;
    struct buffer page;
    int rc;
    bool done;
};

static void listing_free(struct listing_job *j)
{
    buffer_fini(&j->page);
    free(j->path);
    free(j);
}

static void on_listing_run(struct job *job)
{
    struct listing_job *j = container_of(job, struct listing_job, job);
    const struct open_options *guard = open_guarded(&j->guard) ? &j->guard : NULL;
    j->rc = listing_print_for(j->path, j->uri, j->conf, j->callback, guard, &j->page);
}

static void on_listing_done(struct job *job)
{
    struct listing_job *j = container_of(job, struct listing_job, job);
    j->done = true;
    if (j->request)
        connection_resume(j->request->conn);
    else
        listing_free(j);
}

static char *put_text(char **to, struct text t)
{
    char *at = *to;
    memcpy(at, t.at, t.len);
    at[t.len] = '\0';
    *to += t.len + 1;
    return at;
}

/* 0, or -errno. Path, URI and callback lie behind one another in one piece of memory. */
static int listing_start(struct request *r, struct text callback)
{
    struct listing_job *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    buffer_init(&j->page);
    char *to = malloc(r->path.len + 1 + r->uri.len + 1 + callback.len + 1);
    if (!to) {
        listing_free(j);
        return -ENOMEM;
    }
    j->path = put_text(&to, r->path);
    j->uri = (struct text){put_text(&to, r->uri), r->uri.len};
    if (callback.len > 0)
        j->callback = (struct text){put_text(&to, callback), callback.len};
    j->conf = r->location->listing;
    if (r->location->confine)
        confine_options(r, r->path, &j->guard);
    j->request = r;
    j->job.run = on_listing_run;
    j->job.done = on_listing_done;
    int rc = pool_submit(io_pool(r->conn->service->io, TEXT_NONE), &j->job);
    if (rc < 0) {
        listing_free(j);
        return rc;
    }
    r->listing = j;
    return 0;
}

static bool step_listing(struct request *r)
{
    struct listing_job *j = r->listing;

    if (!j) {
        struct text callback;
        if (listing_callback(r->location->listing, r->args, &callback) != 0) {
            respond_error(r, 400);
            return true;
        }
        int rc = listing_start(r, callback);
        if (rc == 0)
            return false;
        request_log(r, LEVEL_ALERT, -rc, "listing \"%.*s\" failed", TEXT_ARG(r->path));
        respond_error(r, 503);
        return true;
    }
    if (!j->done)
        return false;
    if (j->rc < 0 || j->page.failed) {
        int rc = j->rc < 0 ? j->rc : -ENOMEM;
        r->listing = NULL;
        listing_free(j);
        fail_open(r, r->path, -rc);
        return true;
    }
    respond_text(r, 200, listing_type_for(j->conf, j->callback), (struct text){j->page.data, j->page.len});
    return true;
}

bool static_step(struct request *r)
{
    switch (r->step) {
    case STEP_ROUTE:
        static_route(r);
        return true;
    case STEP_REWRITE:
        return step_rewrite(r);
    case STEP_ACCESS:
        return access_step(r);
    case STEP_TRY_FILES:
        return step_try_files(r);
    case STEP_CONTENT:
        return step_content(r);
    case STEP_INDEX:
        return step_index(r);
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
    file_lookup_cancel(&r->lookup);
    access_abandon(r);
    source_close(r->out.file.source);
    r->out.file.source = NULL;
    file_release(r->found_file);
    file_release(r->file);
    r->found_file = r->file = NULL;
    if (!r->listing)
        return;
    r->listing->request = NULL;
    if (r->listing->done)
        listing_free(r->listing);
    r->listing = NULL;
}
