/* respond.c - error pages, redirects, texts, and the turns that error_page makes. See respond.h. */
#include "http/respond/respond.h"

#include "base/number.h"
#include "http/core/route.h"
#include "http/respond/response.h"
#include "http/syntax/field.h"
#include "http/syntax/status.h"
#include "http/variable/climb.h"
#include "http/variable/variable.h"

#include <stdlib.h>

enum { MOST_REDIRECTS = 10 };

/* Forgets what an earlier attempt had prepared. */
static void reset(struct request *r)
{
    struct response *o = &r->out;
    file_release(r->file);
    r->file = NULL;
    source_close(o->file.source);
    r->paced = NULL; /* another location may say otherwise; it has a timer only while it is sent */
    /* What was chosen by Accept-Encoding stays so. */
    *o = (struct response){.method = IO_NONE, .vary = o->vary, .vary_dictionary = o->vary_dictionary};
    o->fields_end = &o->fields;
}

/* What its carrier makes of it is the carrier's; an error page does not change it. */
static void note_failure(struct request *r, int status)
{
    if (r->fatal_status == 0 && status_is_fatal(status))
        r->fatal_status = status;
}

void respond_page(struct request *r, int status)
{
    reset(r);
    note_failure(r, status);
    r->out.status = status;
    if (status == 204 || status == 304) {
        r->out.no_length = true;
    } else {
        r->out.body = status_page(status, response_server(r), &r->arena);
        if (r->out.body.at)
            r->out.type = TEXT("text/html");
        r->out.length = r->out.body.len;
    }
    if (status == 405)
        r->out.allow = TEXT("GET, HEAD");
    r->step = STEP_FIELDS;
}

void respond_text(struct request *r, int status, struct text type, struct text body)
{
    reset(r);
    note_failure(r, status);
    if (r->error_status > 0)
        status = r->error_status;
    r->out.status = status;
    r->out.type = type;
    r->out.body = body;
    r->out.length = body.len;
    r->out.no_length = status == 204 || status == 304;
    r->step = STEP_FIELDS;
}

/* Also a redirect is a status that error_page can take over: its page, with this Location. */
void respond_redirect(struct request *r, int status, struct text target)
{
    r->moved_to = target;
    r->moved_by_server = false;
    respond_error(r, status);
}

void respond_redirect_self(struct request *r, int status, struct text target)
{
    r->moved_to = target;
    r->moved_by_server = true;
    respond_error(r, status);
}

/* Made for it, and what nginx itself closes with: then nobody is there to read an answer. */
static bool is_silent(int status)
{
    return status == 444 || status == 408 || status == 499;
}

static void end_silently(struct request *r, int status)
{
    reset(r);
    r->silent = true;
    r->out.status = status; /* for the log */
    r->step = STEP_READY;
}

void respond_status(struct request *r, int status)
{
    if (is_silent(status))
        end_silently(r, status);
    else
        respond_error(r, status);
}

void respond_return(struct request *r, const struct return_action *a)
{
    if (is_silent(a->status)) {
        end_silently(r, a->status);
        return;
    }
    const struct http_conf *h = r->location->http;
    bool has_text = a->text && (!template_is_constant(a->text) || a->text->text.len > 0);
    if (a->status >= 400 && !has_text) {
        respond_error(r, a->status);
        return;
    }
    r->out.status = r->error_status > 0 ? r->error_status : a->status; /* the text may ask for it */
    bool redirects = status_is_redirect(a->status);
    struct text value = a->text ? template_make(a->text, r, redirects ? TEMPLATE_FIELD : 0) : TEXT_NONE;
    if (!value.at)
        value = TEXT("");
    if (redirects)
        respond_redirect(r, a->status, value);
    else
        respond_text(r, a->status, mime_type(h->types, r->uri, h->default_type), value);
}

bool respond_too_many(struct request *r, const char *doing)
{
    if (++r->redirects <= MOST_REDIRECTS)
        return false;
    request_log(r, LEVEL_ERROR, 0, "rewrite or internal redirection cycle while %s \"%.*s\"", doing, TEXT_ARG(r->uri));
    respond_page(r, 500);
    return true;
}

void respond_internally_to(struct request *r, struct text target, const struct template *source)
{
    size_t question = text_find(target, '?');
    struct text args = question < target.len ? text_from(target, question + 1) : TEXT_NONE;
    respond_internally(r, (struct text){target.at, question}, args);
    r->climbs_by_conf = !template_climbs(source, target);
}

void respond_internally(struct request *r, struct text uri, struct text args)
{
    reset(r);
    r->uri = uri;
    r->args = args;
    r->path = TEXT_NONE;
    r->internal = true;
    r->uri_broken = false;
    r->climbs_by_conf = false;
    r->step = STEP_ROUTE;
    r->step_at = 0;
    respond_too_many(r, "internally redirecting to");
}

void respond_named(struct request *r, struct text name)
{
    reset(r);
    const struct location *l = route_named(r->server, name);
    if (!l) {
        request_log(r, LEVEL_ERROR, 0, "could not find named location \"%.*s\"", TEXT_ARG(name));
        respond_page(r, 500);
        return;
    }
    if (respond_too_many(r, "redirecting to named location of"))
        return;
    r->internal = true;
    r->path = TEXT_NONE;
    r->location = l;
    r->step = STEP_NAMED;
}

static const struct error_page *find_page(const struct request *r, int status)
{
    const struct http_conf *h = r->location->http;

    if (r->in_error_page)
        return NULL;
    for (const struct error_page *p = h->error_pages; p; p = p->next)
        if (p->status == status)
            return p;
    return NULL;
}

void respond_error(struct request *r, int status)
{
    const struct error_page *page = find_page(r, status);
    if (!page) {
        r->error_status = 0;
        respond_page(r, status);
        return;
    }
    note_failure(r, status);
    r->in_error_page = !r->location->http->recursive_error_pages;
    r->error_status = page->overwrite < 0 ? status : page->overwrite;
    struct text target = template_text(page->target, r);
    if (text_starts(target, TEXT("/"))) {
        if (!r->head_only) { /* the page is fetched with GET, whatever failed */
            r->msg.method = METHOD_GET;
            r->msg.method_name = TEXT("GET");
        }
        respond_internally_to(r, target, page->target);
    } else if (text_starts(target, TEXT("@"))) {
        respond_named(r, target);
    } else if (target.len > 0) {
        r->moved_to = template_field(page->target, r);
        r->moved_by_server = false;
        r->error_status = 0;
        respond_page(r, status_is_redirect(page->overwrite) ? page->overwrite : 302);
    } else {
        respond_page(r, status);
    }
}

void respond_refusal(struct request *r, int status)
{
    r->head_only = r->head_only || (r->msg.line.at && text_starts(r->msg.line, TEXT("HEAD ")));
    if (r->msg.line.at && text_starts(r->msg.line, TEXT("CONNECT ")))
        respond_page(r, status); /* an error_page may say 200, which would be a tunnel: RFC 9110, 9.3.6 */
    else
        respond_error(r, status);
}
