/* variable_table.c - the built-in variables, each a small function. https://nginx.org/en/docs/http/ngx_http_core_module.html */
#include "http/variable_table.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/auth.h"
#include "http/head.h"
#include "http/limit_rate.h"
#include "http/limits.h"
#include "http/referer.h"
#include "http/request.h"
#include "http/secure_link.h"
#include "http/static.h"
#include "http/userid.h"
#include "http/worker.h"
#include "io/filter.h"
#include "net/proxy_protocol.h"
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

static void number_text(struct request *r, uint64_t value, struct text *out)
{
    char *digits = arena_alloc(&r->arena, 20);
    *out = digits ? (struct text){digits, number_format(digits, value)} : TEXT_NONE;
}

/* Seconds with three decimals, as $request_time. */
static void msec_text(struct request *r, int64_t msec, struct text *out)
{
    if (msec < 0)
        msec = 0;
    char *s = arena_printf(&r->arena, "%lld.%03d", (long long)(msec / 1000), (int)(msec % 1000));
    *out = text_of(s);
}

/* A struct text at an offset in struct request. */
static void get_field_at(struct request *r, const void *data, struct text *out)
{
    size_t offset = (size_t)(uintptr_t)data;
    *out = *(const struct text *)(const void *)((const char *)r + offset);
}

#define REQUEST_TEXT(field) get_field_at, offsetof(struct request, field)

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

/* Several fields of one name are joined as RFC 9110, 5.3 allows. */
GETTER(http)
{
    struct text name = *(const struct text *)data;

    *out = TEXT_NONE;
    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (!variable_names_field(name, h->name))
            continue;
        if (!out->at) {
            *out = h->value;
            continue;
        }
        const char *sep = text_equal(name, TEXT("cookie")) ? "; " : ", ";
        *out = text_of(arena_printf(&r->arena, "%.*s%s%.*s", TEXT_ARG(*out), sep, TEXT_ARG(h->value)));
    }
}

GETTER(sent_http)
{
    *out = head_field(r, *(const struct text *)data);
}

