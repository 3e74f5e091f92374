/* explain_route.c - which address, server and location take a request, and what their rewriting
 * came to, in words. The decisions are those of route.c and rewrite.c. */
#include "http/explain/explain_private.h"

#include "http/core/route.h"
#include "http/variable/variable.h"
#include "net/address.h"

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
    explain_say(e, "address", "%s%s %s: %s", text, r->client->address->tls ? " ssl" : "",
                l ? explain_place(e, l->file, l->line) : "", e->options->address_why);
    explain_protocol(e);
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

void explain_location(struct explain *e, const struct location *l)
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
    explain_because(e, "return says so");
}

/* What the instructions of a server or a location came to. */
void explain_rewrite(struct explain *e, const struct moment *before, const char *where)
{
    struct request *r = e->request;

    if (r->location != before->location && r->location->block->context == CONF_IF)
        explain_say(e, "if", "its settings count %s",
                    explain_place(e, r->location->block->file, r->location->block->line));
    if (r->returned) {
        say_return(e, r->returned, where);
    } else if (r->step == STEP_READY && r->redirects == before->redirects) {
        explain_say(e, "rewrite", "redirects the client to %.*s, says the %s", TEXT_ARG(r->out.location), where);
        explain_because(e, "rewrite says so");
    } else if (!text_equal(r->uri, before->uri) && !r->in_error_page) {
        explain_say(e, "rewrite", "to %.*s, says the %s", TEXT_ARG(r->uri), where);
    }
    r->returned = NULL;
}

void explain_found(struct explain *e, const struct moment *before)
{
    struct request *r = e->request;
    struct text uri = r->uri;

    r->uri = before->uri; /* the step may have led on to another */
    const struct location *l = route_location(r);
    r->uri = uri;
    if (!l) {
        explain_because(e, "a regular expression of a location gave up at its match limit");
        return;
    }
    explain_location(e, l);
    if (l->http->internal && !before->internal)
        explain_because(e, "the location is internal: for internal redirects only");
    else if (r->out.status == 413)
        explain_because(e, "the body is larger than client_max_body_size");
}

/* What the step decides alone: content that is made in memory, and refusals, in whose place an
 * error page may stand. */
void explain_content(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    struct text method = {r->msg.line.at, text_find(r->msg.line, ' ')};
    bool made = before->location->content || before->location->empty_gif;

    if (r->out.status == 405 || (r->redirects > before->redirects && !text_equal(method, TEXT("GET"))))
        explain_because(e, "%s not answer %.*s", made ? "it does" : "files do", TEXT_ARG(method));
    else if (made)
        explain_because(e, "the location makes its own content");
    else
        explain_because(e, "its path cannot be made: %s",
                        r->uri_broken ? "an alias has nothing to cut off a URI that was rewritten"
                                      : "a \"..\" of the request would lead out of the folder");
}

void explain_route(struct explain *e, const struct moment *before)
{
    if (e->request->server->base.rewrite)
        explain_rewrite(e, before, "server");
    else
        explain_found(e, before);
}
