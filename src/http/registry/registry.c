/* registry.c - the directive oci_layout: what a URI of a registry asks for, found in a layout and
 * handed on as a file. See registry.h; called by steps.c.
 *
 * A blob is the file that its digest names; what a layout's index says is needed for manifests
 * alone. All of it is looked up as files are: by the location's cache, and its rules for links. */
#include "http/registry/registry.h"

#include "http/core/core.h"
#include "http/files/confine.h"
#include "http/files/place.h"
#include "http/registry/layout_job.h"
#include "http/registry/registry_answer.h"
#include "http/registry/registry_name.h"
#include "http/request/request.h"
#include "http/respond/respond.h"
#include "http/syntax/status.h"

#include <errno.h>

struct registry_conf {
    struct root root;
    struct text name; /* of the one repository, whose layout the root is; absent: layouts are below it */
};

/* What a request has come to. */
struct registry {
    struct registry_path path;
    struct text folder; /* of the layout, relative to the root */
    enum { AT_INDEX, AT_LAYOUT, AT_FILE, AT_MARK /* no such blob: is there such a layout? */ } stage;
    struct layout_part part;
    struct text digest, type; /* of the file */
    bool by_tag;
};

/* ---- ends ---- */

void registry_abandon(struct request *r)
{
    struct registry *g = r->registry;

    r->registry = NULL;
    if (g)
        layout_leave(&g->part);
}

static bool refuse(struct request *r, enum registry_error error)
{
    registry_abandon(r);
    registry_refuse(r, error);
    return true;
}

static bool fail(struct request *r, int status)
{
    registry_abandon(r);
    respond_error(r, status);
    return true;
}

/* `path` could not be opened: there is no such thing, or the reason is told. */
static bool fail_open(struct request *r, struct text path, int rc, enum registry_error unknown)
{
    struct open_options guard = {0};
    int status = status_of_errno(-rc);

    if (status != 404 || r->location->http->log_not_found) {
        if (r->location->confine && path.at)
            (void)confine_options(r, path, NULL, &guard); /* without a template it cannot fail */
        request_log_open(r, status == 404 || status == 403 ? LEVEL_ERROR : LEVEL_CRIT, -rc, path, &guard);
    }
    if (status == 404)
        return refuse(r, unknown);
    return status == 403 ? refuse(r, REGISTRY_DENIED) : fail(r, status);
}

/* ---- files ---- */

static struct text path_of(struct request *r, const struct registry *g, const char *file)
{
    struct text below = place_joined(r, g->folder, text_of(file));

    return below.at ? place_path_below(r, below) : TEXT_NONE;
}

static void add_field(struct request *r, struct addressed *a, const char *name, struct text value)
{
    struct field_line *f = arena_alloc(&r->arena, sizeof *f);

    if (!f)
        return;
    *f = (struct field_line){NULL, text_of(name), value};
    *a->fields_end = f;
    a->fields_end = &f->next;
}

/* The file goes the way of all files, with what its digest says of it. A tag may lead elsewhere
 * tomorrow. */
static bool hand_on(struct request *r, struct text path, struct file *f)
{
    const struct registry *g = r->registry;
    struct addressed *a = arena_zalloc(&r->arena, sizeof *a);
    struct text etag = text_of(arena_printf(&r->arena, "\"%.*s\"", TEXT_ARG(g->digest)));

    if (!a || !etag.at) {
        file_release(f);
        return fail(r, 500);
    }
    *a = (struct addressed){.type = g->type, .etag = etag, .fields_end = &a->fields};
    add_field(r, a, "Docker-Content-Digest", g->digest);
    add_field(r, a, "Cache-Control", g->by_tag ? TEXT("no-cache") : TEXT("max-age=31536000, immutable"));
    registry_abandon(r);
    r->out.addressed = a;
    r->path = path;
    r->file = f;
    r->step = STEP_FILE;
    return true;
}

static bool step_mark(struct request *r, const struct registry *g)
{
    struct file *f;
    int rc = place_find(r, path_of(r, g, LAYOUT_MARK), &f);

    if (rc == -EINPROGRESS)
        return false;
    file_release(f);
    return refuse(r, rc < 0 ? REGISTRY_NAME_UNKNOWN : REGISTRY_BLOB_UNKNOWN);
}

