/* core.c - the directives of nginx's core HTTP module, and the blocks http, server, location.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html */
#include "http/core/core.h"

#include "base/number.h"
#include "conf/error_log.h"
#include "http/core/route.h"
#include "http/site/http2.h"
#include "http/syntax/field.h"
#include "http/syntax/precondition.h"
#include "http/variable/variable.h"

#include <limits.h>

static const char *compile(struct conf *cf, struct text source, struct template **out)
{
    return template_compile(cf, http_main_at(cf)->variables, source, out);
}

/* ---- blocks ---- */

static const char *set_http(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct http_main *http = arena_zalloc(cf->arena, sizeof *http);
    struct variables *vs = variables_create(cf->arena, http_variables);
    if (!http || !vs)
        return conf_error(cf, "no memory");
    list_init(&http->servers);
    http->variables = vs;
    return conf_block(cf, CONF_HTTP, http, &http->block, NULL);
}

static const char *set_server(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct server *server = arena_zalloc(cf->arena, sizeof *server);
    if (!server)
        return conf_error(cf, "no memory");
    server->name = TEXT("");
    server->http = http_main_at(cf);
    list_init(&server->listens);
    list_init(&server->names);
    list_append(&server->http->servers, &server->node);
    return conf_block(cf, CONF_SERVER, server, &server->block, NULL);
}

static const char *set_http2(struct conf *cf, const struct conf_row *row, void *slot)
{
    const char *error = conf_set_flag(cf, row, slot);

    if (!error && *(bool *)slot && !http2_available())
        conf_warn(cf, "\"%s\" has no effect: this sluice was built without HTTP/2", row->name);
    return error;
}

/* ---- where files are ---- */

const char *core_set_root(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct root *root = slot;
    bool alias = row->name[0] == 'a';
    struct text path = cf->args[1];

    if (text_starts(path, TEXT("$document_root")) || text_starts(path, TEXT("${document_root}")))
        return conf_error(cf, "the $document_root variable cannot be used in the \"%s\" directive", row->name);
    if (text_starts(path, TEXT("$realpath_root")) || text_starts(path, TEXT("${realpath_root}")))
        return conf_error(cf, "the $realpath_root variable cannot be used in the \"%s\" directive", row->name);
    root->alias = alias;
    if (alias) {
        const struct location *l = cf->block->owner;
        if (l->kind == LOCATION_NAMED)
            return conf_error(cf, "the \"alias\" directive cannot be used inside the named location");
        root->strip = l->kind == LOCATION_REGEX ? SIZE_MAX : l->name.len;
    }
    if (path.len == 0 || path.at[0] != '$') /* a leading variable says where by itself */
        path = text_of(conf_full_path(cf, path));
    else
        root->prefix = cf->prefix;
    root->noted = path.at ? conf_note(cf, path.at) : NULL;
    if (!root->noted)
        return conf_error(cf, "no memory");
    return compile(cf, path, &root->path);
}

static struct template_list *list_of(struct conf *cf, unsigned from, const char **error)
{
    struct template_list *l = arena_zalloc(cf->arena, sizeof *l);
    *error = NULL;
    if (l)
        l->items = arena_zalloc(cf->arena, cf->count * sizeof(struct template *));
    if (!l || !l->items) {
        *error = conf_error(cf, "no memory");
        return NULL;
    }
    for (unsigned i = from; i < cf->count && !*error; i++)
        *error = compile(cf, cf->args[i], &l->items[l->count++]);
    return l;
}

static const char *set_index(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct template_list **list = slot, *earlier = *list;
    const char *error;

    for (unsigned i = 1; i < cf->count; i++)
        if (cf->args[i].len == 0)
            return conf_error(cf, "index \"\" in \"index\" directive is invalid");
        else if (cf->args[i].at[0] == '/' && i != cf->count - 1)
            conf_warn(cf, "only the last index in \"index\" directive should be absolute");
    *list = list_of(cf, 1, &error);
    if (error || !earlier)
        return error;
    struct template **both = arena_alloc(cf->arena, (earlier->count + (*list)->count) * sizeof *both);
    if (!both)
        return conf_error(cf, "no memory");
    memcpy(both, earlier->items, earlier->count * sizeof *both);
    memcpy(both + earlier->count, (*list)->items, (*list)->count * sizeof *both);
    (*list)->items = both;
    (*list)->count += earlier->count;
    return NULL;
}

