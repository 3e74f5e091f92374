/* steps_try.c - try_files: one name after another, then what stands last. Called by steps.c. See
 * steps_private.h. */
#include "base/number.h"
#include "http/files/confine.h"
#include "http/files/place.h"
#include "http/handle/steps_private.h"
#include "http/respond/respond.h"
#include "http/variable/climb.h"
#include "http/variable/variable.h"

#include <errno.h>

static void end_try_files(struct request *r, const struct template *last)
{
    struct text target = template_text(last, r);
    uint64_t status;

    if (text_starts(target, TEXT("=")) && number_parse(text_from(target, 1), &status) == 0)
        respond_status(r, (int)status);
    else if (text_starts(target, TEXT("@")))
        respond_named(r, target);
    else
        respond_internally_to(r, target, last);
}

/* Behind the root goes the whole name; with `alias`, a name made of variables loses the location's
 * part, as in nginx. */
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
        return place_joined(r, (struct text){r->uri.at, root->strip}, rest);
    return rest.len > 0 ? rest : TEXT("/");
}

/* As nginx, which asks with stat: what is there but may not be read is found, and answered with
 * 403. What lies outside of the rules for files is not there. The name was looked up a moment ago,
 * so that this touches no disk. */
static bool is_closed(struct request *r, int rc, struct text path, bool directory)
{
    struct stat st;

    return rc == -EACCES && path.at && place_stat(r, path, NULL, &st) && S_ISDIR(st.st_mode) == directory;
}

/* A ".." that comes of the request's words is not looked for, but where root_confine lets none lead
 * out. */
static bool name_leads_out(struct request *r, const struct template *name, struct text value, struct text rest)
{
    const struct location *l = r->location;
    bool confined = l->confine && l->confine->beneath;
    bool own = template_is_constant(name) || (!l->http->root.alias && (confined || !template_climbs(name, value)));

    return place_leads_out(r, rest, own);
}

/* One name of try_files: the content if it is there, else the next one's turn. */
static bool try_file(struct request *r, const struct try_files *names)
{
    const struct template *name = names->names->items[r->step_at];
    struct text value = template_text(name, r);
    struct text rest = value.at ? try_rest(r, name, value) : TEXT_NONE;
    struct text path = rest.at ? place_path_below(r, rest) : TEXT_NONE;
    bool directory = names->directory[r->step_at];
    struct file *f = NULL;

    int rc = path.at && name_leads_out(r, name, value, rest) ? -ENOENT : place_find(r, path, &f);
    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0 ? !is_closed(r, rc, path, directory) : (f->kind == FILE_DIRECTORY) != directory) {
        file_release(f);
        r->step_at++;
        return true;
    }
    /* Behind a regular expression's alias a directory is what the alias makes of the URI, whatever
     * name was found: as nginx. */
    if (!directory || !r->location->http->root.alias || r->location->http->root.strip != SIZE_MAX) {
        r->uri = try_uri(r, rest);
        r->climbs_by_conf = true;
    }
    r->step = STEP_CONTENT;
    r->step_at = 0;
    r->path = directory ? TEXT_NONE : path;
    if (directory)
        file_release(f);
    else
        r->file = f;
    return true;
}

bool steps_refuse_alias(struct request *r)
{
    if (!r->uri_broken || !r->location->http->root.alias)
        return false;
    request_log(r, LEVEL_ALERT, 0, "\"alias\" cannot be used in location \"%.*s\" where URI was rewritten",
                TEXT_ARG(r->location->name));
    respond_error(r, 500);
    return true;
}

bool steps_try_files(struct request *r)
{
    const struct http_conf *h = r->location->http;
    const struct template_list *t = h->try_files.names;

    if (!t || t->count == 0)
        r->step = STEP_CONTENT;
    else if (steps_refuse_alias(r))
        return true;
    else if (r->step_at < t->count - 1)
        return try_file(r, &h->try_files);
    else
        end_try_files(r, t->items[t->count - 1]);
    return true;
}