static bool step_file(struct request *r, struct registry *g)
{
    char name[LAYOUT_BLOB_MOST];
    struct text path = path_of(r, g, layout_blob(g->digest, name).at);
    struct file *f;
    int rc = place_find(r, path, &f);

    if (rc == -EINPROGRESS)
        return false;
    if (rc == 0 && f->kind == FILE_REGULAR)
        return hand_on(r, path, f);
    file_release(f);
    if (g->path.kind != REGISTRY_BLOB)
        return fail_open(r, path, rc < 0 ? rc : -ENOENT, REGISTRY_MANIFEST_UNKNOWN);
    if (rc < 0 && status_of_errno(-rc) != 404)
        return fail_open(r, path, rc, REGISTRY_BLOB_UNKNOWN);
    if (r->location->http->log_not_found)
        request_log_open(r, LEVEL_ERROR, rc < 0 ? -rc : ENOENT, path, NULL);
    g->stage = AT_MARK;
    return true;
}

/* ---- the layout ---- */

static bool find_manifest(struct request *r, struct registry *g, const struct layout *l)
{
    bool by_digest = registry_is_digest(g->path.reference);
    const struct layout_manifest *m =
        by_digest ? layout_by_digest(l, g->path.reference) : layout_by_tag(l, g->path.reference);

    if (!m) {
        if (r->location->http->log_not_found)
            request_log(r, LEVEL_ERROR, 0, "\"%.*s\" has no manifest \"%.*s\"", TEXT_ARG(path_of(r, g, LAYOUT_INDEX)),
                        TEXT_ARG(g->path.reference));
        return refuse(r, REGISTRY_MANIFEST_UNKNOWN);
    }
    g->digest = arena_text(&r->arena, m->digest);
    g->type = arena_text(&r->arena, m->media_type);
    g->by_tag = !by_digest;
    layout_leave(&g->part);
    if (!g->digest.at || !g->type.at)
        return fail(r, 500);
    g->stage = AT_FILE;
    return true;
}

static bool fail_layout(struct request *r, struct registry *g, int rc)
{
    struct text path = path_of(r, g, LAYOUT_INDEX);

    if (rc == -ENOENT || rc == -ENOTDIR)
        return fail_open(r, path_of(r, g, LAYOUT_MARK), rc, REGISTRY_NAME_UNKNOWN);
    if (rc != -EBADMSG && rc != -E2BIG)
        return fail_open(r, path, rc, REGISTRY_NAME_UNKNOWN);
    request_log(r, LEVEL_ERROR, 0, "\"%.*s\" %s", TEXT_ARG(path),
                rc == -E2BIG ? "and what it names are larger than a registry may have"
                             : "or its oci-layout is not of an OCI image layout");
    return fail(r, 500);
}

static bool step_layout(struct request *r, struct registry *g)
{
    int rc;

    if (!layout_is_ready(&g->part))
        return false;
    const struct layout *l = layout_result(&g->part, &rc);
    if (!l)
        return fail_layout(r, g, rc);
    if (g->path.kind == REGISTRY_MANIFEST)
        return find_manifest(r, g, l);
    if (g->path.kind == REGISTRY_TAGS)
        registry_answer_tags(r, g->path.name, l);
    else
        registry_answer_referrers(r, g->path.reference, l);
    registry_abandon(r);
    return true;
}

/* What index.json is now. */
static bool step_index(struct request *r, struct registry *g)
{
    struct text path = path_of(r, g, LAYOUT_INDEX);
    struct open_options guard = {0};
    struct file *f;
    int rc = place_find(r, path, &f);

    if (rc == -EINPROGRESS)
        return false;
    if (rc < 0)
        return fail_open(r, path, rc, REGISTRY_NAME_UNKNOWN);
    struct text folder = place_path_below(r, g->folder);
    rc = r->location->confine ? confine_options(r, path, NULL, &guard) : 0;
    if (rc == 0)
        rc = folder.at ? layout_join(&g->part, r, folder, f, &guard, g->path.kind == REGISTRY_REFERRERS) : -ENOMEM;
    file_release(f);
    if (rc < 0)
        return fail(r, 503);
    g->stage = AT_LAYOUT;
    return rc == 1;
}

/* ---- requests ---- */

