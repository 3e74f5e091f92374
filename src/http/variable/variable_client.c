/* variable_client.c - variables of who asks, and of the connection that is asked over. */
#include "http/variable/variable_table.h"

#include "base/clock.h"
#include "http/request/request.h"
#include "http/variable/variable_text.h"
#include "net/proxy_protocol.h"
#include "net/proxy_tlv.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

static void get_remote_addr(struct request *r, const void *data, struct text *out)
{
    (void)data;
    variable_peer(r, r->peer, false, out);
}

static void get_remote_port(struct request *r, const void *data, struct text *out)
{
    (void)data;
    variable_peer(r, r->peer, true, out);
}

static void get_binary_remote_addr(struct request *r, const void *data, struct text *out)
{
    (void)data;
    const union peer *p = r->peer;
    if (p->any.sa_family == AF_INET)
        *out = (struct text){(const char *)&p->in4.sin_addr, sizeof p->in4.sin_addr};
    else if (p->any.sa_family == AF_INET6)
        *out = (struct text){(const char *)&p->in6.sin6_addr, sizeof p->in6.sin6_addr};
    else
        *out = TEXT("unix:");
}

enum { PROXY_PORT = 1, PROXY_TARGET = 2 };

static void get_proxy_protocol(struct request *r, const void *data, struct text *out)
{
    const struct proxy_header *proxy = r->client->proxy;
    uintptr_t what = (uintptr_t)data;

    union peer peer;

    *out = TEXT_NONE; /* "-" in a log, as in nginx */
    if (!proxy)
        return;
    peer_set(&peer, what & PROXY_TARGET ? &proxy->target : &proxy->source);
    variable_peer(r, &peer, what & PROXY_PORT, out);
}

static void get_proxy_protocol_tlv(struct request *r, const void *data, struct text *out)
{
    struct text tlvs = r->client->proxy ? r->client->proxy->tlvs : TEXT_NONE, name = *(const struct text *)data;
    uint32_t verify;

    *out = TEXT_NONE;
    if (!text_equal(name, TEXT("ssl_verify")))
        *out = proxy_tlv_find(tlvs, name);
    else if (proxy_tlv_ssl_verify(tlvs, &verify))
        variable_number(r, verify, out);
}

static void get_server_addr(struct request *r, const void *data, struct text *out)
{
    (void)data;
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

static void get_server_port(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = TEXT("");
    if (r->client->address->address.any.sa_family != AF_UNIX)
        variable_number(r, address_port(&r->client->address->address), out);
}

static void get_connection(struct request *r, const void *data, struct text *out)
{
    (void)data;
    variable_number(r, r->client->number, out);
}

static void get_connection_requests(struct request *r, const void *data, struct text *out)
{
    (void)data;
    variable_number(r, r->ordinal, out);
}

static void get_connection_time(struct request *r, const void *data, struct text *out)
{
    (void)data;
    variable_msec(r, clock_now.msec - r->client->since_msec, out);
}

/* How the bytes of the connection travel. */
static void get_transport(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->client->scheme == &scheme_https ? TEXT("tls") : TEXT("plain");
}

/* How HTTP/2 was agreed on: nginx's words. */
static void get_http2(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->msg.protocol != PROTOCOL_2 ? TEXT("") : r->client->scheme == &scheme_https ? TEXT("h2") : TEXT("h2c");
}

static void get_pipe(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->pipelined ? TEXT("p") : TEXT(".");
}

/* A number of struct tcp_info at the offset `data`. */
static void get_tcpinfo(struct request *r, const void *data, struct text *out)
{
    struct tcp_info info;
    uint32_t value;

    *out = TEXT_NONE;
    if (r->carrier->ops->tcp_info(r, &info) < 0)
        return;
    memcpy(&value, (const char *)&info + (size_t)(uintptr_t)data, sizeof value);
    variable_number(r, value, out);
}

const struct variable_row client_variables[] = {
    {"binary_remote_addr", .get = get_binary_remote_addr},
    {"connection", .get = get_connection},
    {"connection_requests", .get = get_connection_requests},
    {"connection_time", .get = get_connection_time},
    {"http2", .get = get_http2},
    {"pipe", .get = get_pipe},
    {"transport", .get = get_transport},
    {"proxy_protocol_addr", .get = get_proxy_protocol},
    {"proxy_protocol_port", .get = get_proxy_protocol, .data = PROXY_PORT},
    {"proxy_protocol_server_addr", .get = get_proxy_protocol, .data = PROXY_TARGET},
    {"proxy_protocol_server_port", .get = get_proxy_protocol, .data = PROXY_TARGET | PROXY_PORT},
    {"remote_addr", .get = get_remote_addr},
    {"remote_port", .get = get_remote_port},
    {"server_addr", .get = get_server_addr},
    {"server_port", .get = get_server_port},
    {"tcpinfo_rcv_space", .get = get_tcpinfo, .data = offsetof(struct tcp_info, tcpi_rcv_space)},
    {"tcpinfo_rtt", .get = get_tcpinfo, .data = offsetof(struct tcp_info, tcpi_rtt)},
    {"tcpinfo_rttvar", .get = get_tcpinfo, .data = offsetof(struct tcp_info, tcpi_rttvar)},
    {"tcpinfo_snd_cwnd", .get = get_tcpinfo, .data = offsetof(struct tcp_info, tcpi_snd_cwnd)},
    {"proxy_protocol_tlv_", .get = get_proxy_protocol_tlv, .flags = VARIABLE_FAMILY},
    {.name = NULL},
};
