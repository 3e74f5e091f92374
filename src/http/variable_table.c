/* variable_table.c - the variables of a request, each a small function. https://nginx.org/en/docs/http/ngx_http_core_module.html */
#include "http/variable_table.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/auth.h"
#include "http/head.h"
#include "http/limit_rate.h"
#include "http/limits.h"
#include "http/place.h"
#include "http/referer.h"
#include "http/request.h"
#include "http/secure_link.h"
#include "http/userid.h"
#include "http/variable_text.h"
#include "http/worker.h"
#include "io/filter.h"
#include "net/proxy_protocol.h"
#include "net/proxy_tlv.h"
#include "net/socket.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

GETTER(sent_http)
{
    *out = head_field(r, *(const struct text *)data);
}

/* What add_trailer made, once it has. */
GETTER(sent_trailer)
{
    *out = TEXT_NONE;
    for (const struct field_line *f = r->out.trailers; f; f = f->next)
        if (variable_names_field(*(const struct text *)data, f->name))
            variable_join(r, ", ", f->value, out);
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

GETTER(remote_addr)
{
    UNUSED(data);
    variable_peer(r, r->peer, false, out);
}

GETTER(remote_port)
{
    UNUSED(data);
    variable_peer(r, r->peer, true, out);
}

/* Before realip.c. */
GETTER(realip_remote)
{
    variable_peer(r, &r->client->peer, data != NULL, out);
}

enum { PROXY_PORT = 1, PROXY_TARGET = 2 };

GETTER(proxy_protocol)
{
    const struct proxy_header *proxy = r->client->proxy;
    uintptr_t what = (uintptr_t)data;

    union peer peer;

    *out = TEXT("");
    if (!proxy)
        return;
    peer_set(&peer, what & PROXY_TARGET ? &proxy->target : &proxy->source);
    variable_peer(r, &peer, what & PROXY_PORT, out);
}

GETTER(proxy_protocol_tlv)
{
    struct text tlvs = r->client->proxy ? r->client->proxy->tlvs : TEXT_NONE, name = *(const struct text *)data;
    uint32_t verify;

    *out = TEXT_NONE;
    if (!text_equal(name, TEXT("ssl_verify")))
        *out = proxy_tlv_find(tlvs, name);
    else if (proxy_tlv_ssl_verify(tlvs, &verify))
        variable_number(r, verify, out);
}

GETTER(binary_remote_addr)
{
    UNUSED(data);
    const union peer *p = r->peer;
    if (p->any.sa_family == AF_INET)
        *out = (struct text){(const char *)&p->in4.sin_addr, sizeof p->in4.sin_addr};
    else if (p->any.sa_family == AF_INET6)
        *out = (struct text){(const char *)&p->in6.sin6_addr, sizeof p->in6.sin6_addr};
    else
        *out = TEXT("unix:");
}

GETTER(server_addr)
{
    UNUSED(data);
    struct address a;
    union peer peer;
    *out = TEXT("");
    if (r->carrier->ops->local(r, &a) < 0)
        return;
    peer_set(&peer, &a);
    if (a.any.sa_family == AF_UNIX)
        *out = text_of(arena_printf(&r->arena, "unix:%s", a.un.sun_path));
    else
        variable_peer(r, &peer, false, out);
}

GETTER(server_port)
{
    UNUSED(data);
    *out = TEXT("");
    if (r->client->address->address.any.sa_family != AF_UNIX)
        variable_number(r, address_port(&r->client->address->address), out);
}

/* The port behind the host that is asked for, as $host: of an absolute target, else of Host; 0: there is none. */
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

/* The name in `Authorization: Basic base64(name:password)`, whether or not anybody checks it; absent: none. */
GETTER(remote_user)
{
    UNUSED(data);
    struct credentials c;
    *out = auth_credentials(r, &c) ? c.user : TEXT_NONE;
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

GETTER(connection)
{
    UNUSED(data);
    variable_number(r, r->client->number, out);
}

GETTER(connection_requests)
{
    UNUSED(data);
    variable_number(r, r->ordinal, out);
}

GETTER(connection_time)
{
    UNUSED(data);
    variable_msec(r, clock_now.msec - r->client->since_msec, out);
}

GETTER(pipe)
{
    UNUSED(data);
    *out = r->pipelined ? TEXT("p") : TEXT(".");
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

GETTER(document_root)
{
    UNUSED(data);
    *out = r->location ? place_root(r) : TEXT_NONE;
}

GETTER(realpath_root)
{
    UNUSED(data);
    char real[PATH_MAX];
    struct text root = r->location ? place_root(r) : TEXT_NONE;
    *out = TEXT_NONE;
    if (root.at && realpath(root.at, real))
        *out = arena_text(&r->arena, text_of(real));
}

GETTER(request_filename)
{
    UNUSED(data);
    *out = r->location ? place_path(r, r->uri) : TEXT_NONE;
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

/* As nginx: two decimals, rounded; nothing before the end. */
GETTER(gzip_ratio)
{
    uint64_t taken = 0, made = 0;
    bool ended = false;

    UNUSED(data);
    *out = TEXT_NONE;
    if (r->out.gzip)
        filter_totals(r->out.gzip, &taken, &made, &ended);
    if (!ended || made == 0)
        return;
    uint64_t hundredths = (taken * 1000 / made + 5) / 10;
    *out = text_of(
        arena_printf(&r->arena, "%llu.%02u", (unsigned long long)(hundredths / 100), (unsigned)(hundredths % 100)));
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

/* https://nginx.org/en/docs/http/ngx_http_stub_status_module.html#variables; `data`: where in struct connections_now. */
GETTER(connections)
{
    struct counters c;
    worker_sum(r->worker, &c);
    struct connections_now now = counters_connections(&c);
    const char *field = (const char *)&now + (uintptr_t)data;
    variable_number(r, *(const uint64_t *)(const void *)field, out);
}

static void set_args(struct request *r, struct text value)
{
    r->args = value;
}

const struct variable_row request_variables[] = {
    {"args", REQUEST_TEXT(args), .flags = VARIABLE_CHANGEABLE, .set = set_args},
    {"binary_remote_addr", .get = get_binary_remote_addr},
    {"body_bytes_sent", .get = get_body_bytes_sent},
    {"bytes_sent", .get = get_bytes_sent},
    {"connection", .get = get_connection},
    {"connection_requests", .get = get_connection_requests},
    {"connection_time", .get = get_connection_time},
    {"connections_active", .get = get_connections, .data = offsetof(struct connections_now, active)},
    {"connections_reading", .get = get_connections, .data = offsetof(struct connections_now, reading)},
    {"connections_waiting", .get = get_connections, .data = offsetof(struct connections_now, waiting)},
    {"connections_writing", .get = get_connections, .data = offsetof(struct connections_now, writing)},
    {"content_length", .get = get_known_field, .data = FIELD_CONTENT_LENGTH},
    {"content_type", .get = get_content_type},
    {"document_root", .get = get_document_root},
    {"document_uri", REQUEST_TEXT(uri)},
    {"gzip_ratio", .get = get_gzip_ratio},
    {"host", .get = get_host},
    {"hostname", .get = get_hostname},
    {"http_referer", .get = get_known_field, .data = FIELD_REFERER}, /* in every combined line: without the search */
    {"http_user_agent", .get = get_known_field, .data = FIELD_USER_AGENT},
    {"invalid_referer", .get = referer_get_invalid, .flags = VARIABLE_CHANGEABLE},
    {"io_bytes_cached", .get = get_io_bytes_cached, .flags = VARIABLE_CHANGEABLE},
    {"io_bytes_direct", .get = get_io_bytes_direct, .flags = VARIABLE_CHANGEABLE},
    {"io_method", .get = get_io_method, .flags = VARIABLE_CHANGEABLE},
    {"io_wait", .get = get_io_wait, .flags = VARIABLE_CHANGEABLE},
    {"is_args", .get = get_is_args},
    {"is_request_port", .get = get_is_request_port, .flags = VARIABLE_CHANGEABLE},
    {"limit_conn_status", .get = limits_get_conn_status},
    {"limit_rate", .get = rate_get, .flags = VARIABLE_CHANGEABLE, .set = rate_set},
    {"limit_req_status", .get = limits_get_req_status},
    {"msec", .get = get_msec},
    {"nginx_version", .get = get_nginx_version},
    {"pid", .get = get_pid},
    {"pipe", .get = get_pipe},
    {"proxy_protocol_addr", .get = get_proxy_protocol},
    {"proxy_protocol_port", .get = get_proxy_protocol, .data = PROXY_PORT},
    {"proxy_protocol_server_addr", .get = get_proxy_protocol, .data = PROXY_TARGET},
    {"proxy_protocol_server_port", .get = get_proxy_protocol, .data = PROXY_TARGET | PROXY_PORT},
    {"query_string", REQUEST_TEXT(args)},
    {"realip_remote_addr", .get = get_realip_remote},
    {"realip_remote_port", .get = get_realip_remote, .data = 1},
    {"realpath_root", .get = get_realpath_root},
    {"remote_addr", .get = get_remote_addr},
    {"remote_port", .get = get_remote_port},
    {"remote_user", .get = get_remote_user},
    {"request", REQUEST_TEXT(msg.line)},
    {"request_completion", .get = get_request_completion},
    {"request_filename", .get = get_request_filename},
    {"request_id", .get = get_request_id},
    {"request_length", .get = get_request_length},
    {"request_method", REQUEST_TEXT(msg.method_name)},
    {"request_port", .get = get_request_port, .flags = VARIABLE_CHANGEABLE},
    {"request_time", .get = get_request_time},
    {"request_uri", REQUEST_TEXT(raw_uri)},
    {"scheme", .get = get_scheme},
    {"secure_link", .get = secure_link_get},
    {"secure_link_expires", .get = secure_link_get_expires},
    {"server_addr", .get = get_server_addr},
    {"server_name", .get = get_server_name},
    {"server_port", .get = get_server_port},
    {"server_protocol", .get = get_server_protocol},
    {"status", .get = get_status},
    {"time_iso8601", .get = get_time_iso8601},
    {"time_local", .get = get_time_local},
    {"uid_got", .get = userid_get_got},
    {"uid_reset", .get = userid_get_reset, .flags = VARIABLE_CHANGEABLE},
    {"uid_set", .get = userid_get_set},
    {"uri", REQUEST_TEXT(uri)},
    {"arg_", .get = get_arg, .flags = VARIABLE_FAMILY},
    {"cookie_", .get = get_cookie, .flags = VARIABLE_FAMILY},
    {"http_", .get = get_http, .flags = VARIABLE_FAMILY},
    {"http_cookie", .flags = VARIABLE_OF_FAMILY},
    {"http_host", .flags = VARIABLE_OF_FAMILY},
    {"http_via", .flags = VARIABLE_OF_FAMILY},
    {"http_x_forwarded_for", .flags = VARIABLE_OF_FAMILY},
    {"proxy_protocol_tlv_", .get = get_proxy_protocol_tlv, .flags = VARIABLE_FAMILY},
    {"sent_http_", .get = get_sent_http, .flags = VARIABLE_FAMILY},
    {"sent_http_cache_control", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_connection", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_length", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_type", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_keep_alive", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_last_modified", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_link", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_location", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_transfer_encoding", .flags = VARIABLE_OF_FAMILY},
    {"sent_trailer_", .get = get_sent_trailer, .flags = VARIABLE_FAMILY},
    {.name = NULL},
};
