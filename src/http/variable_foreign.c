/* variable_foreign.c - variables that nginx fills in for proxies, TLS and HTTP/2: known, so that log formats with them load, and
 * empty. And what the kernel knows of a connection. Called by variable_table.c. */
#include "http/variable_table.h"

#include "base/number.h"
#include "http/request.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define GETTER(name) static void get_##name(struct request *r, const void *data, struct text *out)
#define UNUSED(x)    ((void)(x))

/* Known, and always empty here. */
GETTER(empty)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT("");
}

/* Known, and never there: what nginx fills in for proxies and TLS, and logs as "-" without them. */
GETTER(absent)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT_NONE;
}

struct text variable_forwarded_for(struct request *r)
{
    struct text all = TEXT_NONE;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (!text_equal_nocase(h->name, TEXT("X-Forwarded-For")))
            continue;
        all = all.at ? text_of(arena_printf(&r->arena, "%.*s, %.*s", TEXT_ARG(all), TEXT_ARG(h->value))) : h->value;
    }
    return all;
}

/* X-Forwarded-For with the client's address behind it. */
GETTER(proxy_add_x_forwarded_for)
{
    struct variable v = {.name = TEXT("remote_addr")};
    struct text before = variable_forwarded_for(r), address = TEXT_NONE;

    UNUSED(data);
    if (variable_table_find(&v, &r->arena))
        v.get(r, v.data, &address);
    *out =
        before.len == 0 ? address : text_of(arena_printf(&r->arena, "%.*s, %.*s", TEXT_ARG(before), TEXT_ARG(address)));
}

/* A number of struct tcp_info at the offset `data`. */
GETTER(tcpinfo)
{
    struct tcp_info info;
    uint32_t value;

    *out = TEXT_NONE;
    if (r->carrier->ops->tcp_info(r, &info) < 0)
        return;
    memcpy(&value, (const char *)&info + (size_t)(uintptr_t)data, sizeof value);
    char *digits = arena_alloc(&r->arena, 20);
    if (digits)
        *out = (struct text){digits, number_format(digits, value)};
}

struct row {
    const char *name;
    variable_get_fn *get;
    uintptr_t data;
};

static const struct row rows[] = {
    {"http2", get_empty, 0},
    {"https", get_empty, 0},
    {"proxy_add_x_forwarded_for", get_proxy_add_x_forwarded_for, 0},
    {"request_body", get_absent, 0},
    {"request_body_file", get_absent, 0},
    {"ssl_cipher", get_absent, 0},
    {"ssl_ciphers", get_absent, 0},
    {"ssl_client_cert", get_absent, 0},
    {"ssl_client_escaped_cert", get_absent, 0},
    {"ssl_client_fingerprint", get_absent, 0},
    {"ssl_client_i_dn", get_absent, 0},
    {"ssl_client_raw_cert", get_absent, 0},
    {"ssl_client_s_dn", get_absent, 0},
    {"ssl_client_serial", get_absent, 0},
    {"ssl_client_v_end", get_absent, 0},
    {"ssl_client_v_remain", get_absent, 0},
    {"ssl_client_v_start", get_absent, 0},
    {"ssl_client_verify", get_absent, 0},
    {"ssl_curve", get_absent, 0},
    {"ssl_curves", get_absent, 0},
    {"ssl_early_data", get_absent, 0},
    {"ssl_protocol", get_absent, 0},
    {"ssl_server_name", get_absent, 0},
    {"ssl_session_id", get_absent, 0},
    {"ssl_session_reused", get_absent, 0},
    {"tcpinfo_rcv_space", get_tcpinfo, offsetof(struct tcp_info, tcpi_rcv_space)},
    {"tcpinfo_rtt", get_tcpinfo, offsetof(struct tcp_info, tcpi_rtt)},
    {"tcpinfo_rttvar", get_tcpinfo, offsetof(struct tcp_info, tcpi_rttvar)},
    {"tcpinfo_snd_cwnd", get_tcpinfo, offsetof(struct tcp_info, tcpi_snd_cwnd)},
    {"upstream_addr", get_absent, 0},
    {"upstream_bytes_received", get_absent, 0},
    {"upstream_bytes_sent", get_absent, 0},
    {"upstream_cache_status", get_absent, 0},
    {"upstream_connect_time", get_absent, 0},
    {"upstream_header_time", get_absent, 0},
    {"upstream_response_length", get_absent, 0},
    {"upstream_response_time", get_absent, 0},
    {"upstream_status", get_absent, 0},
};

static const struct row *find(struct text name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_equal(name, text_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

bool variable_foreign_knows(struct text name)
{
    return find(name) != NULL;
}

bool variable_foreign_find(struct variable *v)
{
    const struct row *row = find(v->name);

    v->get = row ? row->get : get_absent;
    v->data = row ? (const void *)row->data : NULL;
    return row || text_starts(v->name, TEXT("sent_trailer_"));
}
