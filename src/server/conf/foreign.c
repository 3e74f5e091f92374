/* foreign.c - directives of nginx that sluice does not have, and what to do about a line that has
 * one. */
#include "server/conf/foreign.h"

#define NO_PROXY "sluice serves files and passes no request on; leave this location to a proxy, or remove the line"
#define NO_SUBREQUEST                                                                                                  \
    "sluice makes no requests of its own beside that of the client; leave this location to a proxy, or remove the "    \
    "line"
#define NO_AUTH_SERVICE                                                                                                \
    "sluice does not ask another server for authorization; leave that to a proxy in front of it, or use auth_basic, "  \
    "allow and deny, or secure_link"
#define NO_TOKENS                                                                                                      \
    "sluice checks passwords (auth_basic) and signed links (secure_link), not tokens; leave tokens to a proxy in "     \
    "front of it"
#define NO_ACME      "let a client such as certbot get certificates: a webroot and a reload are all that it needs"
#define NO_ECH       "Encrypted Client Hello is in no OpenSSL that sluice is built with; remove the line"
#define NO_SSL       "sluice has no such setting of TLS; remove the line"
#define NO_HTTP3     "sluice speaks HTTP/1.1 and HTTP/2; let a proxy in front of it speak HTTP/3, or remove the line"
#define NO_MAIL      "sluice serves HTTP only; remove the block"
#define NO_EDITING   "sluice does not edit the content of files; do that when the files are made, or remove the line"
#define NO_UPLOAD    "sluice only reads files; remove the line"
#define NO_SCRIPTS   "sluice runs no scripts; \"map\", \"set\", \"if\" and \"rewrite\" may do, or remove the line"
#define NO_KEYVAL    "no values are kept between requests; use \"map\" or \"geo\" for those that the configuration lists"
#define NO_MEDIA     "media files are served as they are, with ranges, and not cut or repackaged; remove the line"
#define NO_BROWSERS  "\"map $http_user_agent $name { ... }\" tells browsers apart"
#define NO_PLACES    "use \"geo\" with a list of networks in the configuration"
#define NO_REPORTING "use \"status\" (counters and metrics) and access_log"
#define NO_LICENCE   "sluice needs no licence and reports to nobody; remove it"

/* Patterns ending in * stand for all names that begin so; the first that fits counts. */
const struct conf_foreign server_foreign[] = {
    {"proxy_*", NO_PROXY},
    {"fastcgi_*", NO_PROXY},
    {"uwsgi_*", NO_PROXY},
    {"scgi_*", NO_PROXY},
    {"grpc_*", NO_PROXY},
    {"memcached_*", NO_PROXY},
    {"upstream", NO_PROXY},
    {"upstream_conf", NO_PROXY},
    {"zone", NO_PROXY},
    {"match", NO_PROXY},
    {"health_check*", NO_PROXY},
    {"early_hints", NO_PROXY},
    {"mirror", NO_SUBREQUEST},
    {"mirror_request_body", NO_SUBREQUEST},
    {"post_action", NO_SUBREQUEST},
    {"slice", "sluice has no proxy cache to fill, and reads files in parts anyway; remove the line"},
    {"internal_redirect", "use \"rewrite\" or \"try_files\""},
    {"auth_request*", NO_AUTH_SERVICE},
    {"auth_jwt*", NO_TOKENS},
    {"auth_oidc", NO_TOKENS},
    {"auth_require", NO_TOKENS},
    {"oidc_provider", NO_TOKENS},
    {"ssl", "nginx itself has it no more since 1.25.1; write \"listen ... ssl\""},
    {"ssl_ech_file", NO_ECH},
    {"ssl_encrypted_hello_key", NO_ECH},
    {"ssl_engine", "sluice reads keys from files; remove the line"},
    {"ssl_key_log", "sluice writes no secrets of its connections; remove the line"},
    {"ssl_object_cache_inheritable", "certificates and keys are read anew at each reload; remove the line"},
    {"ssl_*", NO_SSL},
    {"acme_*", NO_ACME},
    {"http3", NO_HTTP3},
    {"http3_*", NO_HTTP3},
    {"quic_*", NO_HTTP3},
    {"spdy_*", "SPDY has become HTTP/2; write \"http2 on;\""},
    {"mail", NO_MAIL},
    {"stream", NO_MAIL},
    {"google_perftools_profiles", "\"perf\" looks at a running sluice; remove the line"},
    {"zstd_dict_file", "clients that do not have the dictionary could not read it; remove the line"},
    {"sub_filter*", NO_EDITING},
    {"ssi", NO_EDITING},
    {"ssi_*", NO_EDITING},
    {"add_before_body", NO_EDITING},
    {"add_after_body", NO_EDITING},
    {"addition_types", NO_EDITING},
    {"xml_entities", NO_EDITING},
    {"xslt_*", NO_EDITING},
    {"image_filter*", NO_EDITING},
    {"mp4*", NO_MEDIA},
    {"flv", NO_MEDIA},
    {"hls*", NO_MEDIA},
    {"f4f*", NO_MEDIA},
    {"dav_*", NO_UPLOAD},
    {"create_full_put_path", NO_UPLOAD},
    {"min_delete_depth", NO_UPLOAD},
    {"limit_zone", "use \"limit_conn_zone\" and \"limit_conn\""},
    {"perl*", NO_SCRIPTS},
    {"js_*", NO_SCRIPTS},
    {"lua_*", NO_SCRIPTS},
    {"init_by_lua*", NO_SCRIPTS},
    {"init_worker_by_lua*", NO_SCRIPTS},
    {"set_by_lua*", NO_SCRIPTS},
    {"content_by_lua*", NO_SCRIPTS},
    {"access_by_lua*", NO_SCRIPTS},
    {"rewrite_by_lua*", NO_SCRIPTS},
    {"header_filter_by_lua*", NO_SCRIPTS},
    {"body_filter_by_lua*", NO_SCRIPTS},
    {"log_by_lua*", NO_SCRIPTS},
    {"more_set_headers", "use \"add_header\" with \"always\""},
    {"more_clear_headers", "only ETag and Last-Modified can be taken away, by \"add_header\" with an empty value"},
    {"geoip_*", NO_PLACES},
    {"geoip2*", NO_PLACES},
    {"ancient_browser*", NO_BROWSERS},
    {"modern_browser*", NO_BROWSERS},
    {"status_zone", "all servers are counted together; use \"status\""},
    {"status_format", NO_REPORTING},
    {"api", NO_REPORTING},
    {"otel_*", NO_REPORTING},
    {"opentracing*", NO_REPORTING},
    {"session_log*", NO_REPORTING},
    {"keyval*", NO_KEYVAL},
    {"num_map", "use \"map\" with regular expressions"},
    {"mgmt", NO_LICENCE},
    {.name = NULL},
};