static const char *set_try_files(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct http_conf *h = conf_values(cf->block, &http_module);
    struct text last = cf->args[cf->count - 1];
    const char *error;

    if (last.len > 0 && last.at[0] == '=') {
        uint64_t code;
        if (number_parse(text_from(last, 1), &code) < 0 || code > 999)
            return conf_error(cf, "invalid code \"%.*s\"", TEXT_ARG(last));
    }
    struct try_files *t = &h->try_files;
    t->directory = arena_zalloc(cf->arena, cf->count);
    if (!t->directory)
        return conf_error(cf, "no memory");
    for (unsigned i = 1; i < cf->count - 1; i++) {
        struct text *name = &cf->args[i];
        t->directory[i - 1] = text_ends(*name, TEXT("/"));
        if (t->directory[i - 1])
            *name = arena_text(cf->arena, (struct text){name->at, name->len - 1});
    }
    t->names = list_of(cf, 1, &error);
    return error;
}

static const char *set_internal(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)cf, (void)row;
    *(bool *)slot = true;
    return NULL;
}

/* ---- error pages ---- */

/* error_page code ... [=[code]] uri */
static const char *set_error_page(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct error_page **end = slot;
    unsigned codes = cf->count - 2;
    int overwrite = -1;
    struct text mark = cf->args[cf->count - 2];
    struct template *target;

    if (mark.len > 0 && mark.at[0] == '=') {
        uint64_t code = 0;
        if (mark.len > 1 && (number_parse(text_from(mark, 1), &code) < 0 || code > 999))
            return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(mark));
        overwrite = (int)code;
        codes--;
    }
    const char *error = template_compile_field(cf, http_main_at(cf)->variables, cf->args[cf->count - 1], &target);
    if (error)
        return error;
    while (*end)
        end = &(*end)->next;
    for (unsigned i = 1; i <= codes; i++) {
        uint64_t code;
        if (number_parse(cf->args[i], &code) < 0)
            return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(cf->args[i]));
        if (code == 499)
            return conf_error(cf, "value \"%.*s\" is not allowed", TEXT_ARG(cf->args[i]));
        if (code < 300 || code > 599)
            return conf_error(cf, "value \"%.*s\" must be between 300 and 599", TEXT_ARG(cf->args[i]));
        struct error_page *page = arena_zalloc(cf->arena, sizeof *page);
        if (!page)
            return conf_error(cf, "no memory");
        *page = (struct error_page){NULL, (int)code, overwrite, target};
        *end = page;
        end = &page->next;
    }
    return NULL;
}

/* ---- connections ---- */

static const char *set_keepalive_timeout(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct keepalive_timeout *k = slot;

    if (number_parse_msec(cf->args[1], &k->msec) < 0)
        return conf_error(cf, "invalid value in \"keepalive_timeout\" directive");
    k->header_sec = 0;
    if (cf->count == 3 && number_parse_sec(cf->args[2], &k->header_sec) < 0)
        return conf_error(cf, "invalid value in \"keepalive_timeout\" directive");
    return NULL;
}

/* -1: it is none of them. */
static int value_of(const struct conf_enum *words, struct text word)
{
    while (words->name && !text_equal(word, text_of(words->name)))
        words++;
    return words->name ? words->value : -1;
}

