/* explain_words.c - the outcome of each step of a request, in words. Told from where the
 * request stood before the step and where it stands after it; the decisions themselves are those of
 * steps.c, file_response.c and route.c. */
#include "http/explain/explain_words.h"

#include "base/clock.h"
#include "file/open.h"
#include "http/content/variant.h"
#include "http/core/route.h"
#include "http/files/place.h"
#include "http/limit/limits.h"
#include "http/listing/listing.h"
#include "http/variable/variable.h"
#include "net/address.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void explain_say(struct explain *e, const char *topic, const char *format, ...)
{
    char *words;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&words, format, args);
    va_end(args);
    if (n < 0)
        return;
    e->options->tell(e->options->arg, topic, words);
    free(words);
}

__attribute__((format(printf, 2, 3))) static void because(struct explain *e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    e->why = arena_vprintf(&e->request->arena, format, args);
    va_end(args);
}

const char *explain_place(struct explain *e, const char *file, unsigned line)
{
    const char *folder = e->options->folder;
    size_t len = folder ? strlen(folder) : 0;

    if (len > 0 && strncmp(file, folder, len) == 0)
        file += len;
    const char *text = arena_printf(&e->request->arena, "(%s:%u)", file, line);
    return text ? text : "";
}

/* ---- address, server, URI ---- */

static const struct server_listen *listen_of(const struct server *server, const struct address *address)
{
    list_each (&server->listens, node, tmp) {
        const struct server_listen *l = container_of(node, struct server_listen, node);
        if (address_equal(&l->address, address))
            return l;
    }
    return NULL;
}

static bool name_fits(const struct server_name *n, struct text host)
{
    size_t len = n->text.len;

    switch (n->kind) {
    case NAME_EXACT:
        return text_equal(n->text, host);
    case NAME_LEADING:
        if (n->with_bare && text_equal(n->text, host))
            return true;
        return host.len > len + 1 && text_ends(host, n->text) && host.at[host.len - len - 1] == '.';
    case NAME_TRAILING:
        return host.len > len && text_starts(host, n->text) && host.at[len] == '.';
    case NAME_REGEX:
        return pattern_match(n->pattern, host, NULL) == 1;
    }
    return false;
}

/* Kinds in the order of route_server(). */
const struct server_name *explain_name(const struct server *server, struct text host)
{
    for (int kind = NAME_EXACT; kind <= NAME_REGEX; kind++)
        list_each (&server->names, node, tmp) {
            const struct server_name *n = container_of(node, struct server_name, node);
            if ((int)n->kind == kind && name_fits(n, host))
                return n;
        }
    return NULL;
}

static void say_server(struct explain *e)
{
    struct request *r = e->request;
    const struct server *s = r->server;
    const struct server_name *n = explain_name(s, r->host);
    const char *at = explain_place(e, s->block->file, s->block->line);
    struct text name = s->name.len > 0 ? s->name : TEXT("without a name");

    if (!n && !e->request->client->address->names)
        explain_say(e, "server", "%.*s %s: the only one at this address", TEXT_ARG(name), at);
    else if (!n)
        explain_say(e, "server", "%.*s %s: no server here has the name \"%.*s\", and this is the default",
                    TEXT_ARG(name), at, TEXT_ARG(r->host));
    else if (n->kind == NAME_EXACT)
        explain_say(e, "server", "%.*s %s: by its exact name", TEXT_ARG(n->text), at);
    else if (n->kind == NAME_LEADING)
        explain_say(e, "server", "%.*s %s: by its name %s.%.*s", TEXT_ARG(name), at, n->with_bare ? "" : "*",
                    TEXT_ARG(n->text));
    else if (n->kind == NAME_TRAILING)
        explain_say(e, "server", "%.*s %s: by its name %.*s.*", TEXT_ARG(name), at, TEXT_ARG(n->text));
    else
        explain_say(e, "server", "%.*s %s: by its regular expression %.*s", TEXT_ARG(name), at, TEXT_ARG(n->text));
}