struct text variable_cookie(const struct request *r, struct text name)
{
    for (unsigned i = 0; i < r->msg.count; i++) {
        if (!text_equal_nocase(r->msg.headers[i].name, TEXT("cookie")))
            continue;
        struct text rest = r->msg.headers[i].value;
        while (rest.len > 0) {
            struct text pair = {rest.at, text_find(rest, ';')};
            rest = text_from(rest, pair.len < rest.len ? pair.len + 1 : rest.len);
            pair = text_trim(pair);
            size_t eq = text_find(pair, '=');
            if (eq < pair.len && text_equal_nocase(text_trim((struct text){pair.at, eq}), name))
                return text_trim(text_from(pair, eq + 1));
        }
    }
    return TEXT_NONE;
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

static void peer_text(struct request *r, const union peer *peer, bool port, struct text *out)
{
    *out = TEXT("");
    if (port) {
        if (peer_port(peer) > 0) /* a client that a header names may have none */
            number_text(r, peer_port(peer), out);
        return;
    }
    char *text = arena_alloc(&r->arena, ADDRESS_TEXT_SIZE);
    *out = text ? (struct text){text, peer_format(peer, text)} : TEXT_NONE;
}

GETTER(remote_addr)
{
    UNUSED(data);
    peer_text(r, r->peer, false, out);
}

GETTER(remote_port)
{
    UNUSED(data);
    peer_text(r, r->peer, true, out);
}

/* Before realip.c. */
GETTER(realip_remote)
{
    peer_text(r, &r->client->peer, data != NULL, out);
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
    peer_text(r, &peer, what & PROXY_PORT, out);
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
        peer_text(r, &peer, false, out);
}

GETTER(server_port)
{
    UNUSED(data);
    *out = TEXT("");
    if (r->client->address->address.any.sa_family != AF_UNIX)
        number_text(r, address_port(&r->client->address->address), out);
}

/* $http_user_agent names User-Agent: - and _ are one. */
bool variable_names_field(struct text variable, struct text field)
{
    if (variable.len != field.len)
        return false;
    for (size_t i = 0; i < field.len; i++) {
        char c = text_lower(field.at[i]);
        if ((c == '-' ? '_' : c) != variable.at[i])
            return false;
    }
    return true;
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
        number_text(r, (uint64_t)status, out);
}

GETTER(body_bytes_sent)
{
    UNUSED(data);
    number_text(r, r->body_sent, out);
}

GETTER(bytes_sent)
{
    UNUSED(data);
    number_text(r, r->head_len + r->body_sent, out);
}

GETTER(request_length)
{
    UNUSED(data);
    number_text(r, r->received, out);
}

GETTER(request_time)
{
    UNUSED(data);
    msec_text(r, clock_now.msec - r->start_msec, out);
}

GETTER(msec)
{
    UNUSED(data);
    msec_text(r, clock_now.sec * 1000 + clock_now.sec_msec, out);
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
    number_text(r, r->client->number, out);
}

GETTER(connection_requests)
{
    UNUSED(data);
    number_text(r, r->ordinal, out);
}

GETTER(connection_time)
{
    UNUSED(data);
    msec_text(r, clock_now.msec - r->client->since_msec, out);
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
    *out = r->location ? static_root(r) : TEXT_NONE;
}

GETTER(realpath_root)
{
    UNUSED(data);
    char real[PATH_MAX];
    struct text root = r->location ? static_root(r) : TEXT_NONE;
    *out = TEXT_NONE;
    if (root.at && realpath(root.at, real))
        *out = arena_text(&r->arena, text_of(real));
}

GETTER(request_filename)
{
    UNUSED(data);
    *out = r->location ? static_path(r, r->uri) : TEXT_NONE;
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
    number_text(r, (uint64_t)getpid(), out);
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
    msec_text(r, r->io_wait_msec, out);
}

GETTER(io_bytes_direct)
{
    UNUSED(data);
    number_text(r, r->out.method == IO_DIRECT ? r->body_sent : 0, out);
}

GETTER(io_bytes_cached)
{
    UNUSED(data);
    number_text(r, r->out.method == IO_DIRECT || r->out.method == IO_NONE ? 0 : r->body_sent, out);
}

/* https://nginx.org/en/docs/http/ngx_http_stub_status_module.html#variables; `data`: where in struct connections_now. */
GETTER(connections)
{
    struct counters c;
    worker_sum(r->worker, &c);
    struct connections_now now = counters_connections(&c);
    const char *field = (const char *)&now + (uintptr_t)data;
    number_text(r, *(const uint64_t *)(const void *)field, out);
}

struct row {
    const char *name;
    variable_get_fn *get;
    uintptr_t data;
};

static const struct row rows[] = {
    {"args", REQUEST_TEXT(args)},
    {"binary_remote_addr", get_binary_remote_addr, 0},
    {"body_bytes_sent", get_body_bytes_sent, 0},
    {"bytes_sent", get_bytes_sent, 0},
    {"connection", get_connection, 0},
    {"connection_requests", get_connection_requests, 0},
    {"connection_time", get_connection_time, 0},
    {"connections_active", get_connections, offsetof(struct connections_now, active)},
    {"connections_reading", get_connections, offsetof(struct connections_now, reading)},
    {"connections_waiting", get_connections, offsetof(struct connections_now, waiting)},
    {"connections_writing", get_connections, offsetof(struct connections_now, writing)},
    {"content_length", get_known_field, FIELD_CONTENT_LENGTH},
    {"document_root", get_document_root, 0},
    {"document_uri", REQUEST_TEXT(uri)},
    {"gzip_ratio", get_gzip_ratio, 0},
    {"host", get_host, 0},
    {"hostname", get_hostname, 0},
    {"invalid_referer", referer_get_invalid, 0},
    {"io_bytes_cached", get_io_bytes_cached, 0},
    {"io_bytes_direct", get_io_bytes_direct, 0},
    {"io_method", get_io_method, 0},
    {"io_wait", get_io_wait, 0},
    {"is_args", get_is_args, 0},
    {"limit_conn_status", limits_get_conn_status, 0},
    {"limit_rate", rate_get, 0},
    {"limit_req_status", limits_get_req_status, 0},
    {"msec", get_msec, 0},
    {"nginx_version", get_nginx_version, 0},
    {"pid", get_pid, 0},
    {"pipe", get_pipe, 0},
    {"proxy_protocol_addr", get_proxy_protocol, 0},
    {"proxy_protocol_port", get_proxy_protocol, PROXY_PORT},
    {"proxy_protocol_server_addr", get_proxy_protocol, PROXY_TARGET},
    {"proxy_protocol_server_port", get_proxy_protocol, PROXY_TARGET | PROXY_PORT},
    {"query_string", REQUEST_TEXT(args)},
    {"realip_remote_addr", get_realip_remote, 0},
    {"realip_remote_port", get_realip_remote, 1},
    {"realpath_root", get_realpath_root, 0},
    {"remote_addr", get_remote_addr, 0},
    {"remote_port", get_remote_port, 0},
    {"remote_user", get_remote_user, 0},
    {"request", REQUEST_TEXT(msg.line)},
    {"request_completion", get_request_completion, 0},
    {"request_filename", get_request_filename, 0},
    {"request_id", get_request_id, 0},
    {"request_length", get_request_length, 0},
    {"request_method", REQUEST_TEXT(msg.method_name)},
    {"request_time", get_request_time, 0},
    {"request_uri", REQUEST_TEXT(raw_uri)},
    {"scheme", get_scheme, 0},
    {"secure_link", secure_link_get, 0},
    {"secure_link_expires", secure_link_get_expires, 0},
    {"server_addr", get_server_addr, 0},
    {"server_name", get_server_name, 0},
    {"server_port", get_server_port, 0},
    {"server_protocol", get_server_protocol, 0},
    {"status", get_status, 0},
    {"time_iso8601", get_time_iso8601, 0},
    {"time_local", get_time_local, 0},
    {"uid_got", userid_get_got, 0},
    {"uid_reset", userid_get_reset, 0},
    {"uid_set", userid_get_set, 0},
    {"uri", REQUEST_TEXT(uri)},
};

struct family {
    struct text prefix;
    variable_get_fn *get;
};

static const struct family families[] = {
    {{"arg_", 4}, get_arg},
    {{"http_", 5}, get_http},
    {{"sent_http_", 10}, get_sent_http},
    {{"cookie_", 7}, get_cookie},
};

/* The names that Content-* variables of nginx and plain fields share come from the fields themselves. A prefix alone is
 * known too, as in nginx, and nearly always empty: a cookie may have no name. */
static bool find_family(struct variable *v, struct arena *arena)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *f = &families[i];
        if (!text_starts(v->name, f->prefix))
            continue;
        struct text *rest = arena_alloc(arena, sizeof *rest);
        if (!rest)
            return false;
        *rest = text_from(v->name, f->prefix.len);
        v->get = f->get;
        v->data = rest;
        return true;
    }
    return false;
}

