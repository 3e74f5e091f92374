/* monitor.c - the directives stub_status and status, and which form is answered. Adding the
 * counters up and printing them takes some ten microseconds. See monitor.h. */
#include "http/log/monitor.h"

#include "base/clock.h"
#include "http/core/core.h"
#include "http/request/request.h"
#include "http/respond/headers.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"
#include "http/variable/variable_text.h"
#include "http/worker/worker.h"

#include <sys/random.h>

enum { NONCE_BYTES = 16 };

static const enum monitor_format anything[] = {MONITOR_PROMETHEUS, MONITOR_HTML, MONITOR_OPENMETRICS, MONITOR_JSON,
                                               MONITOR_FORMATS};
static const enum monitor_format metrics[] = {MONITOR_PROMETHEUS, MONITOR_OPENMETRICS, MONITOR_FORMATS};
static const enum monitor_format html[] = {MONITOR_HTML, MONITOR_FORMATS};
static const enum monitor_format json[] = {MONITOR_JSON, MONITOR_FORMATS};

/* `status html`: how the directive and ?format= name what is answered. */
static const struct {
    const char *name;
    const enum monitor_format *offered;
} names[] = {{"html", html}, {"json", json}, {"prometheus", metrics}};

#define MEDIA(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static const struct text types[] = {
    [MONITOR_PROMETHEUS] = MEDIA("text/plain; version=0.0.4; charset=utf-8"),
    [MONITOR_HTML] = MEDIA("text/html; charset=utf-8"),
    [MONITOR_JSON] = MEDIA("application/json"),
    [MONITOR_OPENMETRICS] = MEDIA("application/openmetrics-text; version=1.0.0; charset=utf-8"),
};

static const enum monitor_format *offered_by_name(struct text name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_equal(name, text_of(names[i].name)))
            return names[i].offered;
    }
    return NULL;
}

/* The value of format= in the query; absent: there is none. */
static struct text asked_format(struct text args)
{
    while (args.len > 0) {
        struct text pair = {args.at, text_find(args, '&')};

        if (text_starts(pair, TEXT("format=")))
            return text_from(pair, 7);
        args = text_from(args, pair.len < args.len ? pair.len + 1 : args.len);
    }
    return TEXT_NONE;
}

/* Several lines of Accept are one list: RFC 9110, 5.3. */
static struct text accept_of(struct request *r)
{
    struct text all = TEXT_NONE;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (!text_equal_nocase(h->name, TEXT("accept")))
            continue;
        all = all.at ? text_of(arena_printf(&r->arena, "%.*s,%.*s", TEXT_ARG(all), TEXT_ARG(h->value))) : h->value;
    }
    return all;
}

/* ---- answers ---- */

static void look(const struct request *r, struct monitor_view *v)
{
    const struct worker *w = r->worker;

    worker_sum(w, &v->counters);
    v->started = w->scoreboard ? scoreboard_started(w->scoreboard) : clock_now.sec;
    v->now = clock_now.sec * 1000 + clock_now.sec_msec;
    v->http = r->server->http;
}

static void give_page_back(void *arg)
{
    struct buffer *page = arg;

    buffer_fini(page);
}

/* A page that goes with the request; NULL: no memory. */
static struct buffer *new_page(struct request *r)
{
    struct buffer *page = arena_alloc(&r->arena, sizeof *page);

    if (!page)
        return NULL;
    buffer_init(page);
    return arena_at_fini(&r->arena, give_page_back, page) < 0 ? NULL : page;
}

static void respond(struct request *r, const struct buffer *page, struct text type)
{
    if (page->failed)
        respond_error(r, 500);
    else
        respond_text(r, 200, type, (struct text){page->data, page->len});
}

static bool answer_stub(struct request *r)
{
    struct counters c;
    struct buffer *page;

    page = new_page(r);
    if (!page) {
        respond_error(r, 500);
        return true;
    }
    worker_sum(r->worker, &c);
    monitor_print_stub(&c, page);
    respond(r, page, TEXT("text/plain"));
    return true;
}