void explain_opening(struct explain *e)
{
    const struct request *r = e->request;
    const struct address *a = &e->request->client->address->address;
    const struct server_listen *l = listen_of(r->server, a);
    char text[ADDRESS_TEXT_SIZE];

    address_format(a, true, text);
    explain_say(e, "address", "%s %s: %s", text, l ? explain_place(e, l->file, l->line) : "", e->options->address_why);
    if (e->refused)
        return;
    say_server(e);
    if (!text_starts(r->raw_uri, e->uri))
        explain_say(e, "uri", "%.*s, which is what %.*s comes to", TEXT_ARG(e->uri), TEXT_ARG(r->raw_uri));
}

/* ---- locations ---- */

static unsigned count_regexes(const struct conf_block *block)
{
    unsigned n = 0;
    list_each (&block->children, node, tmp) {
        const struct conf_block *child = container_of(node, struct conf_block, node);
        if (child->context == CONF_LOCATION)
            n += ((const struct location *)child->owner)->kind == LOCATION_REGEX;
    }
    return n;
}

/* Those that were tried before the prefix was taken: on every level around it, and inside it. */
static unsigned regexes_tried(const struct request *r, const struct location *l)
{
    unsigned n = count_regexes(r->server->block);
    for (; l && l != &r->server->base; l = l->parent)
        n += count_regexes(l->block);
    return n;
}

static const char *label(struct request *r, const struct location *l)
{
    static const char *const kinds[] = {
        [LOCATION_PREFIX] = "prefix ", [LOCATION_PREFIX_FINAL] = "^~ ",
        [LOCATION_EXACT] = "= ",       [LOCATION_REGEX] = "regular expression ",
        [LOCATION_NAMED] = "",
    };
    const char *text = arena_printf(&r->arena, "%s%.*s", kinds[l->kind], TEXT_ARG(l->name));
    return text ? text : "";
}

static void say_location(struct explain *e, const struct location *l)
{
    struct request *r = e->request;

    if (l == &r->server->base) {
        explain_say(e, "location", "none fits: the settings of the server itself");
        return;
    }
    const char *name = label(r, l), *at = explain_place(e, l->block->file, l->block->line);
    unsigned tried = regexes_tried(r, l);
    switch (l->kind) {
    case LOCATION_PREFIX:
        if (tried > 0)
            explain_say(e, "location", "%s %s: the longest that fits; no regular expression matches (%u tried)", name,
                        at, tried);
        else
            explain_say(e, "location", "%s %s: the longest that fits; there are no regular expressions to try", name,
                        at);
        break;
    case LOCATION_PREFIX_FINAL:
        explain_say(e, "location", "%s %s: the longest that fits; ^~ leaves regular expressions untried", name, at);
        break;
    case LOCATION_EXACT:
        explain_say(e, "location", "%s %s: exactly this URI", name, at);
        break;
    case LOCATION_REGEX:
        explain_say(e, "location", "%s %s: the first that matches", name, at);
        break;
    case LOCATION_NAMED:
        explain_say(e, "location", "%s %s: by its name", name, at);
        break;
    }
    if (l->parent)
        explain_say(e, NULL, "inside location %s", label(r, l->parent));
}

static void say_return(struct explain *e, const struct return_action *a, const char *where)
{
    if (a->text)
        explain_say(e, "return", "%d %.*s, says the %s", a->status, TEXT_ARG(a->text->text), where);
    else
        explain_say(e, "return", "%d, says the %s", a->status, where);
    because(e, "return says so");
}

/* What the instructions of a server or a location came to. */
static void say_rewrite(struct explain *e, const struct moment *before, const char *where)
{
    struct request *r = e->request;

    if (r->location != before->location && r->location->block->context == CONF_IF)
        explain_say(e, "if", "its settings count %s",
                    explain_place(e, r->location->block->file, r->location->block->line));
    if (r->returned) {
        say_return(e, r->returned, where);
    } else if (r->step == STEP_READY && r->redirects == before->redirects) {
        explain_say(e, "rewrite", "redirects the client to %.*s, says the %s", TEXT_ARG(r->out.location), where);
        because(e, "rewrite says so");
    } else if (!text_equal(r->uri, before->uri) && !r->in_error_page) {
        explain_say(e, "rewrite", "to %.*s, says the %s", TEXT_ARG(r->uri), where);
    }
    r->returned = NULL;
}

