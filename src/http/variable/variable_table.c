/* variable_table.c - the variables of a request, each a small function.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html */
#include "http/variable/variable_table.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/request/request.h"
#include "http/variable/variable_text.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define GETTER(name) static void get_##name(struct request *r, const void *data, struct text *out)
#define UNUSED(x)    ((void)(x))

/* The nginx that configurations may take this for: whose behaviour it is compared with. */
#define COMPATIBLE_VERSION "1.22.1"

/* A struct text at an offset in struct request. */
static void get_field_at(struct request *r, const void *data, struct text *out)
{
    size_t offset = (size_t)(uintptr_t)data;
    *out = *(const struct text *)(const void *)((const char *)r + offset);
}

#define REQUEST_TEXT(field) .get = get_field_at, .data = offsetof(struct request, field)

GETTER(known_field)
{
    *out = r->msg.fields[(size_t)(uintptr_t)data];
}

GETTER(is_args)
{
    UNUSED(data);
    *out = r->args.len > 0 ? TEXT("?") : TEXT("");
}

GETTER(arg)
{
    struct text name = *(const struct text *)data, rest = r->args;

    *out = TEXT_NONE;
    while (name.len > 0 && rest.len > 0) {
        struct text pair = {rest.at, text_find(rest, '&')};
        rest = text_from(rest, pair.len < rest.len ? pair.len + 1 : rest.len);
        size_t eq = text_find(pair, '=');
        if (eq < pair.len && text_equal_nocase((struct text){pair.at, eq}, name)) {
            *out = text_from(pair, eq + 1);
            return;
        }
    }
}

GETTER(http)
{
    struct text name = *(const struct text *)data;

    *out = TEXT_NONE;
    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (variable_names_field(name, h->name))
            variable_join(r, text_equal(name, TEXT("cookie")) ? "; " : ", ", h->value, out);
    }
}

GETTER(content_type)
{
    static const struct text name = {"content_type", 12};

    UNUSED(data);
    get_http(r, &name, out);
}

GETTER(cookie)
{
    *out = variable_cookie(r, *(const struct text *)data);
}

GETTER(host)
{
    UNUSED(data);
    *out = r->host.len > 0 ? r->host : r->server->name;
}

GETTER(server_name)
{
    UNUSED(data);
    *out = r->server->name;
}

GETTER(server_protocol)
{
    UNUSED(data);
    *out = r->msg.version;
}

GETTER(scheme)
{
    UNUSED(data);
    *out = r->client->scheme->name;
}

/* The port behind the host that is asked for, as $host: of an absolute target, else of Host; 0:
 * there is none. */
static unsigned request_port(const struct request *r)
{
    struct text from = text_starts(r->msg.target, TEXT("/")) ? TEXT_NONE : r->msg.target;
    size_t scheme = text_find(from, ':') + 3; /* http:// */
    uint64_t port;

    from = scheme < from.len ? text_from(from, scheme) : r->msg.fields[FIELD_HOST];
    size_t end = 0, colon = 0;
    for (; end < from.len && !strchr("/?#", from.at[end]); end++)
        if (from.at[end] == ':')
            colon = end + 1;
    /* In [::1] no colon has only digits up to the end. */
    return colon > 0 && number_parse((struct text){from.at + colon, end - colon}, &port) == 0 ? (unsigned)port : 0;
}

GETTER(request_port)
{
    unsigned port = request_port(r);

    UNUSED(data);
    *out = TEXT("");
    if (port > 0)
        variable_number(r, port, out);
}

GETTER(is_request_port)
{
    UNUSED(data);
    *out = request_port(r) > 0 ? TEXT(":") : TEXT("");
}

GETTER(status)
{
    UNUSED(data);
    int status = r->out.status > 0 ? r->out.status : r->error_status;
    if (status == 0)
        *out = TEXT("000");
    else
        variable_number(r, (uint64_t)status, out);
}

GETTER(body_bytes_sent)
{
    UNUSED(data);
    variable_number(r, r->body_sent, out);
}

GETTER(bytes_sent)
{
    UNUSED(data);
    variable_number(r, r->head_len + r->body_sent, out);
}

GETTER(request_length)
{
    UNUSED(data);
    variable_number(r, r->received, out);
}

GETTER(request_time)
{
    UNUSED(data);
    variable_msec(r, clock_now.msec - r->start_msec, out);
}

GETTER(msec)
{
    UNUSED(data);
    variable_msec(r, clock_now.sec * 1000 + clock_now.sec_msec, out);
}

GETTER(time_local)
{
    UNUSED(data), UNUSED(r);
    *out = (struct text){clock_now.log, CLOCK_LOG_LEN};
}