static const char *new_nonce(struct request *r)
{
    unsigned char bytes[NONCE_BYTES];
    char *text = arena_alloc(&r->arena, 2 * NONCE_BYTES + 1);

    if (!text || getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return NULL;
    for (size_t i = 0; i < NONCE_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    text[2 * NONCE_BYTES] = '\0';
    return text;
}

static const char *print_as(struct request *r, enum monitor_format format, struct buffer *page)
{
    struct monitor_view v;
    const char *nonce = "";

    look(r, &v);
    switch (format) {
    case MONITOR_HTML:
        nonce = new_nonce(r);
        if (nonce)
            monitor_print_page(&v, nonce, page);
        break;
    case MONITOR_JSON:
        monitor_print_json(&v, page);
        break;
    default:
        monitor_print_metrics(&v, format == MONITOR_OPENMETRICS, page);
        break;
    }
    return nonce;
}

/* What the page may do: run its own script and style, and ask this place for more numbers. */
static void add_fields(struct request *r, enum monitor_format format, const char *nonce, bool negotiated)
{
    response_add(r, TEXT("Cache-Control"), TEXT("no-store"));
    response_add(r, TEXT("X-Content-Type-Options"), TEXT("nosniff"));
    if (negotiated)
        response_add(r, TEXT("Vary"), TEXT("Accept"));
    if (format != MONITOR_HTML)
        return;
    response_add(r, TEXT("Referrer-Policy"), TEXT("no-referrer"));
    response_add(r, TEXT("Content-Security-Policy"),
                 text_of(arena_printf(&r->arena,
                                      "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; img-src data:; "
                                      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                                      nonce, nonce)));
}

static bool answer_status(struct request *r)
{
    const enum monitor_format *offered = r->location->content_conf;
    struct text asked = asked_format(r->args);
    enum monitor_format format;
    struct buffer *page;
    const char *nonce;

    if (asked.at)
        offered = offered_by_name(asked);
    if (!offered) {
        respond_error(r, 400);
        return true;
    }
    format = monitor_negotiate(accept_of(r), offered);
    if (format == MONITOR_FORMATS) /* RFC 9110, 12.4.1: better than nothing */
        format = offered[0];
    page = new_page(r);
    nonce = page ? print_as(r, format, page) : NULL;
    if (!nonce) {
        respond_error(r, 500);
        return true;
    }
    respond(r, page, types[format]);
    if (r->out.status == 200)
        add_fields(r, format, nonce, offered[1] != MONITOR_FORMATS);
    return true;
}

/* ---- directives ---- */

static const char *set_stub_status(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    location_answers(cf, answer_stub, NULL);
    return NULL;
}

static const char *set_status(struct conf *cf, const struct conf_row *row, void *slot)
{
    const enum monitor_format *offered = cf->count > 1 ? offered_by_name(cf->args[1]) : anything;

    (void)row, (void)slot;
    if (!offered)
        return conf_error(cf,
                          "invalid value \"%.*s\" in \"status\" directive, it must be \"html\", \"json\" or "
                          "\"prometheus\"",
                          TEXT_ARG(cf->args[1]));
    location_answers(cf, answer_status, offered);
    return NULL;
}

/* https://nginx.org/en/docs/http/ngx_http_stub_status_module.html#variables; `data`: where in
 * struct connections_now. */
static void get_connections(struct request *r, const void *data, struct text *out)
{
    struct counters c;
    worker_sum(r->worker, &c);
    struct connections_now now = counters_connections(&c);
    const char *field = (const char *)&now + (uintptr_t)data;
    variable_number(r, *(const uint64_t *)(const void *)field, out);
}

const struct variable_row monitor_variables[] = {
    {"connections_active", .get = get_connections, .data = offsetof(struct connections_now, active)},
    {"connections_reading", .get = get_connections, .data = offsetof(struct connections_now, reading)},
    {"connections_waiting", .get = get_connections, .data = offsetof(struct connections_now, waiting)},
    {"connections_writing", .get = get_connections, .data = offsetof(struct connections_now, writing)},
    {.name = NULL},
};

static const struct conf_row rows[] = {
    {"stub_status", CONF_SERVER | CONF_LOCATION, CONF_TAKE0 | CONF_TAKE1, set_stub_status,
     .help = "Answers with the number of connections and requests, summed over all workers, in nginx's format.",
     .syntax = "[any]"},
    {"status", CONF_SERVER | CONF_LOCATION, CONF_TAKE0 | CONF_TAKE1, set_status,
     .help = "Answers with all counters, summed over all workers: metrics for Prometheus (OpenMetrics where Accept "
             "asks for it), JSON, or a live page. Without an argument Accept chooses; ?format=html, json or prometheus "
             "overrides both.",
     .syntax = "[html | json | prometheus]", .differs = "nginx has no such directive"},
    {.name = NULL},
};

struct conf_module monitor_module = {.name = "Status", .rows = rows};