static const char *set_keepalive_disable(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const struct conf_enum words[] = {
        {"none", 0}, {"msie6", KEEPALIVE_NOT_MSIE6}, {"safari", KEEPALIVE_NOT_SAFARI}, {NULL, 0}};
    unsigned *set = slot;

    *set = 0;
    for (unsigned i = 1; i < cf->count; i++) {
        int value = value_of(words, cf->args[i]);
        if (value < 0)
            return conf_error(cf, "invalid value \"%.*s\" in \"%s\" directive", TEXT_ARG(cf->args[i]), row->name);
        *set |= (unsigned)value;
    }
    return NULL;
}

static const struct conf_enum etag_kinds[] = {
    {"on", ETAG_MTIME}, {"mtime", ETAG_MTIME}, {"content", ETAG_CONTENT}, {"off", ETAG_OFF}, {NULL, 0}};

/* mtime size [inode] [nsec], in any order. */
static const char *set_etag_parts(struct conf *cf, const struct conf_row *row, void *slot)
{
    enum { MTIME = 4, SIZE = 8 };
    static const struct conf_enum words[] = {
        {"mtime", MTIME}, {"size", SIZE}, {"inode", ETAG_INODE}, {"nsec", ETAG_NSEC}, {NULL, 0}};
    unsigned parts = 0;

    for (unsigned i = 1; i < cf->count; i++) {
        int value = value_of(words, cf->args[i]);
        if (value < 0)
            return conf_error(cf, "invalid value \"%.*s\" in \"%s\" directive: it takes mtime, size, inode and nsec",
                              TEXT_ARG(cf->args[i]), row->name);
        if (parts & (unsigned)value)
            return conf_error(cf, "duplicate value \"%.*s\" in \"%s\" directive", TEXT_ARG(cf->args[i]), row->name);
        parts |= (unsigned)value;
    }
    if ((parts & (MTIME | SIZE)) != (MTIME | SIZE))
        return conf_error(cf, "\"%s\" needs both mtime and size", row->name);
    *(unsigned *)slot = parts & (ETAG_INODE | ETAG_NSEC);
    return NULL;
}

static const struct conf_enum lingering_words[] = {
    {"off", LINGERING_OFF}, {"on", LINGERING_ON}, {"always", LINGERING_ALWAYS}, {NULL, 0}};
static const struct conf_enum modified_words[] = {{"off", IF_MODIFIED_SINCE_OFF},
                                                  {"exact", IF_MODIFIED_SINCE_EXACT},
                                                  {"before", IF_MODIFIED_SINCE_BEFORE},
                                                  {NULL, 0}};
static const struct conf_bounds at_least_one = {.least = 1, .most = INT32_MAX};
static const struct conf_bounds field_count = {.least = 1, .most = 65535};
static const struct conf_bounds head_buffer = {.least = 64, .most = 1 << 20};

static const char *set_server_tokens(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const struct text words[] = {
        [TOKENS_OFF] = {"off", 3}, [TOKENS_ON] = {"on", 2}, [TOKENS_BUILD] = {"build", 5}};
    struct server_tokens *t = slot;

    (void)row;
    for (t->kind = TOKENS_OFF; t->kind < TOKENS_TEXT; t->kind++)
        if (text_equal(cf->args[1], words[t->kind]))
            return NULL;
    return template_compile_field(cf, http_main_at(cf)->variables, cf->args[1], &t->text);
}

/* ---- the whole http { } ---- */

static const char *finish_http(struct conf *cf, struct http_main *http)
{
    const char *error = NULL;

    list_each (&http->servers, node, tmp) {
        error = location_finish(cf, container_of(node, struct server, node));
        if (error)
            return error;
    }
    error = vhost_finish(cf, http);
    return error ? error : variables_finish(cf, http->variables);
}

/* Whether a location takes every request of the server, so that no file is looked for with the
 * server's own root. */
