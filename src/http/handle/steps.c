/* steps.c - the conductor: location, access, try_files, index, listing, file; conditionals and
 * ranges; then the source of the bytes.
 *
 * Each step may have to wait for a disk; r->step and r->step_at say where processing resumes. See
 * steps.h. */
#include "http/handle/steps.h"

#include "base/number.h"
#include "http/access/access.h"
#include "http/access/realip.h"
#include "http/content/charset.h"
#include "http/content/content.h"
#include "http/content/dictionary.h"
#include "http/content/variant.h"
#include "http/files/confine.h"
#include "http/files/place.h"
#include "http/handle/file_response.h"
#include "http/handle/steps_private.h"
#include "http/limit/limit_rate.h"
#include "http/limit/limits.h"
#include "http/listing/listing.h"
#include "http/listing/listing_job.h"
#include "http/listing/random_index.h"
#include "http/registry/registry.h"
#include "http/respond/digest.h"
#include "http/respond/empty_gif.h"
#include "http/respond/headers.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"
#include "http/syntax/field.h"
#include "http/syntax/precondition.h"
#include "http/syntax/status.h"
#include "http/syntax/uri.h"
#include "http/variable/climb.h"
#include "http/variable/variable.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <sys/stat.h>

/* ---- the steps: true: go on with r->step; false: wait ---- */

/* The one door to all content, whatever step came before: texts that are made here answer GET and
 * HEAD; of files, POST may ask too, since a directory's redirect answers it. */
static bool takes_method(const struct request *r)
{
    const struct location *l = r->location;
    bool made = l->content || l->empty_gif;

    if (l->takes_methods)
        return true;
    return r->msg.method == METHOD_GET || r->msg.method == METHOD_HEAD || (r->msg.method == METHOD_POST && !made);
}

static bool refuse_climbing(struct request *r)
{
    if (!place_uri_leads_out(r))
        return false;
    request_log(r, LEVEL_ERROR, 0, "\"%.*s\" leads out through \"..\" where it is joined with the request",
                TEXT_ARG(place_path(r, r->uri)));
    respond_error(r, 404);
    return true;
}

static bool step_content(struct request *r)
{
    const struct location *l = r->location;

    if (!takes_method(r)) {
        respond_error(r, 405);
        return true;
    }
    if (l->content)
        return l->content(r);
    if (l->empty_gif) {
        empty_gif_respond(r);
        return true;
    }
    r->step_at = 0;
    if (r->path.at) { /* of the file that try_files found */
        r->step = STEP_VARIANT;
        return true;
    }
    if (steps_refuse_alias(r) || refuse_climbing(r))
        return true;
    r->step = text_ends(r->uri, TEXT("/")) ? STEP_INDEX : STEP_VARIANT;
    if (l->random_index && r->step == STEP_INDEX)
        r->step = STEP_RANDOM_INDEX;
    return true;
}

static void log_open(struct request *r, enum log_level level, int error, struct text path)
{
    struct open_options guard = {0};

    if (r->location->confine && path.at)
        (void)confine_options(r, path, NULL, &guard); /* without a template it cannot fail */
    request_log_open(r, level, error, path, &guard);
}

static void fail_open(struct request *r, struct text path, int error)
{
    int status = status_of_errno(error);

    if (status == 500 && r->worker->scoreboard)
        scoreboard_read_failed(r->worker->scoreboard, clock_now.msec);
    if (status != 404 || r->location->http->log_not_found)
        log_open(r, status == 404 || status == 403 ? LEVEL_ERROR : LEVEL_CRIT, error, path);
    respond_error(r, status);
}

static bool step_random_index(struct request *r)
{
    struct text name, path = place_path(r, r->uri);
    int rc = random_index_pick(r, path, &name);

    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0)
        fail_open(r, path, -rc);
    else if (name.at)
        respond_internally(r, place_joined(r, r->uri, name), r->args);
    else
        r->step = STEP_INDEX;
    return true;
}

/* No index file: is there a directory at all, and may it be listed? */
static bool step_without_index(struct request *r)
{
    struct file *f;
    struct text path = place_path(r, r->uri);
    int rc = place_find(r, path, &f);

    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0) {
        fail_open(r, path, -rc);
        return true;
    }
    bool directory = f->kind == FILE_DIRECTORY;
    file_release(f);
    if (!directory) { /* an alias that is a file's whole path */
        fail_open(r, path, ENOTDIR);
        return true;
    }
    if (r->location->listing->on && r->msg.method != METHOD_POST) {
        r->path = path;
        r->step = STEP_LISTING;
        return true;
    }
    request_log(r, LEVEL_ERROR, 0, "directory index of \"%.*s\" is forbidden", TEXT_ARG(path));
    respond_error(r, 403);
    return true;
}

/* To `uri`, whose ".." is the configuration's own. */
static void redirect_to_index(struct request *r, struct text uri)
{
    respond_internally(r, uri, r->args);
    r->climbs_by_conf = true;
}

