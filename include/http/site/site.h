/* site.h - what the configuration says about HTTP: addresses, servers, locations, and the values of
 * each. https://nginx.org/en/docs/http/ngx_http_core_module.html,
 * https://nginx.org/en/docs/http/request_processing.html */
#ifndef HTTP_SITE_SITE_H
#define HTTP_SITE_SITE_H

#include "base/log.h"
#include "conf/directive.h"
#include "file/cache.h"
#include "http/syntax/mime.h"
#include "http/syntax/pattern.h"
#include "io/policy.h"
#include "net/listen.h"
#include "net/tls/tls.h"

struct request;       /* request.h */
struct listing_conf;  /* listing.h */
struct template;      /* variable.h */
struct location_tree; /* route.h */
struct name_table;    /* route.h */
struct confine_conf;  /* confine.h */
struct headers_conf;  /* headers.h */
struct log_conf;      /* access_log.h */
struct access_conf;   /* access.h */
struct userid_conf;   /* userid.h */
struct rewrite_conf;  /* rewrite.h */
struct rewrite_program;
struct limits_conf;     /* limits.h */
struct min_rate;        /* min_rate.h */
struct gzip_conf;       /* gzip.h */
struct charset_conf;    /* charset.h */
struct variant_conf;    /* variant.h */
struct dictionary_conf; /* dictionary.h */
struct realip_conf;     /* realip.h */
struct h2_conf;         /* h2_conf.h */
struct identity_conf;   /* identity.h */
struct digest_conf;     /* digest.h */

enum etag_kind { ETAG_OFF, ETAG_MTIME, ETAG_CONTENT };
enum etag_part { ETAG_INODE = 1, ETAG_NSEC = 2 };
enum lingering { LINGERING_OFF, LINGERING_ON, LINGERING_ALWAYS };
enum server_tokens_kind { TOKENS_OFF, TOKENS_ON, TOKENS_BUILD, TOKENS_TEXT };

struct template_list {
    struct template **items;
    unsigned count;
};

/* try_files: "dir/" asks for a directory; its slash is not part of the name. */
struct try_files {
    struct template_list *names; /* the last one is the fallback */
    bool *directory;
};

struct error_page {
    struct error_page *next; /* in the order of the file */
    int status;              /* that it stands for */
    int overwrite;           /* =code; 0: `=` alone, take the target's status; -1: keep the original */
    struct template *target; /* /uri, @named, or absolute URL */
};

struct return_action {
    int status;
    struct template *text; /* URL of a redirect, or body; NULL: neither */
};

enum keepalive_disable { KEEPALIVE_NOT_MSIE6 = 1, KEEPALIVE_NOT_SAFARI = 2 };

struct keepalive_timeout {
    int64_t msec;       /* 0: no keep-alive */
    int64_t header_sec; /* of the Keep-Alive field; 0: none */
};

/* Values of http_module: one per http, server and location block. */
struct http_conf {
    struct root {
        struct template *path;
        struct conf_noted_path *noted;
        const char *prefix; /* of the values of a path that begins with a variable, which may be relative; else NULL */
        bool alias;
        size_t strip; /* alias: bytes of the location's name that it replaces; SIZE_MAX: the whole URI (regex) */
    } root;           /* of root or alias */
    struct template_list *index;
    struct mime_table *types;
    struct text default_type;
    struct error_page *error_pages;
    bool recursive_error_pages;
    struct try_files try_files; /* names NULL: none */
    struct keepalive_timeout keepalive_timeout;
    int64_t keepalive_requests;
    int64_t keepalive_min_timeout;                                    /* ms */
    unsigned keepalive_disable;                                       /* enum keepalive_disable */
    int64_t keepalive_time;                                           /* ms */
    int64_t client_header_timeout, client_body_timeout, send_timeout; /* ms */
    int lingering_close;                                              /* enum lingering */
    int64_t lingering_time, lingering_timeout;                        /* ms */
    bool reset_timedout_connection;
    int64_t client_header_buffer_size;
    struct conf_bufs large_client_header_buffers;
    int64_t max_headers; /* fields of a request head */
    bool ignore_invalid_headers, underscores_in_headers;
    int64_t client_max_body_size; /* 0: unlimited */
    struct server_tokens {
        int kind; /* enum server_tokens_kind */
        struct template *text;
    } server_tokens;
    int etag;              /* enum etag_kind */
    unsigned etag_parts;   /* enum etag_part, besides time and size */
    int if_modified_since; /* precondition.h */
    int64_t max_ranges;    /* -1: not set */
    bool internal;
    bool merge_slashes;
    bool absolute_redirect, port_in_redirect, server_name_in_redirect;
    bool tcp_nopush, tcp_nodelay;
    bool chunked_transfer_encoding;
    bool log_not_found;
    bool http2;
    struct log *error_log;
};

