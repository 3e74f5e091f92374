/* place.c - from a URI to the name of a file: root, alias, and what may not come of joining them
 * with a request's text. See place.h.
 *
 * The path of a request's URI has no ".." left when it gets here. One can still arise where texts
 * are joined: "../x" of "/img../x" behind an alias, a capture, an argument. A ".." that the
 * configuration itself writes, whole, is its own business. */
#include "http/files/place.h"

#include "http/variable/climb.h"
#include "http/variable/variable.h"

#include <limits.h>
#include <stdlib.h>

struct text place_root(struct request *r)
{
    const struct location *l = r->location;
    if (l->root.at)
        return l->root;
    const struct root *conf = &l->http->root;
    struct text root = template_text(conf->path, r);
    if (root.at && conf->prefix && !text_starts(root, TEXT("/"))) /* a variable's value may be relative */
        root = text_of(arena_printf(&r->arena, "%s%.*s", conf->prefix, TEXT_ARG(root)));
    while (!conf->alias && root.at && root.len > 1 && root.at[root.len - 1] == '/')
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

struct text place_path_below(struct request *r, struct text rest)
{
    struct text root = place_root(r);
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

struct text place_path(struct request *r, struct text uri)
{
    return place_path_below(r, below_root(r, uri));
}

struct text place_index(struct request *r, struct text name, struct text *uri)
{
    const struct root *root = &r->location->http->root;

    *uri = place_joined(r, r->uri, name);
    if (!uri->at)
        return TEXT_NONE;
    return root->alias && root->strip == SIZE_MAX ? place_path_below(r, name) : place_path(r, *uri);
}

struct text place_joined(struct request *r, struct text a, struct text b)
{
    char *s = arena_alloc(&r->arena, a.len + b.len + 1);
    if (!s || !a.at || !b.at)
        return TEXT_NONE;
    memcpy(s, a.at, a.len);
    memcpy(s + a.len, b.at, b.len);
    s[a.len + b.len] = '\0';
    return (struct text){s, a.len + b.len};
}

/* ---- ".." ---- */

/* Whether the last bytes of `root` and the first ones of `rest` are one "..". */
static bool join_climbs(struct text root, struct text rest)
{
    size_t first = text_find(rest, '/'), last = 0;

    while (last < root.len && root.at[root.len - last - 1] != '/')
        last++;
    if (first == 0 || first + last != 2)
        return false;
    return rest.at[0] == '.' && (first == 2 ? rest.at[1] : root.at[root.len - 1]) == '.';
}

bool place_leads_out(struct request *r, struct text rest, bool own)
{
    const struct template *t = r->location->http->root.path;
    struct text root = place_root(r);

    return template_climbs(t, root) || (!own && (join_climbs(root, rest) || climbs_in(rest, true, false) > 0));
}

bool place_uri_leads_out(struct request *r)
{
    const struct location *l = r->location;

    /* The path of a URI as it came has none left. */
    if (l->root.at && !l->http->root.alias && !r->internal)
        return false;
    struct text rest = below_root(r, r->uri);

    /* Where an alias cuts a name in two, "x../", what is left can be a ".." that the configuration
     * did not write. */
    bool cut = rest.len > 0 && rest.at != r->uri.at && rest.at[-1] != '/';

    if (!r->climbs_by_conf)
        return place_leads_out(r, rest, false);
    return place_leads_out(r, rest, true) || (cut && join_climbs(place_root(r), rest));
}

static void get_document_root(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->location ? place_root(r) : TEXT_NONE;
}

static void get_realpath_root(struct request *r, const void *data, struct text *out)
{
    (void)data;
    char real[PATH_MAX];
    struct text root = r->location ? place_root(r) : TEXT_NONE;
    *out = TEXT_NONE;
    if (root.at && realpath(root.at, real))
        *out = arena_text(&r->arena, text_of(real));
}

static void get_request_filename(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->location ? place_path(r, r->uri) : TEXT_NONE;
}

const struct variable_row place_variables[] = {
    {"document_root", .get = get_document_root},
    {"realpath_root", .get = get_realpath_root},
    {"request_filename", .get = get_request_filename},
    {.name = NULL},
};