static void say_access(struct explain *e, const struct moment *before)
{
    const char *why = explain_access(e, before);

    if (why)
        because(e, "%s", why);
}

static void say_found(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    struct text uri = r->uri;

    r->uri = before->uri; /* the step may have led on to another */
    const struct location *l = route_location(r);
    r->uri = uri;
    if (!l) {
        because(e, "a regular expression of a location gave up at its match limit");
        return;
    }
    say_location(e, l);
    if (l->http->internal && !before->internal)
        because(e, "the location is internal: for internal redirects only");
    else if (r->out.status == 413)
        because(e, "the body is larger than client_max_body_size");
}

/* What the step decides alone: content that is made in memory, and refusals, in whose place an
 * error page may stand. */
static void say_content(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    struct text method = {r->msg.line.at, text_find(r->msg.line, ' ')};
    bool made = before->location->content || before->location->empty_gif;

    if (r->out.status == 405 || (r->redirects > before->redirects && !text_equal(method, TEXT("GET"))))
        because(e, "%s not answer %.*s", made ? "it does" : "files do", TEXT_ARG(method));
    else if (made)
        because(e, "the location makes its own content");
    else
        because(e, "its path cannot be made: %s",
                r->uri_broken ? "an alias has nothing to cut off a URI that was rewritten"
                              : "a \"..\" of the request would lead out of the folder");
}

static void say_route(struct explain *e, const struct moment *before)
{
    if (e->request->server->base.rewrite)
        say_rewrite(e, before, "server");
    else
        say_found(e, before);
}

/* ---- files ---- */

/* What stands at a path, seen as a cold open would see it. */
struct look {
    int rc; /* 0 or -errno */
    enum file_kind kind;
    off_t size;
    char modified[CLOCK_HTTP_LEN + 1];
};

static struct look look_at(struct text path)
{
    const struct open_options options = {.read_ahead = false};
    struct look l = {.rc = -ENOMEM};
    struct file *f;

    if (path.at)
        l.rc = file_open(&f, path.at, &options);
    if (l.rc < 0)
        return l;
    l.kind = f->kind;
    l.size = f->size;
    clock_format_http(l.modified, f->mtime.tv_sec);
    file_release(f);
    return l;
}

static const char *kind_text(enum file_kind kind)
{
    return kind == FILE_DIRECTORY ? "a directory" : kind == FILE_REGULAR ? "a file" : "neither file nor directory";
}

static void say_try_files(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    const struct http_conf *h = before->location->http;
    const struct template_list *t = h->try_files.names;

    if (!t || t->count == 0)
        return;
    struct text name = t->items[before->step_at]->text;
    if (before->step_at >= t->count - 1) {
        explain_say(e, "try_files", "%.*s: the last resort", TEXT_ARG(name));
        because(e, "no file of try_files exists");
        return;
    }
    struct look l = look_at(before->path);
    bool directory = h->try_files.directory[before->step_at];
    const char *slash = directory ? "/" : "";
    bool taken = r->step != STEP_TRY_FILES;
    if (taken)
        explain_say(e, "try_files", "%.*s%s is %.*s: there", TEXT_ARG(name), slash, TEXT_ARG(before->path));
    else if (l.rc < 0)
        explain_say(e, "try_files", "%.*s%s is %.*s: %s", TEXT_ARG(name), slash, TEXT_ARG(before->path),
                    strerror(-l.rc));
    else
        explain_say(e, "try_files", "%.*s%s is %.*s: %s, where %s is asked for", TEXT_ARG(name), slash,
                    TEXT_ARG(before->path), kind_text(l.kind), directory ? "a directory" : "a file");
}

