/* target.c - see target.h. Called by the carriers. */
#include "http/core/target.h"

#include "http/core/route.h"
#include "http/request/request.h"
#include "http/syntax/uri.h"

/* `host` itself where it is in lower case, as nearly all are. */
static struct text lower_host(struct request *r, struct text host)
{
    size_t upper = 0;

    while (upper < host.len && (unsigned char)(host.at[upper] - 'A') > 'Z' - 'A')
        upper++;
    if (upper == host.len)
        return host;
    char *copy = arena_copy(&r->arena, host.at, host.len);
    if (!copy)
        return TEXT("");
    for (; upper < host.len; upper++)
        copy[upper] = text_lower(copy[upper]);
    return (struct text){copy, host.len};
}

/* The host that is asked for: of an absolute-form, else of Host, which the carrier has checked;
 * none on HTTP/1.0. */
static struct text asked_host(struct request *r, const struct uri *uri)
{
    struct text host = uri->host.at ? uri->host : r->msg.host;

    return host.len > 0 ? lower_host(r, host) : TEXT("");
}

/* There are no tunnels here; whoever asks for one gets no other answer on this connection. */
static int refuse_tunnel(struct request *r)
{
    struct text host;
    bool valid = uri_tunnel(r->msg.target, &host);
    if (!valid)
        host = r->msg.host;
    r->raw_uri = r->msg.target;
    r->host = host.len > 0 ? lower_host(r, host) : TEXT("");
    r->server = route_server(r->client->address, r);
    r->location = &r->server->base;
    return valid ? 405 : 400;
}

int target_resolve(struct request *r)
{
    struct uri uri;
    if (r->msg.method == METHOD_CONNECT)
        return refuse_tunnel(r);
    int status = uri_split(r->msg.target, &uri);
    if (status != 0)
        uri = (struct uri){TEXT_NONE, TEXT_NONE, TEXT_NONE, TEXT_NONE};
    r->raw_uri = uri.raw;
    r->args = uri.args.len > 0 ? uri.args : TEXT_NONE; /* as in nginx, a ? with nothing behind it is none */
    r->host = asked_host(r, &uri);
    r->server = route_server(r->client->address, r);
    r->location = &r->server->base;
    if (status != 0)
        return status;
    bool merge = r->client->address->dflt->base.http->merge_slashes; /* the address' default server's, as in nginx */
    if (uri_is_plain(uri.path)) {
        r->uri = uri.path;
        return 0;
    }
    r->uri = TEXT(""); /* of a path that is refused */
    if (text_equal(uri.path, TEXT("*")) && r->msg.method == METHOD_OPTIONS) {
        r->uri = uri.path;
        return 405;
    }
    char *path = arena_alloc(&r->arena, uri.path.len + 1);
    if (!path)
        return 500;
    size_t len;
    status = uri_normalise(uri.path, merge, path, &len);
    if (status == 0)
        r->uri = (struct text){path, len};
    return status;
}

/* It shows the request's own fields to scripts. As in nginx. */
int target_check_method(struct request *r)
{
    if (r->msg.method != METHOD_OTHER || !text_equal(r->msg.method_name, TEXT("TRACE")))
        return 0;
    request_log(r, LEVEL_INFO, 0, "client sent TRACE method");
    return 405;
}