enum location_kind {
    LOCATION_PREFIX,       /* location /a */
    LOCATION_PREFIX_FINAL, /* ^~ */
    LOCATION_EXACT,        /* = */
    LOCATION_REGEX,        /* ~ and ~* */
    LOCATION_NAMED         /* @name */
};

/* A location, or the values of a server outside all of its locations. */
struct location {
    enum location_kind kind;
    struct text name;
    struct pattern *pattern; /* LOCATION_REGEX */
    struct conf_block *block;
    const struct location *parent; /* around a nested one; the server's for the others */
    struct location_tree *tree;    /* of those nested inside, or NULL */
    unsigned names_base;           /* of the pattern's named groups in request.named */

    /* The values that requests look at, resolved when the configuration has been read. */
    const struct http_conf *http;
    const struct io_conf *io;
    const struct file_conf *file;
    const struct listing_conf *listing;
    const struct headers_conf *headers;
    const struct log_conf *log;
    const struct gzip_conf *gzip;
    const struct charset_conf *charset;
    const struct variant_conf *variants;      /* NULL: no side files */
    const struct dictionary_conf *dictionary; /* NULL: no compression dictionaries */
    bool rewrites_content;                    /* content.h */
    const struct limits_conf *limits;         /* of requests; NULL: none */
    const struct limits_conf *limit_rate;     /* limit_rate; NULL: none */
    const struct min_rate *min_rate;          /* send_min_rate; NULL: none */
    const struct access_conf *access;         /* NULL: everybody may */
    const struct realip_conf *realip;         /* NULL: nobody is trusted to name the client */
    const struct confine_conf *confine;       /* NULL: nothing guards its files */
    const struct userid_conf *userid;         /* NULL: no cookie is set */
    const struct h2_conf *h2;
    const struct identity_conf *identity; /* NULL: nobody asks for digests of its files */
    const struct digest_conf *digests;    /* NULL: the same */
    const struct rewrite_conf *rewrite_conf;
    bool warns_unset;                      /* uninitialized_variable_warn */
    const struct rewrite_program *rewrite; /* its instructions; NULL: none */
    bool random_index, empty_gif;
    bool (*content)(struct request *r); /* answers instead of files, as a step of steps.c; NULL: files */
    const void *content_conf;           /* for it */
    bool takes_methods;                 /* it is asked whatever the method is, and refuses by itself */
    struct text root;                   /* constant root, without a slash at the end; absent when it has variables */
};

struct server {
    struct list node; /* in http_main.servers */
    struct conf_block *block;
    const struct tls_conf *tls;
    struct tls_context *tls_context; /* NULL: it has no certificate, or the configuration is only looked at */
    struct text name;                /* first server_name: redirects, $server_name */
    struct list listens;             /* struct server_listen */
    struct list names;               /* struct server_name */
    struct location base;            /* values at server level */
    struct location_tree *tree;      /* its locations */
    struct http_main *http;
};

struct server_listen {
    struct list node;
    struct address address;
    struct listen_options options;
    bool is_default, has_options, proxy_protocol, tls, http2;
    const char *file;
    unsigned line;
};

struct server_name {
    struct list node;
    struct text text; /* lower-cased; for wildcards the fixed part */
    enum { NAME_EXACT, NAME_LEADING /* *.example.org */, NAME_TRAILING /* www.example.* */, NAME_REGEX } kind;
    bool with_bare; /* .example.org: also example.org itself */
    struct pattern *pattern;
    unsigned names_base;
};

/* The whole http { }. */
struct http_main {
    struct conf_block *block;
    struct list servers;
    struct http_address *addresses;
    unsigned address_count;
    struct variables *variables; /* names known in this configuration: variable.h */
    bool told_no_guard;          /* confine.c has warned */
};

/* One socket address and the servers behind it. */
struct http_address {
    struct address address;
    struct listen_options options;
    bool proxy_protocol, tls, http2; /* of any of its `listen` lines */
    struct tls_acceptor acceptor;
    struct server *dflt;      /* answers when no name matches */
    struct name_table *names; /* NULL: only the default */

    /* `*:80` takes the connections of `127.0.0.1:80` too, which has no socket then: getsockname
     * tells which it was. */
    struct http_address *inside;
    unsigned inside_count;
};

/* The http { } that `cf` reads in. */
struct http_main *http_main_at(const struct conf *cf);

/* The http { } of a configuration that conf_read() accepted; NULL: it has none. */
struct http_main *http_main_of(const struct conf_block *root);

/* The location whose values `block` holds: a location's own, those of an `if` inside one, or of a
 * server outside of its locations. NULL: it is another block. What requests look at in it, each
 * module's finish sets. */
struct location *location_of(const struct conf_block *block);

#endif
