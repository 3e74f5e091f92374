/* foreign.c - directives of nginx that sluice does not have, and what to do about a line that has one. */
#include "server/modules.h"

#define NO_PROXY "sluice serves files and passes no request on; leave this location to a proxy, or remove the line"
#define NO_TLS   "sluice speaks plain HTTP; put TLS in front of it (a proxy or load balancer), or remove the line"
#define NO_HTTP2 "sluice speaks HTTP/1.1; let what is in front of it speak HTTP/2 or HTTP/3, or remove the line"
#define NO_MAIL  "sluice serves HTTP only; remove the block"
#define NO_COMPRESSION                                                                                                 \
    "only gzip is made on the fly; use brotli_static and zstd_static with files compressed beforehand, or gzip"
#define NO_REWRITING_BODY "files are sent as they are, never changed on the way; remove the line"
#define NO_UPLOAD         "sluice only reads files; remove the line"
#define NO_AUTH           "sluice does not ask for credentials; put what does in front of it, or remove the line"
#define NO_SCRIPTS        "sluice runs no scripts; remove the line"
#define NO_VARIABLES      "variables cannot be derived from other variables; remove the line"
#define NO_MEDIA          "media files are sent as they are; remove the line"

const struct conf_foreign server_foreign[] = {
    {"proxy_*", NO_PROXY},
    {"fastcgi_*", NO_PROXY},
    {"uwsgi_*", NO_PROXY},
    {"scgi_*", NO_PROXY},
    {"grpc_*", NO_PROXY},
    {"memcached_*", NO_PROXY},
    {"upstream", NO_PROXY},
    {"early_hints", NO_PROXY},
    {"mirror", NO_PROXY},
    {"mirror_request_body", NO_PROXY},
    {"slice", NO_PROXY},
    {"early_hints", NO_PROXY},
    {"ssl", NO_TLS},
    {"ssl_*", NO_TLS},
    {"http2", NO_HTTP2},
    {"http2_*", NO_HTTP2},
    {"http3", NO_HTTP2},
    {"http3_*", NO_HTTP2},
    {"quic_*", NO_HTTP2},
    {"mail", NO_MAIL},
    {"stream", NO_MAIL},
    {"google_perftools_profiles", "remove the line"},
    {"brotli", NO_COMPRESSION},
    {"brotli_*", NO_COMPRESSION},
    {"zstd", NO_COMPRESSION},
    {"zstd_*", NO_COMPRESSION},
    {"sub_filter*", NO_REWRITING_BODY},
    {"ssi", NO_REWRITING_BODY},
    {"ssi_*", NO_REWRITING_BODY},
    {"add_before_body", NO_REWRITING_BODY},
    {"add_after_body", NO_REWRITING_BODY},
    {"addition_types", NO_REWRITING_BODY},
    {"xml_entities", NO_REWRITING_BODY},
    {"xslt_*", NO_REWRITING_BODY},
    {"image_filter*", NO_REWRITING_BODY},
    {"mp4*", NO_MEDIA},
    {"flv", NO_MEDIA},
    {"hls*", NO_MEDIA},
    {"f4f*", NO_MEDIA},
    {"dav_*", NO_UPLOAD},
    {"create_full_put_path", NO_UPLOAD},
    {"min_delete_depth", NO_UPLOAD},
    {"auth_request*", NO_AUTH},
    {"auth_jwt*", NO_AUTH},
    {"limit_zone", "use \"limit_conn_zone\" and \"limit_conn\""},
    {"perl*", NO_SCRIPTS},
    {"js_*", NO_SCRIPTS},
    {"lua_*", NO_SCRIPTS},
    {"content_by_lua*", NO_SCRIPTS},
    {"access_by_lua*", NO_SCRIPTS},
    {"rewrite_by_lua*", NO_SCRIPTS},
    {"geoip_*", "\"geo\" knows the addresses that the configuration lists"},
    {"ancient_browser*", "\"map $http_user_agent $name { ... }\" tells browsers apart"},
    {"modern_browser*", "\"map $http_user_agent $name { ... }\" tells browsers apart"},
    {"status_zone", "all servers are counted together; use \"status\""},
    {"api", "use \"status\""},
    {"zone", NO_PROXY},
    {"keyval*", NO_VARIABLES},
    {"otel_*", "remove the line"},
    {"opentracing*", "remove the line"},
    {.name = NULL},
};