static void say_no_index(struct explain *e, const struct moment *before)
{
    struct look l = look_at(before->path);

    if (l.rc < 0) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), strerror(-l.rc));
        because(e, "%s",
                l.rc == -ENOENT || l.rc == -ENOTDIR ? "there is no such directory" : "the directory may not be opened");
    } else if (e->request->step == STEP_LISTING) {
        explain_say(e, "index", "none is there; autoindex is on");
    } else {
        explain_say(e, "index", "none is there; autoindex is %s",
                    before->location->listing->on ? "for GET and HEAD" : "off");
        because(e, "%.*s has no index file, and may not be listed", TEXT_ARG(before->path));
    }
}

static void say_index(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    const struct template_list *names = before->location->http->index;

    if (before->step_at >= names->count) {
        say_no_index(e, before);
        return;
    }
    struct text name = names->items[before->step_at]->text;
    if (!before->path.at) {
        explain_say(e, "index", "%.*s", TEXT_ARG(name));
        return;
    }
    struct look l = look_at(before->path);
    if (l.rc == 0 && r->step != STEP_INDEX)
        explain_say(e, "index", "%.*s is %.*s: there", TEXT_ARG(name), TEXT_ARG(before->path));
    else
        explain_say(e, "index", "%.*s is %.*s: %s", TEXT_ARG(name), TEXT_ARG(before->path), strerror(-l.rc));
    if (r->step != STEP_INDEX && l.rc < 0)
        because(e, "%s may not be opened", before->path.at);
}

static void say_file(struct explain *e, const struct moment *before)
{
    struct look l = look_at(before->path);
    int rc = -l.rc;

    if (rc != 0) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), strerror(rc));
        because(e, "%s", rc == ENOENT || rc == ENOTDIR ? "there is no such file" : "the file may not be opened");
        return;
    }
    if (l.kind != FILE_REGULAR) {
        explain_say(e, "file", "%.*s: %s", TEXT_ARG(before->path), kind_text(l.kind));
        because(e, "%s",
                l.kind == FILE_DIRECTORY ? "the client is sent to the directory's own URI, which ends with /"
                                         : "only regular files are served");
        return;
    }
    explain_say(e, "file", "%.*s: %lld bytes, modified %s", TEXT_ARG(before->path), (long long)l.size, l.modified);
    if (e->request->msg.method == METHOD_POST)
        because(e, "a file answers GET and HEAD");
}

static const char *why_not_usable(struct request *r, enum coding c)
{
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);

    if (!r->msg.fields[FIELD_ACCEPT_ENCODING].at)
        return "there is no Accept-Encoding";
    if (accept_encoding_takes(&accept, c))
        return "gzip_http_version, gzip_proxied or gzip_disable say no";
    return accept.q[c] > 0 ? "Accept-Encoding prefers identity" : "Accept-Encoding does not accept it";
}

static void say_variant(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    struct variant_look looks[2 * CODINGS];

    if (!before->path.at)
        return;
    const struct variant_look *look = (variant_looks(r, looks), &looks[before->step_at]);
    struct text name = coding_name(look->coding);
    struct look l = look_at(before->path);
    bool there = l.rc == 0 && l.kind == FILE_REGULAR;
    bool chosen = there && look->usable && text_equal(r->path, before->path);
    if (!there)
        explain_say(e, "side file", "%.*s: %.*s: %s", TEXT_ARG(name), TEXT_ARG(before->path),
                    l.rc < 0 ? strerror(-l.rc) : kind_text(l.kind));
    else if (chosen)
        explain_say(e, "side file", "%.*s: %.*s is there, and %s", TEXT_ARG(name), TEXT_ARG(before->path),
                    r->location->variants->mode[look->coding] == VARIANT_ALWAYS ? "is sent to every client"
                                                                                : "the client accepts it");
    else
        explain_say(e, "side file", "%.*s: %.*s is there, so the answer varies; but %s", TEXT_ARG(name),
                    TEXT_ARG(before->path), look->usable ? "a better one is chosen" : why_not_usable(r, look->coding));
}

static void say_listing(struct explain *e, const struct moment *before)
{
    const struct response *o = &e->request->out;

    explain_say(e, "listing", "of %.*s: %llu bytes", TEXT_ARG(before->path), (unsigned long long)o->length);
    because(e, "%s", o->status == 200 ? "the list of the directory" : "the directory cannot be listed");
}

/* ---- what every step may lead to ---- */

