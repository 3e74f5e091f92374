/* variable_foreign.c - variables of nginx's modules for proxies, SSI and browsers:
 * known, so that log formats with them load. They have the value that nginx gives where no
 * directive of those modules is used. */
#include "http/variable/variable_table.h"

#include "base/clock.h"
#include "http/request/request.h"
#include "http/variable/variable_text.h"

#define GETTER(name) static void get_##name(struct request *r, const void *data, struct text *out)
#define UNUSED(x)    ((void)(x))

/* Known, and always empty here. */
GETTER(empty)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT("");
}

/* Known, and never there: what nginx fills in for proxies and Encrypted Client Hello, and logs as "-" without them. */
GETTER(absent)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT_NONE;
}

/* X-Forwarded-For with the client's address behind it. */
GETTER(proxy_add_x_forwarded_for)
{
    struct text before = variable_forwarded_for(r), address;

    UNUSED(data);
    variable_peer(r, r->peer, false, &address);
    *out =
        before.len == 0 ? address : text_of(arena_printf(&r->arena, "%.*s, %.*s", TEXT_ARG(before), TEXT_ARG(address)));
}

/* As strftime of the default of config_timefmt, in local time or (`data`) in GMT.
 * https://nginx.org/en/docs/http/ngx_http_ssi_module.html */
GETTER(date)
{
    time_t now = (time_t)clock_now.sec;
    struct tm tm;
    char text[128];

    if (data)
        gmtime_r(&now, &tm);
    else
        localtime_r(&now, &tm);
    size_t len = strftime(text, sizeof text, "%A, %d-%b-%Y %H:%M:%S %Z", &tm);
    *out = arena_text(&r->arena, (struct text){text, len});
}

/* Whether the client calls itself MSIE, with a version behind it; Opera did so, too. */
GETTER(msie)
{
    struct text agent = r->msg.fields[FIELD_USER_AGENT];
    const char *at = agent.at ? memmem(agent.at, agent.len, "MSIE ", 5) : NULL;

    UNUSED(data);
    bool is = at && at + 7 < agent.at + agent.len && !memmem(agent.at, agent.len, "Opera", 5);
    *out = is ? TEXT("1") : TEXT("");
}

/* As long as no directive says which browsers are modern, all are ancient. */
GETTER(ancient_browser)
{
    UNUSED(r), UNUSED(data);
    *out = TEXT("1");
}

GETTER(uri)
{
    UNUSED(data);
    *out = r->uri;
}

const struct variable_row foreign_variables[] = {
    {"ancient_browser", .get = get_ancient_browser, .flags = VARIABLE_CHANGEABLE},
    {"date_gmt", .get = get_date, .data = true},
    {"date_local", .get = get_date, .data = false},
    {"fastcgi_path_info", .get = get_empty},
    {"fastcgi_script_name", .get = get_uri},
    {"grpc_internal_trailers", .get = get_absent},
    {"http3", .get = get_empty, .flags = VARIABLE_CHANGEABLE},
    {"modern_browser", .get = get_empty, .flags = VARIABLE_CHANGEABLE},
    {"msie", .get = get_msie, .flags = VARIABLE_CHANGEABLE},
    {"proxy_add_x_forwarded_for", .get = get_proxy_add_x_forwarded_for},
    {"proxy_host", .get = get_absent, .flags = VARIABLE_CHANGEABLE},
    {"proxy_internal_body_length", .get = get_absent},
    {"proxy_internal_chunked", .get = get_absent},
    {"proxy_port", .get = get_absent, .flags = VARIABLE_CHANGEABLE},
    {"request_body", .get = get_absent},
    {"request_body_file", .get = get_absent},
    {"slice_range", .get = get_absent},
    {"ssl_ech_outer_server_name", .get = get_absent, .flags = VARIABLE_CHANGEABLE},
    {"ssl_ech_status", .get = get_absent, .flags = VARIABLE_CHANGEABLE},
    {"upstream_addr", .get = get_absent},
    {"upstream_bytes_received", .get = get_absent},
    {"upstream_bytes_sent", .get = get_absent},
    {"upstream_cache_etag", .get = get_absent},
    {"upstream_cache_last_modified", .get = get_absent},
    {"upstream_cache_status", .get = get_absent},
    {"upstream_connect_time", .get = get_absent},
    {"upstream_header_time", .get = get_absent},
    {"upstream_last_server_name", .get = get_absent, .flags = VARIABLE_CHANGEABLE},
    {"upstream_response_length", .get = get_absent},
    {"upstream_response_time", .get = get_absent},
    {"upstream_status", .get = get_absent},
    {"upstream_cookie_", .get = get_absent, .flags = VARIABLE_FAMILY},
    {"upstream_http_", .get = get_absent, .flags = VARIABLE_FAMILY},
    {"upstream_trailer_", .get = get_absent, .flags = VARIABLE_FAMILY},
    {.name = NULL},
};