static bool is_covered(const struct conf_block *server)
{
    list_each (&server->children, node, tmp) {
        const struct conf_block *child = container_of(node, struct conf_block, node);
        if (child->context != CONF_LOCATION)
            continue;
        const struct location *l = child->owner;
        if ((l->kind == LOCATION_PREFIX || l->kind == LOCATION_PREFIX_FINAL) && text_equal(l->name, TEXT("/")))
            return true;
    }
    return false;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct http_conf *h = values;
    const struct conf_bufs *large = &h->large_client_header_buffers;

    if (large->size < 64 || large->number < 1 || large->size > (1 << 24) / large->number)
        return conf_error(cf, "\"large_client_header_buffers\" must be at least one buffer of 64 bytes, 16m in all");
    if (block->context == CONF_HTTP)
        return finish_http(cf, block->owner);
    if (block->context == CONF_SERVER)
        ((struct server *)block->owner)->tls = conf_values(block, &tls_module);
    if (block->context != CONF_SERVER || !is_covered(block)) /* what all of them replace is not read */
        conf_reads_noted(cf, h->root.noted);
    return NULL;
}

#define ALL         CONF_HTTP_ALL
#define HTTP_SERVER (CONF_HTTP | CONF_SERVER)
#define SLOT(field) CONF_SLOT(struct http_conf, field)

#define ACCEPTED(name, contexts, arity)                                                                                \
    {                                                                                                                  \
        name, contexts, arity, conf_set_accepted, .help = "Accepted; it has no meaning here."                          \
    }

