/* explain_words.c - the outcome of each step of a request, in words. Told from where the
 * request stood before the step and where it stands after it; the decisions themselves are those of
 * steps.c, file_response.c and route.c. The words of routing are in explain_route.c, those of files
 * in explain_files.c. */
#include "http/explain/explain_private.h"

#include "http/content/variant.h"
#include "http/files/place.h"
#include "http/limit/limits.h"
#include "http/variable/variable.h"

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

void explain_because(struct explain *e, const char *format, ...)
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

static void say_access(struct explain *e, const struct moment *before)
{
    const char *why = explain_access(e, before);

    if (why)
        explain_because(e, "%s", why);
}

/* ---- what every step may lead to ---- */

static void say_turn(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;
    bool entered = r->step == STEP_NAMED;
    bool page = (r->in_error_page && !before->in_error_page) ||
                (r->error_status > 0 && r->error_status != before->error_status);

    if (r->step == STEP_READY && r->redirects > before->redirects)
        explain_because(e, "internal redirects form a cycle");
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
        explain_location(e, r->location);
}

void explain_step(struct explain *e, const struct moment *before)
{
    const struct request *r = e->request;

    switch (before->step) {
    case STEP_ROUTE:
        explain_route(e, before);
        break;
    case STEP_LOCATION:
        explain_found(e, before);
        break;
    case STEP_NAMED: /* said when it was named */
        break;
    case STEP_REWRITE:
        explain_rewrite(e, before, "location");
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
        explain_try_files(e, before);
        break;
    case STEP_CONTENT:
        if (r->step == STEP_READY || r->redirects > before->redirects)
            explain_content(e, before);
        break;
    case STEP_RANDOM_INDEX:
        explain_say(e, "random_index", r->redirects > before->redirects ? "one of the files" : "no file is there");
        break;
    case STEP_INDEX:
        explain_index(e, before);
        break;
    case STEP_VARIANT:
        explain_variant(e, before);
        break;
    case STEP_FILE:
        explain_file(e, before);
        break;
    case STEP_LISTING:
        explain_listing(e, before);
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
    struct variant_look looks[VARIANT_LOOKS];

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
