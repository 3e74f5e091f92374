/* confine.c - root_confine and disable_symlinks: what a location asks of file/open.c. Called by
 * steps.c.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#disable_symlinks */
#include "http/files/confine.h"

#include "http/core/core.h"
#include "http/files/place.h"
#include "http/request/request.h"
#include "http/variable/variable.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* ---- requests ---- */

static size_t last_slash(struct text t)
{
    while (t.len > 0 && t.at[t.len - 1] != '/')
        t.len--;
    return t.len;
}

/* The constant beginning of `t`, up to a slash. */
static size_t constant_folder(const struct template *t)
{
    return template_is_constant(t) || t->parts[0].variable ? 0 : last_slash(t->parts[0].text);
}

/* How much of `path` is the root that it may not leave; false: all of it, so that the configuration
 * itself names the file. */
static bool confined_root(struct request *r, struct text path, size_t *len)
{
    const struct root *root = &r->location->http->root;

    if (root->alias && root->strip == SIZE_MAX) {
        /* A regular expression makes the whole name: what the configuration says for sure is its
         * constant beginning. */
        *len = constant_folder(root->path);
        return *len > 0;
    }
    *len = place_root(r).len;
    if (*len >= path.len)
        return false;
    if (root->alias && *len > 0 && path.at[*len] != '/' && path.at[*len - 1] != '/')
        *len = last_slash((struct text){path.at, *len});
    return true;
}

static bool is_below(struct text path, struct text root)
{
    if (!root.at || !text_starts(path, root))
        return false;
    if (root.len == 0) /* the root directory, without its slash */
        return text_starts(path, TEXT("/"));
    return path.len == root.len || path.at[root.len] == '/' || root.at[root.len - 1] == '/';
}

/* The same for a path that `source` made, which need not begin with the root. -EACCES: nothing that
 * is known beforehand says where. */
static int named_root(struct request *r, struct text path, const struct template *source, struct open_options *o)
{
    char real[PATH_MAX];
    struct text root = place_root(r);

    if (is_below(path, root)) {
        o->beneath = confined_root(r, path, &o->root_len);
        return 0;
    }
    o->beneath = !template_is_constant(source);
    o->root_len = constant_folder(source);
    if (!o->beneath || o->root_len > 0)
        return 0;
    if (!root.at || !realpath(root.at, real) || !is_below(path, text_of(real))) /* $realpath_root */
        return -EACCES;
    o->root_len = strlen(real);
    return 0;
}

/* nginx's reading of from=: a part that does not start the path is no part of it. */
static void set_trusted(struct request *r, const struct symlinks_conf *s, struct text path, struct open_options *o)
{
    o->symlinks = (enum symlinks)s->mode;
    o->trusted = 0;
    if (!s->from)
        return;
    struct text from = template_text(s->from, r);
    if (from.len == 0 || !text_starts(path, from))
        return;
    if (from.len == path.len)
        o->symlinks = SYMLINKS_FOLLOW;
    else if (path.at[from.len] == '/')
        o->trusted = from.len;
    else if (path.at[from.len - 1] == '/')
        o->trusted = from.len - 1;
}

int confine_options(struct request *r, struct text path, const struct template *source, struct open_options *o)
{
    const struct confine_conf *conf = r->location->confine;
    int rc = conf->beneath && source ? named_root(r, path, source, o) : 0;

    if (rc < 0)
        return rc;
    if (conf->beneath && !source)
        o->beneath = confined_root(r, path, &o->root_len);
    if (conf->symlinks.mode != SYMLINKS_FOLLOW)
        set_trusted(r, &conf->symlinks, path, o);
    return 0;
}

int confine_folder_options(struct request *r, struct text path, struct open_options *o)
{
    const char *slash = text_ends(path, TEXT("/")) ? "" : "/";
    const char *entry = arena_printf(&r->arena, "%.*s%sx", TEXT_ARG(path), slash);

    return entry ? confine_options(r, text_of(entry), NULL, o) : -ENOMEM;
}

/* ---- directives ---- */

/* Said once, however many lines turn it on. */
static const char *set_confine(struct conf *cf, const struct conf_row *row, void *slot)
{
    const char *error = conf_set_flag(cf, row, slot);
    struct http_main *http = http_main_at(cf);

    if (!error && *(const bool *)slot && !http->told_no_guard && !file_guard_works()) {
        http->told_no_guard = true;
        conf_warn(cf,
                  "openat2 is not available (it needs Linux 5.6, and a seccomp profile that permits it): \"%s\" walks "
                  "paths name by name instead, which is as safe, but slower",
                  row->name);
    }
    return error;
}

/* off | on | if_not_owner [from=part] */
static const char *set_symlinks(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct symlinks_conf *s = slot;
    bool given = false;

    *s = (struct symlinks_conf){SYMLINKS_FOLLOW, NULL};
    for (unsigned i = 1; i < cf->count; i++) {
        struct text arg = cf->args[i];
        if (text_starts(arg, TEXT("from="))) {
            const char *error =
                template_compile(cf, http_main_at(cf)->variables, text_from(arg, sizeof "from=" - 1), &s->from);
            if (error)
                return error;
            continue;
        }
        if (text_equal(arg, TEXT("off")))
            s->mode = SYMLINKS_FOLLOW;
        else if (text_equal(arg, TEXT("on")))
            s->mode = SYMLINKS_REFUSE;
        else if (text_equal(arg, TEXT("if_not_owner")))
            s->mode = SYMLINKS_IF_OWNER;
        else
            return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(arg));
        given = true;
    }
    if (!given)
        return conf_error(cf, "\"%s\" must have \"off\", \"on\" or \"if_not_owner\" parameter", row->name);
    if (cf->count == 3 && !s->from)
        return conf_error(cf, "duplicate parameters \"%.*s %.*s\"", TEXT_ARG(cf->args[1]), TEXT_ARG(cf->args[2]));
    if (s->from && s->mode == SYMLINKS_FOLLOW)
        return conf_error(cf, "\"from=\" cannot be used with \"off\" parameter");
    return NULL;
}

static const struct conf_row rows[] = {
    {"root_confine", CONF_HTTP_ALL, CONF_FLAG, set_confine, CONF_SLOT(struct confine_conf, beneath), .dflt = "off",
     .help = "Files are opened beneath their root or alias only: \"..\", and symbolic links that lead out of it or are "
             "absolute, "
             "get 403 and are left out of listings; links that stay beneath it are followed. The root itself may be a "
             "link.",
     .differs = "Not in nginx. On in the configuration that \"sluice DIR\" makes."},
    {"disable_symlinks", CONF_HTTP_ALL, CONF_TAKE12, set_symlinks, CONF_SLOT(struct confine_conf, symlinks),
     .dflt = "off", .syntax = "off | on | if_not_owner [from=part]",
     .help = "Whether symbolic links in a path get 403: all of them, or those whose owner is not the owner of their "
             "target; from= names a part of the path that is not checked.",
     .differs = "Listings leave out what it refuses."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct confine_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->confine = conf->beneath || conf->symlinks.mode != SYMLINKS_FOLLOW ? conf : NULL;
    return NULL;
}

struct conf_module confine_module = {
    .name = "Confinement of files",
    .rows = rows,
    .size = sizeof(struct confine_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