static void say_turn(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    bool entered = r->step == STEP_NAMED;
    bool page = (r->in_error_page && !before->in_error_page) ||
                (r->error_status > 0 && r->error_status != before->error_status);

    if (r->step == STEP_READY && r->redirects > before->redirects)
        because(e, "internal redirects form a cycle");
    else if (page && r->step == STEP_READY)
        explain_say(e, "error_page", "redirects the client");
    else if (page && entered)
        explain_say(e, "error_page", "leads to %.*s", TEXT_ARG(r->location->name));
    else if (page && r->error_status > 0)
        explain_say(e, "error_page", "%.*s, with status %d", TEXT_ARG(r->uri), r->error_status);
    else if (page)
        explain_say(e, "error_page", "%.*s, with its own status", TEXT_ARG(r->uri));
    else if (r->step == STEP_ROUTE)
        explain_say(e, "redirect", "internal, to %.*s", TEXT_ARG(r->uri));
    if (r->redirects > before->redirects && entered)
        say_location(e, r->location);
}

void explain_step(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;

    switch (before->step) {
    case STEP_ROUTE:
        say_route(e, before);
        break;
    case STEP_LOCATION:
        say_found(e, before);
        break;
    case STEP_NAMED: /* said when it was named */
        break;
    case STEP_REWRITE:
        say_rewrite(e, before, "location");
        break;
    case STEP_LIMIT:
        explain_say(e, "limits", "%s%s%s: the first request is let through",
                    r->location->limits->req ? "limit_req" : "",
                    r->location->limits->req && r->location->limits->conn ? " and " : "",
                    r->location->limits->conn ? "limit_conn" : "");
        break;
    case STEP_ACCESS:
        say_access(e, before);
        break;
    case STEP_TRY_FILES:
        say_try_files(e, before);
        break;
    case STEP_CONTENT:
        if (r->step == STEP_READY || r->redirects > before->redirects)
            say_content(e, before);
        break;
    case STEP_RANDOM_INDEX:
        explain_say(e, "random_index", r->redirects > before->redirects ? "one of the files" : "no file is there");
        break;
    case STEP_INDEX:
        say_index(e, before);
        break;
    case STEP_VARIANT:
        say_variant(e, before);
        break;
    case STEP_FILE:
        say_file(e, before);
        break;
    case STEP_LISTING:
        say_listing(e, before);
        break;
    case STEP_FIELDS:
    case STEP_READY:
        break;
    }
    say_turn(e, before);
}

/* Absent: this step looks for nothing. */
static struct text side_path(struct request *r)
{
    struct variant_look looks[2 * CODINGS];

    if (!r->location->variants || r->msg.method == METHOD_POST || r->step_at >= variant_looks(r, looks) ||
        !variant_matters(r, &looks[r->step_at]))
        return TEXT_NONE;
    if (!r->path.at)
        r->path = place_path(r, r->uri);
    return variant_path(r, &looks[r->step_at]);
}

struct moment explain_moment(struct request *r)
{
    const struct http_conf *h = r->location->http;
    const struct template_list *names = r->step == STEP_TRY_FILES ? h->try_files.names : h->index;
    struct moment m = {
        .step = r->step,
        .step_at = r->step_at,
        .uri = r->uri,
        .location = r->location,
        .redirects = r->redirects,
        .error_status = r->error_status,
        .in_error_page = r->in_error_page,
        .internal = r->internal,
    };

    if (r->step == STEP_TRY_FILES && names && r->step_at + 1 < names->count) {
        m.path = place_path(r, template_text(names->items[r->step_at], r));
    } else if (r->step == STEP_INDEX && r->step_at < names->count) {
        struct text name = template_text(names->items[r->step_at], r), uri;
        if (!text_starts(name, TEXT("/")))
            m.path = place_index(r, name, &uri);
    } else if (r->step == STEP_VARIANT) {
        m.path = side_path(r);
    } else if (r->step == STEP_FILE || r->step == STEP_INDEX || r->step == STEP_LISTING) {
        m.path = r->path.at ? r->path : place_path(r, r->uri);
    }
    return m;
}