/* What can be said of it before anything is looked up; true: it is answered. */
static bool refuse_early(struct request *r, const struct registry *g, const struct registry_conf *conf)
{
    const struct registry_path *p = &g->path;

    if (r->msg.method != METHOD_GET && r->msg.method != METHOD_HEAD)
        return refuse(r, REGISTRY_UNSUPPORTED);
    if (p->kind == REGISTRY_UNKNOWN || place_leads_out(r, TEXT("/"), true))
        return refuse(r, REGISTRY_NAME_UNKNOWN);
    if (p->kind == REGISTRY_BASE) {
        registry_abandon(r);
        registry_answer_base(r);
        return true;
    }
    if (!registry_is_name(p->name))
        return refuse(r, REGISTRY_NAME_INVALID);
    if (conf->name.at && !text_equal(conf->name, p->name))
        return refuse(r, REGISTRY_NAME_UNKNOWN);
    bool is_digest = registry_is_digest(p->reference), tagged = p->kind == REGISTRY_MANIFEST;
    if (p->kind == REGISTRY_TAGS || is_digest || (tagged && registry_is_tag(p->reference)))
        return false;
    bool meant = !tagged || text_find(p->reference, ':') < p->reference.len;
    return refuse(r, meant ? REGISTRY_DIGEST_INVALID : REGISTRY_MANIFEST_UNKNOWN);
}

/* True: it goes on; false: it is answered. */
static bool begin(struct request *r)
{
    const struct registry_conf *conf = r->location->content_conf;
    struct registry *g = arena_zalloc(&r->arena, sizeof *g);

    if (!g) {
        fail(r, 500);
        return false;
    }
    r->registry = g;
    g->path = registry_path_parse(r->uri);
    if (refuse_early(r, g, conf))
        return false;
    g->folder = conf->name.at ? TEXT("") : place_joined(r, TEXT("/"), g->path.name);
    if (!g->folder.at) {
        fail(r, 500);
        return false;
    }
    g->stage = g->path.kind == REGISTRY_BLOB ? AT_FILE : AT_INDEX;
    g->digest = g->path.reference;
    g->type = TEXT("application/octet-stream");
    return true;
}

static bool answer(struct request *r)
{
    bool goes_on = true;

    if (!r->registry && !begin(r))
        return true;
    while (goes_on && r->registry) {
        switch (r->registry->stage) {
        case AT_INDEX:
            goes_on = step_index(r, r->registry);
            break;
        case AT_LAYOUT:
            goes_on = step_layout(r, r->registry);
            break;
        case AT_FILE:
            goes_on = step_file(r, r->registry);
            break;
        case AT_MARK:
            goes_on = step_mark(r, r->registry);
            break;
        }
    }
    return goes_on;
}

/* ---- directives ---- */

/* folder [name=repository] */
static const char *set_layout(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct registry_conf *conf = arena_zalloc(cf->arena, sizeof *conf);

    (void)slot;
    if (!layout_json_works())
        return conf_error(cf, "\"%s\" needs jansson, and this sluice is built without it", row->name);
    if (!conf)
        return conf_error(cf, "no memory");
    if (cf->count == 3) {
        struct text name = cf->args[2];
        if (!text_starts(name, TEXT("name=")))
            return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(name));
        conf->name = text_from(name, sizeof "name=" - 1);
        if (!registry_is_name(conf->name))
            return conf_error(cf, "invalid name of a repository \"%.*s\"", TEXT_ARG(conf->name));
    }
    location_answers(cf, answer, conf)->takes_methods = true;
    return core_set_root(cf, row, &conf->root);
}

static const struct conf_row rows[] = {
    {"oci_layout", CONF_SERVER | CONF_LOCATION, CONF_TAKE12, set_layout,
     .help =
         "A read-only registry (OCI distribution specification) of the image layouts below this folder: the path of a "
         "folder that has the files oci-layout and index.json is the name of a repository. With name= the folder "
         "itself is one layout, of that name. Takes the place of root; URIs begin with /v2/. docs/scale.md",
     .syntax = "folder [name=repository]", .differs = "Not in nginx."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    (void)values;
    if (!l || l->content != answer)
        return NULL;
    const struct registry_conf *conf = l->content_conf;
    conf_reads_noted(cf, conf->root.noted);
    location_move(l, &conf->root);
    return NULL;
}

struct conf_module registry_module = {
    .name = "Registry",
    .rows = rows,
    .levels = CONF_SERVER | CONF_LOCATION,
    .finish = finish,
};