static const struct conf_row rows[] = {
    {"http", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_http, .help = "The HTTP server: settings and virtual servers.",
     .syntax = "{ ... }"},
    {"server", CONF_HTTP, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, set_server, .help = "A virtual server.",
     .syntax = "{ ... }"},
    {"location", CONF_SERVER | CONF_LOCATION, CONF_TAKE12 | CONF_BLOCK | CONF_REPEAT, location_set,
     .help = "Settings for a part of the URIs.", .syntax = "[= | ~ | ~* | ^~] uri { ... } | @name { ... }"},
    {"listen", CONF_SERVER, CONF_1MORE | CONF_REPEAT, vhost_set_listen, .help = "Address to accept connections on.",
     .syntax = "address[:port] | port | unix:path [default_server] [reuseport[=on|off]] [backlog=number] "
               "[ipv6only=on|off] [so_keepalive=on|off|idle:interval:count] [deferred] [rcvbuf=size] [sndbuf=size] "
               "[fastopen=number] [bind] [ssl] [http2] [proxy_protocol]",
     .differs = "reuseport is on by default, so that workers share no queue; reuseport=off turns it off. No "
                "quic; multipath has no effect: plain TCP."},
    {"http2", HTTP_SERVER, CONF_FLAG, set_http2, SLOT(http2), .dflt = "off",
     .help =
         "Speak HTTP/2, too: on addresses with `ssl` where the handshake agrees on it (of the server that the client "
         "names), on others with clients that begin with its preface (of the address' default server)."},
    {"server_name", CONF_SERVER, CONF_1MORE | CONF_REPEAT, vhost_set_name, .syntax = "name ...",
     .help = "Names of the server: exact, *.example.org, .example.org, www.example.*, ~regex, $hostname.",
     .differs = "A `*` in the middle of a name is an error."},

    {"root", ALL | CONF_IF, CONF_TAKE1, core_set_root, SLOT(root), .dflt = "html", .syntax = "path",
     .help = "Directory that the URI is appended to.",
     .differs = "A \"..\" that arises where its variables are joined with the path gets 404."},
    {"alias", CONF_LOCATION, CONF_TAKE1, core_set_root, SLOT(root), .syntax = "path",
     .help = "Path that takes the place of the location's prefix.",
     .differs =
         "A \"..\" that arises where it is joined with the request (/img../x, with an alias that ends with / in a "
         "location that does not; $1 of ^/img(.*)$) gets 404; where that can be, there is a warning."},
    {"index", ALL, CONF_1MORE | CONF_REPEAT, set_index, SLOT(index), .dflt = "index.html", .syntax = "file ...",
     .help = "Files tried for a URI that ends with /."},
    {"try_files", CONF_SERVER | CONF_LOCATION, CONF_2MORE, set_try_files, .syntax = "file ... (uri | =code | @name)",
     .help = "The first of the files that exists is served; else the last argument decides."},
    {"types", ALL, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, mime_set_types, SLOT(types), .syntax = "{ ... }",
     .help = "Media types by file name extension."},
    {"default_type", ALL, CONF_TAKE1, field_set_text, SLOT(default_type), .dflt = "text/plain", .syntax = "mime-type",
     .help = "Media type of everything else."},
    {"error_page", ALL | CONF_IF, CONF_2MORE | CONF_REPEAT, set_error_page, SLOT(error_pages),
     .syntax = "code ... [=[response]] uri", .help = "The page, location or URL that takes the place of an error."},
    {"recursive_error_pages", ALL, CONF_FLAG, conf_set_flag, SLOT(recursive_error_pages), .dflt = "off",
     .help = "Whether an error page may itself lead to an error page."},
    {"internal", CONF_LOCATION, CONF_TAKE0, set_internal, SLOT(internal),
     .help = "The location is for internal redirects only; others get 404."},
    {"error_log", ALL, CONF_1MORE | CONF_REPEAT, conf_set_error_log, SLOT(error_log), .syntax = "file [level]",
     .help = "Where errors of these requests are logged."},
    {"log_not_found", ALL, CONF_FLAG, conf_set_flag, SLOT(log_not_found), .dflt = "on",
     .help = "Whether missing files are logged in the error log."},

    {"keepalive_timeout", ALL, CONF_TAKE12, set_keepalive_timeout, SLOT(keepalive_timeout), .dflt = "75s",
     .syntax = "timeout [header_timeout]",
     .help = "How long an idle connection stays open; 0 closes after each response."},
    {"keepalive_requests", ALL, CONF_TAKE1, conf_set_number, SLOT(keepalive_requests), .extra = &at_least_one,
     .dflt = "1000", .help = "Requests served on one connection."},
    {"keepalive_time", ALL, CONF_TAKE1, conf_set_msec, SLOT(keepalive_time), .dflt = "1h",
     .help = "How long requests are taken from one connection."},
    {"keepalive_min_timeout", ALL, CONF_TAKE1, conf_set_msec, SLOT(keepalive_min_timeout), .dflt = "0",
     .help = "How long an idle connection stays open at least after its worker began to stop; never longer than "
             "keepalive_timeout.",
     .differs = "It runs from the moment when the worker begins to stop, and is never less than two seconds, so that "
                "no request is lost."},
    {"keepalive_disable", ALL, CONF_1MORE, set_keepalive_disable, SLOT(keepalive_disable), .dflt = "msie6",
     .syntax = "none | msie6 | safari ...",
     .help = "Browsers whose connections do not stay open: old MSIE after POST, Safari on macOS after any request."},
    {"client_header_timeout", HTTP_SERVER, CONF_TAKE1, conf_set_msec, SLOT(client_header_timeout), .dflt = "60s",
     .help = "Time for the whole request head; for the first one of a connection, counted from when the connection was "
             "accepted."},
    {"client_body_timeout", ALL, CONF_TAKE1, conf_set_msec, SLOT(client_body_timeout), .dflt = "60s",
     .help = "Time between two reads of a request body; lingering_time limits the whole body."},
    {"send_timeout", ALL, CONF_TAKE1, conf_set_msec, SLOT(send_timeout), .dflt = "60s",
     .help = "Longest time in which the client takes nothing of what is sent."},
    {"lingering_close", ALL, CONF_TAKE1, conf_set_enum, SLOT(lingering_close), .extra = lingering_words, .dflt = "on",
     .help = "Whether to read on before closing, and to wait until the client has a long response, so that it is not "
             "lost to "
             "a reset."},
    {"lingering_time", ALL, CONF_TAKE1, conf_set_msec, SLOT(lingering_time), .dflt = "30s",
     .help = "Longest time of a lingering close, and of a request body, which is read and discarded too: after that "
             "the request is answered without the rest, and the connection is closed.",
     .differs = "A body is discarded before the request is answered, not after: its time begins with the body, and a "
                "lingering close after it has its own time."},
    {"lingering_timeout", ALL, CONF_TAKE1, conf_set_msec, SLOT(lingering_timeout), .dflt = "5s",
     .help = "Longest wait for more bytes during a lingering close.",
     .differs = "Within a request body the longest wait is client_body_timeout."},
    {"reset_timedout_connection", ALL, CONF_FLAG, conf_set_flag, SLOT(reset_timedout_connection), .dflt = "off",
     .help =
         "Close timed-out connections, and those that status 444 ends, with a reset, which frees their send buffers "
         "at once.",
     .differs = "444 resets only where all of the responses to earlier requests have arrived; else they come first."},
    {"client_header_buffer_size", HTTP_SERVER, CONF_TAKE1, conf_set_size, SLOT(client_header_buffer_size),
     .extra = &head_buffer, .dflt = "4k", .help = "First buffer for request heads.",
     .differs = "nginx's default is 1k."},
    {"large_client_header_buffers", HTTP_SERVER, CONF_TAKE2, conf_set_bufs, SLOT(large_client_header_buffers),
     .dflt = "4 8k", .syntax = "number size",
     .help = "A request line or field may be `size` long (414, 431), a head `number` times that.",
     .differs = "A field that is too large is answered with 431, not with nginx's internal 494 shown as 400."},
    {"max_headers", HTTP_SERVER, CONF_TAKE1, conf_set_number, SLOT(max_headers), .extra = &field_count, .dflt = "1000",
     .help =
         "Most fields in a request head; a head with more gets 431. The value of the address' default server applies.",
     .differs = "nginx answers with 400."},
    {"ignore_invalid_headers", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(ignore_invalid_headers), .dflt = "on",
     .help = "Leave request fields out whose names are not made of letters, digits, hyphens, and perhaps underscores. "
             "The value of the address' default server applies.",
     .differs = "Off, names are still tokens; whatever makes it doubtful where a message ends stays an error (400)."},
    {"underscores_in_headers", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(underscores_in_headers), .dflt = "off",
     .help =
         "Whether underscores are valid in names of request fields. The value of the address' default server applies."},
    {"client_max_body_size", ALL, CONF_TAKE1, conf_set_size, SLOT(client_max_body_size), .dflt = "1m",
     .help = "Largest request body, which is read and discarded; a larger one gets 413. 0: no limit."},
    {"server_tokens", ALL, CONF_TAKE1, set_server_tokens, SLOT(server_tokens), .dflt = "on",
     .syntax = "on | off | build | string",
     .help = "Whether the field Server and error pages show the version; `build` means on. A string, which may have "
             "variables, replaces both name and version; an empty one leaves the field out."},
    {"etag", ALL, CONF_TAKE1, conf_set_enum, SLOT(etag), .extra = etag_kinds, .dflt = "on",
     .syntax = "on | mtime | content | off",
     .help =
         "Send entity tags. on, mtime: made of the file's time and size; content: of its digest, where one is known "
         "(digest_manifest, an extended attribute, a sidecar), else of time and size.",
     .differs =
         "The tag of a side file, and of what gzip, gunzip or a charset makes, is marked by its coding. nginx has "
         "on and off alone."},
    {"etag_parts", ALL, CONF_1MORE, set_etag_parts, SLOT(etag_parts), .dflt = "mtime size",
     .syntax = "mtime size [inode] [nsec]",
     .help =
         "What tags of time and size are made of. With inode or nsec, and where etag content has no digest, the tag "
         "of a file that changed within the last two seconds is weak."},
    {"if_modified_since", ALL, CONF_TAKE1, conf_set_enum, SLOT(if_modified_since), .extra = modified_words,
     .dflt = "exact", .help = "How If-Modified-Since is compared.",
     .differs = "It compares with the date that was sent: that of `add_header Last-Modified` where there is one, and "
                "for a file whose time lies ahead the time of the response."},
    {"max_ranges", ALL, CONF_TAKE1, conf_set_number, SLOT(max_ranges), .dflt = "512",
     .help = "Most ranges of one request; a request with more gets the whole file; 0 turns ranges off. Ranges are sent "
             "as requested, overlapping or not; only where they are longer together than the file, overlapping and "
             "adjoining ones are merged.",
     .differs = "nginx has no limit by default, and sends the whole instead of merging."},
    {"merge_slashes", HTTP_SERVER, CONF_FLAG, conf_set_flag, SLOT(merge_slashes), .dflt = "on",
     .help = "Several slashes in a row count as one."},
    {"absolute_redirect", ALL, CONF_FLAG, conf_set_flag, SLOT(absolute_redirect), .dflt = "on",
     .help = "Redirects name scheme and host."},
    {"port_in_redirect", ALL, CONF_FLAG, conf_set_flag, SLOT(port_in_redirect), .dflt = "on",
     .help = "Redirects name the port, unless it is 80."},
    {"server_name_in_redirect", ALL, CONF_FLAG, conf_set_flag, SLOT(server_name_in_redirect), .dflt = "off",
     .help = "The host of redirects is the first server_name, not the request's."},
    {"tcp_nopush", ALL, CONF_FLAG, conf_set_flag, SLOT(tcp_nopush), .dflt = "off",
     .help =
         "Accepted: heads always travel with the first bytes of their file, in full segments, and a response's tail "
         "is never held back."},
    {"tcp_nodelay", ALL, CONF_FLAG, conf_set_flag, SLOT(tcp_nodelay), .dflt = "on",
     .help = "Do not wait for acknowledgements with a partial segment."},

    {"chunked_transfer_encoding", ALL, CONF_FLAG, conf_set_flag, SLOT(chunked_transfer_encoding), .dflt = "on",
     .help = "Off: a response of unknown length ends by closing its connection, for HTTP/1.1 too."},

    ACCEPTED("types_hash_max_size", ALL, CONF_TAKE1),
    ACCEPTED("types_hash_bucket_size", ALL, CONF_TAKE1),
    ACCEPTED("server_names_hash_max_size", CONF_HTTP, CONF_TAKE1),
    ACCEPTED("server_names_hash_bucket_size", CONF_HTTP, CONF_TAKE1),
    ACCEPTED("variables_hash_max_size", CONF_HTTP, CONF_TAKE1),
    ACCEPTED("variables_hash_bucket_size", CONF_HTTP, CONF_TAKE1),
    ACCEPTED("connection_pool_size", HTTP_SERVER, CONF_TAKE1),
    ACCEPTED("request_pool_size", HTTP_SERVER, CONF_TAKE1),
    ACCEPTED("client_body_temp_path", ALL, CONF_1MORE),
    ACCEPTED("proxy_temp_path", ALL, CONF_1MORE),
    ACCEPTED("fastcgi_temp_path", ALL, CONF_1MORE),
    ACCEPTED("uwsgi_temp_path", ALL, CONF_1MORE),
    ACCEPTED("scgi_temp_path", ALL, CONF_1MORE),
    ACCEPTED("client_body_buffer_size", ALL, CONF_TAKE1),
    ACCEPTED("client_body_in_file_only", ALL, CONF_TAKE1),
    ACCEPTED("client_body_in_single_buffer", ALL, CONF_FLAG),
    ACCEPTED("log_subrequest", ALL, CONF_FLAG),
    ACCEPTED("msie_padding", ALL, CONF_FLAG),
    ACCEPTED("msie_refresh", ALL, CONF_FLAG),
    ACCEPTED("send_lowat", ALL, CONF_TAKE1),
    ACCEPTED("subrequest_output_buffer_size", ALL, CONF_TAKE1),
    ACCEPTED("resolver", ALL, CONF_1MORE),
    ACCEPTED("resolver_timeout", ALL, CONF_TAKE1),
    {.name = NULL},
};

struct conf_module http_module = {
    .name = "HTTP core",
    .rows = rows,
    .size = sizeof(struct http_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