GETTER(time_iso8601)
{
    UNUSED(data), UNUSED(r);
    *out = (struct text){clock_now.iso8601, CLOCK_ISO8601_LEN};
}

GETTER(request_completion)
{
    UNUSED(data);
    *out = r->complete ? TEXT("OK") : TEXT("");
}

/* 16 random bytes in hex; the same for the whole request. */
GETTER(request_id)
{
    UNUSED(data);
    if (!r->id) {
        unsigned char bytes[16];
        char *id = arena_alloc(&r->arena, 33);
        *out = TEXT_NONE;
        if (!id || getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
            return;
        for (size_t i = 0; i < sizeof bytes; i++)
            snprintf(id + 2 * i, 3, "%02x", bytes[i]);
        r->id = id;
    }
    *out = (struct text){r->id, 32};
}

GETTER(hostname)
{
    UNUSED(data);
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) == 0)
        for (char *c = name; *c; c++)
            *c = text_lower(*c);
    *out = arena_text(&r->arena, text_of(name));
}

GETTER(pid)
{
    UNUSED(data);
    variable_number(r, (uint64_t)getpid(), out);
}

GETTER(nginx_version)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT(COMPATIBLE_VERSION);
}

GETTER(io_method)
{
    UNUSED(data);
    *out = text_of(io_method_name(r->out.method));
    UNUSED(r);
}

GETTER(io_wait)
{
    UNUSED(data);
    variable_msec(r, r->io_wait_msec, out);
}

GETTER(io_bytes_direct)
{
    UNUSED(data);
    variable_number(r, r->out.method == IO_DIRECT ? r->body_sent : 0, out);
}

GETTER(io_bytes_cached)
{
    UNUSED(data);
    variable_number(r, r->out.method == IO_DIRECT || r->out.method == IO_NONE ? 0 : r->body_sent, out);
}

static void set_args(struct request *r, struct text value)
{
    r->args = value;
}

const struct variable_row request_variables[] = {
    {"args", REQUEST_TEXT(args), .flags = VARIABLE_CHANGEABLE, .set = set_args},
    {"body_bytes_sent", .get = get_body_bytes_sent},
    {"bytes_sent", .get = get_bytes_sent},
    {"content_length", .get = get_known_field, .data = FIELD_CONTENT_LENGTH},
    {"content_type", .get = get_content_type},
    {"document_uri", REQUEST_TEXT(uri)},
    {"host", .get = get_host},
    {"hostname", .get = get_hostname},
    {"http_referer", .get = get_known_field, .data = FIELD_REFERER}, /* in every combined line: without the search */
    {"http_user_agent", .get = get_known_field, .data = FIELD_USER_AGENT},
    {"io_bytes_cached", .get = get_io_bytes_cached, .flags = VARIABLE_CHANGEABLE},
    {"io_bytes_direct", .get = get_io_bytes_direct, .flags = VARIABLE_CHANGEABLE},
    {"io_method", .get = get_io_method, .flags = VARIABLE_CHANGEABLE},
    {"io_wait", .get = get_io_wait, .flags = VARIABLE_CHANGEABLE},
    {"is_args", .get = get_is_args},
    {"is_request_port", .get = get_is_request_port, .flags = VARIABLE_CHANGEABLE},
    {"msec", .get = get_msec},
    {"nginx_version", .get = get_nginx_version},
    {"pid", .get = get_pid},
    {"query_string", REQUEST_TEXT(args)},
    {"request", REQUEST_TEXT(msg.line)},
    {"request_completion", .get = get_request_completion},
    {"request_id", .get = get_request_id},
    {"request_length", .get = get_request_length},
    {"request_method", REQUEST_TEXT(msg.method_name)},
    {"request_port", .get = get_request_port, .flags = VARIABLE_CHANGEABLE},
    {"request_time", .get = get_request_time},
    {"request_uri", REQUEST_TEXT(raw_uri)},
    {"scheme", .get = get_scheme},
    {"server_name", .get = get_server_name},
    {"server_protocol", .get = get_server_protocol},
    {"status", .get = get_status},
    {"time_iso8601", .get = get_time_iso8601},
    {"time_local", .get = get_time_local},
    {"uri", REQUEST_TEXT(uri)},
    {"arg_", .get = get_arg, .flags = VARIABLE_FAMILY},
    {"cookie_", .get = get_cookie, .flags = VARIABLE_FAMILY},
    {"http_", .get = get_http, .flags = VARIABLE_FAMILY},
    {"http_cookie", .flags = VARIABLE_OF_FAMILY},
    {"http_host", .flags = VARIABLE_OF_FAMILY},
    {"http_via", .flags = VARIABLE_OF_FAMILY},
    {"http_x_forwarded_for", .flags = VARIABLE_OF_FAMILY},
    {.name = NULL},
};