static int compare_row(const void *key, const void *row)
{
    return strcmp(key, ((const struct row *)row)->name);
}

static const struct row *find_row(const char *name)
{
    return bsearch(name, rows, sizeof rows / sizeof *rows, sizeof *rows, compare_row);
}

/* `name` need not be NUL-terminated. */
static const struct row *find_row_of(struct text name)
{
    char copy[64];
    if (name.len >= sizeof copy)
        return NULL;
    memcpy(copy, name.at, name.len);
    copy[name.len] = '\0';
    return find_row(copy);
}

bool variable_table_reserves(struct text name)
{
    /* Of the families, nginx knows these by their full names. */
    static const char *const full[] = {
        "content_type",
        "http_cookie",
        "http_host",
        "http_referer",
        "http_user_agent",
        "http_via",
        "http_x_forwarded_for",
        "sent_http_cache_control",
        "sent_http_connection",
        "sent_http_content_length",
        "sent_http_content_type",
        "sent_http_keep_alive",
        "sent_http_last_modified",
        "sent_http_link",
        "sent_http_location",
        "sent_http_transfer_encoding",
    };
    for (size_t i = 0; i < sizeof full / sizeof *full; i++)
        if (text_equal(name, text_of(full[i])))
            return true;
    return find_row_of(name) || variable_foreign_knows(name);
}

static void set_args(struct request *r, struct text value)
{
    r->args = value;
}

/* The built-in variables that `set` changes. */
static const struct settable {
    const char *name;
    variable_set_fn *set;
} settables[] = {
    {"args", set_args},
    {"limit_rate", rate_set},
};

variable_set_fn *variable_table_setter(struct text name)
{
    for (size_t i = 0; i < sizeof settables / sizeof *settables; i++)
        if (text_equal(name, text_of(settables[i].name)))
            return settables[i].set;
    return NULL;
}

bool variable_table_find(struct variable *v, struct arena *arena)
{
    const struct row *row = find_row(v->name.at);
    if (row) {
        v->get = row->get;
        v->data = (const void *)row->data;
        return true;
    }
    if (text_equal(v->name, TEXT("content_type"))) {
        static const struct text name = {"content_type", 12};
        v->get = get_http;
        v->data = &name;
        return true;
    }
    if (text_equal(v->name, TEXT("http_user_agent")) || text_equal(v->name, TEXT("http_referer"))) {
        v->get = get_known_field; /* in every combined line: without the search */
        v->data = (const void *)(uintptr_t)(v->name.at[5] == 'u' ? FIELD_USER_AGENT : FIELD_REFERER);
        return true;
    }
    return variable_foreign_find(v) || find_family(v, arena);
}