/* After names that are not there, a directory that is not there is 404. */
static bool step_absolute_index(struct request *r, struct text name)
{
    struct text path = r->step_at > 0 ? place_path(r, r->uri) : TEXT_NONE;
    struct file *f = NULL;

    int rc = r->step_at > 0 ? place_find(r, path, &f) : 0;
    if (rc == -EINPROGRESS)
        return false;
    file_release(f);
    if (rc < 0)
        fail_open(r, path, -rc);
    else
        redirect_to_index(r, name);
    return true;
}

/* One name of index. */
static bool step_index(struct request *r)
{
    const struct template_list *names = r->location->http->index;
    if (r->step_at >= names->count)
        return step_without_index(r);

    struct text name = template_text(names->items[r->step_at], r);
    if (template_climbs(names->items[r->step_at], name)) {
        r->step_at++;
        return true;
    }
    if (text_starts(name, TEXT("/")))
        return step_absolute_index(r, name);
    struct text uri, path = place_index(r, name, &uri);
    struct file *f;
    int rc = place_find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc == 0) {
        file_release(f);
        redirect_to_index(r, uri);
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
    const struct location *l = r->location;
    struct variant_look looks[VARIANT_LOOKS];

    if (!l->variants || r->msg.method == METHOD_POST || r->step_at >= variant_looks(r, looks)) {
        if (l->variants)
            variant_end(r);
        r->step = STEP_FILE;
        return true;
    }
    const struct variant_look *look = &looks[r->step_at];
    if (!r->found && !variant_matters(r, look)) {
        r->step_at++;
        return true;
    }
    if (!r->path.at)
        r->path = place_path(r, r->uri);
    struct text path = variant_path(r, look);
    struct file *f;
    int rc = place_find_identified(r, path, variant_identity(r, look), &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR && rc != -ENAMETOOLONG)
        log_open(r, LEVEL_ERROR, -rc, path);
    variant_found(r, look, path, f);
    r->step_at++;
    return true;
}

static bool step_file(struct request *r)
{
    int rc = 0;

    if (!r->path.at)
        r->path = place_path(r, r->uri);
    if (!r->file)
        rc = place_find(r, r->path, &r->file);
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
            file_response_begin(r);
        break;
    }
    return true;
}

/* ---- listings ---- */

/* Whether whoever reads the page takes names for UTF-8. */
static bool listing_is_utf8(struct request *r)
{
    const struct recode *table;

    if (!charset_configured(r->location->charset))
        return false;
    r->out.type = listing_type(r->location->listing, TEXT_NONE);
    struct text name = charset_choose(r, &table);
    r->out.type = TEXT_NONE;
    return text_equal_nocase(name, TEXT("utf-8"));
}

static bool step_listing(struct request *r)
{
    struct text callback, type, page;

    if (!r->listing) {
        if (listing_callback(r->location->listing, r->args, &callback) != 0) {
            respond_error(r, 400);
            return true;
        }
        int rc = listing_join(r, callback, listing_is_utf8(r));
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
    struct text policy = listing_policy(r->location->listing);
    if (policy.at && r->out.status == 200)
        response_add(r, TEXT("Content-Security-Policy"), policy);
    return true;
}

/* A 304 has the fields of its 200: what would become of that one's content counts. */
static void add_digest(struct request *r)
{
    if (!r->location->digests->repr_digest)
        return;
    if (r->out.status == 304 && r->location->rewrites_content)
        content_plan(r);
    digest_apply(r);
}

/* The last step of every response. */
static bool step_fields(struct request *r)
{
    r->step = STEP_READY;
    headers_apply(r);
    if (r->out.of_file)
        file_response_content(r);
    if (r->step == STEP_READY && r->location && r->location->digests)
        add_digest(r);
    if (r->step == STEP_READY && r->location && r->location->dictionary)
        dictionary_offer(r);
    return true;
}

bool steps_one(struct request *r)
{
    switch (r->step) {
    case STEP_ROUTE:
        return steps_route(r);
    case STEP_LOCATION:
        return steps_location(r);
    case STEP_NAMED:
        return steps_named(r);
    case STEP_REWRITE:
        return steps_rewrite(r);
    case STEP_LIMIT:
        return limits_step(r);
    case STEP_ACCESS:
        return access_step(r);
    case STEP_TRY_FILES:
        return steps_try_files(r);
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
    case STEP_FIELDS:
        return step_fields(r);
    case STEP_READY:
        return true;
    }
    return true;
}

bool steps_run(struct request *r)
{
    while (r->step != STEP_READY)
        if (!steps_one(r))
            return false;
    return true;
}

void steps_abandon(struct request *r)
{
    if (r->limits.held || r->limits.timer)
        limits_release(r);
    if (r->paced)
        rate_release(r);
    file_lookup_cancel(&r->lookup);
    access_abandon(r);
    random_index_abandon(r);
    registry_abandon(r);
    source_close(r->out.file.source);
    r->out.file.source = NULL;
    file_release(r->found_file);
    file_release(r->file);
    r->found_file = r->file = NULL;
    listing_leave(r);
}
