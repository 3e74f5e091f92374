/* parse.c - bytes to a request's head: a strict pre-scan, then llhttp. Called by connection_read.c.
 * RFC 9112.
 *
 * The pre-scan alone decides what a line is: every way in which two parsers could read one head
 * differently (bare CR or LF, folded lines, odd white space, other versions) is refused before
 * llhttp sees it. llhttp then splits the fields, and the checks of RFC 9112, 3.2 and 6, follow on
 * its result. */
#include "http/h1/parse.h"

#include "base/number.h"
#include "http/h1/parse_class.h"
#include "http/syntax/known_field.h"
#include "http/syntax/uri.h"

#include <endian.h>
#include <errno.h>
#include <llhttp.h>

enum { BOTH = CLASS_TOKEN | CLASS_TARGET, ALL = BOTH | CLASS_NAME };

const unsigned char parse_class[256] = {
    ['!'] = BOTH,
    ['"'] = CLASS_TARGET,
    ['#'] = CLASS_TOKEN,
    ['$' ... '\''] = BOTH,
    ['(' ... ')'] = CLASS_TARGET,
    ['*' ... '+'] = BOTH,
    [','] = CLASS_TARGET,
    ['-'] = ALL,
    ['.'] = BOTH,
    ['/'] = CLASS_TARGET,
    ['0' ... '9'] = ALL,
    [':' ... '@'] = CLASS_TARGET,
    ['A' ... 'Z'] = ALL,
    ['[' ... ']'] = CLASS_TARGET,
    ['^' ... '`'] = BOTH,
    ['a' ... 'z'] = ALL,
    ['{'] = CLASS_TARGET,
    ['|'] = BOTH,
    ['}'] = CLASS_TARGET,
    ['~'] = BOTH,
};

/* The pre-scan. */

#define EACH_BYTE(value) (UINT64_MAX / 255 * (value))

/* Offset of the first control byte other than HT from `at` on, or `len`. Eight bytes a step: a
 * borrow can only come from a lower byte that is itself a hit, so that the lowest marked byte is
 * always a true one. */
static size_t control_at(const char *bytes, size_t at, size_t len)
{
    while (len - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        word = le64toh(word);
        uint64_t del = word ^ EACH_BYTE(0x7f);
        uint64_t hit = ((word - EACH_BYTE(0x20)) & ~word) | ((del - EACH_BYTE(1)) & ~del);
        hit &= EACH_BYTE(0x80);
        if (hit == 0) {
            at += 8;
            continue;
        }
        at += (size_t)__builtin_ctzll(hit) / 8;
        if (bytes[at] != '\t')
            return at;
        at++;
    }
    while (at < len && ((unsigned char)bytes[at] >= 0x20 || bytes[at] == '\t') && bytes[at] != 0x7f)
        at++;
    return at;
}

static bool request_line_ok(struct text line)
{
    size_t method = parse_run(line, 0, CLASS_TOKEN);
    if (method == 0 || method == line.len || line.at[method] != ' ')
        return false;
    size_t target = parse_run(line, method + 1, CLASS_TARGET);
    if (target == method + 1 || target == line.len || line.at[target] != ' ')
        return false;
    return parse_is_version(text_from(line, target + 1));
}

static bool field_line_ok(struct text line, bool *odd)
{
    size_t name = parse_run(line, 0, CLASS_NAME);
    if (name < line.len && line.at[name] != ':') {
        *odd = true;
        name = parse_run(line, name, CLASS_TOKEN);
    }
    return name > 0 && name < line.len && line.at[name] == ':';
}

enum scan_result parse_scan(struct scan *scan, const char *bytes, size_t len)
{
    for (;;) {
        size_t at = scan->at = control_at(bytes, scan->at, len);
        if (at == len)
            return SCAN_MORE;
        if (bytes[at] != '\r')
            return SCAN_BAD;
        if (at + 1 == len)
            return SCAN_MORE;
        if (bytes[at + 1] != '\n')
            return SCAN_BAD;

        struct text line = text_span(bytes + scan->line_start, bytes + at);
        scan->at = scan->line_start = at + 2;
        scan->lines++;
        if (scan->lines == 1) {
            if (!request_line_ok(line))
                return SCAN_BAD;
        } else if (line.len == 0) {
            return SCAN_COMPLETE;
        } else if (!field_line_ok(line, &scan->odd_names)) {
            return SCAN_BAD;
        }
    }
}

bool parse_name_is_plain(struct text name, bool underscores)
{
    for (size_t i = 0; i < name.len; i++)
        if (!parse_is(name.at[i], CLASS_NAME) && !(underscores && name.at[i] == '_'))
            return false;
    return true;
}

size_t parse_skip_empty(struct scan *scan, const char *bytes, size_t len)
{
    if (scan->at > 0 || scan->skipped || len < 2 || bytes[0] != '\r' || bytes[1] != '\n')
        return 0;
    scan->skipped = true;
    return 2;
}

/* The fields, as llhttp finds them. */

struct reader {
    struct message *m;
    struct arena *arena;
    unsigned room, most; /* of m->headers */
    int status;          /* why a callback stopped the parser */
    bool open;           /* a field is being read */
    bool complete;
    bool close, stay; /* tokens of Connection */
};

static int stop(struct reader *r, int status)
{
    r->status = status;
    return -1;
}

static void connection_tokens(struct reader *r, struct text value)
{
    struct text token;
    while (text_list_next(&value, &token)) {
        if (text_equal_nocase(token, TEXT("close")))
            r->close = true;
        else if (text_equal_nocase(token, TEXT("keep-alive")))
            r->stay = true;
    }
}

static int grow(struct reader *r)
{
    unsigned room = r->room ? r->room * 2 : 16;
    if (room > r->most)
        room = r->most;
    if (room <= r->room)
        return stop(r, 431);
    struct header *headers = arena_alloc(r->arena, room * sizeof *headers);
    if (!headers)
        return stop(r, 500);
    if (r->m->count > 0)
        memcpy(headers, r->m->headers, r->m->count * sizeof *headers);
    r->m->headers = headers;
    r->room = room;
    return 0;
}

/* llhttp may hand over one span in several calls; they adjoin, for the head lies in one piece. */
static void extend(struct text *span, const char *at, size_t len)
{
    if (!span->at)
        *span = (struct text){at, len};
    else
        span->len = (size_t)(at + len - span->at);
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct reader *r = parser->data;
    extend(&r->m->target, at, len);
    return 0;
}

static int on_field_name(llhttp_t *parser, const char *at, size_t len)
{
    struct reader *r = parser->data;
    if (!r->open) {
        if (r->m->count == r->room && grow(r) < 0)
            return -1;
        r->m->headers[r->m->count++] = (struct header){TEXT_NONE, TEXT_NONE};
        r->open = true;
    }
    extend(&r->m->headers[r->m->count - 1].name, at, len);
    return 0;
}

static int on_field_value(llhttp_t *parser, const char *at, size_t len)
{
    struct reader *r = parser->data;
    if (!r->open)
        return stop(r, 400);
    extend(&r->m->headers[r->m->count - 1].value, at, len);
    return 0;
}

static int on_field(llhttp_t *parser)
{
    struct reader *r = parser->data;
    if (!r->open)
        return stop(r, 400);
    r->open = false;
    struct header *h = &r->m->headers[r->m->count - 1];
    if (h->value.at)
        h->value = text_trim(h->value);
    else
        h->value = (struct text){h->name.at + h->name.len, 0};

    enum field field = known_field(h->name);
    if (field == FIELD_COUNT)
        return 0;
    if (field == FIELD_CONNECTION)
        connection_tokens(r, h->value);
    if (!r->m->fields[field].at)
        r->m->fields[field] = h->value;
    else if (KNOWN_FIELD_SINGULAR & KNOWN_FIELD_BIT(field))
        return stop(r, 400);
    return 0;
}

static int on_fields(llhttp_t *parser)
{
    struct reader *r = parser->data;
    r->complete = true;
    return HPE_PAUSED; /* bodies and upgrades are not this parser's */
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field_name,
    .on_header_value = on_field_value,
    .on_header_value_complete = on_field,
    .on_headers_complete = on_fields,
};

/* The head as a whole. */

static enum method method_of(llhttp_t *parser)
{
    switch (llhttp_get_method(parser)) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    case HTTP_PUT:
        return METHOD_PUT;
    case HTTP_DELETE:
        return METHOD_DELETE;
    case HTTP_OPTIONS:
        return METHOD_OPTIONS;
    case HTTP_CONNECT:
        return METHOD_CONNECT;
    default:
        return METHOD_OTHER;
    }
}

/* The first line; the pre-scan knows that it has three parts. 0, 400 or 505. */
static int request_line(struct message *m, const char *head, size_t len)
{
    const char *end = memchr(head, '\r', len);
    if (!end)
        return 400;
    m->line = text_span(head, end);
    m->method_name = (struct text){head, text_find(m->line, ' ')};
    if (m->line.len < m->method_name.len + sizeof " / HTTP/1.1" - 1)
        return 400;

    const char *version = end - 3;
    m->version = text_from(m->line, m->line.len - (sizeof "HTTP/1.1" - 1));
    if (version[0] == '0')
        return 400; /* HTTP/0.9 has no version on the wire: nginx's answer */
    if (version[0] != '1')
        return 505;
    m->protocol = version[2] == '0' ? PROTOCOL_1_0 : PROTOCOL_1_1;
    return 0;
}

/* A later minor version is served as the highest one that is known (RFC 9110, 2.5), which is 1.1:
 * llhttp, which knows no other either, is shown that one. */
static void execute(llhttp_t *parser, const struct message *m, const char *head, size_t len)
{
    const char *minor = m->version.at + m->version.len - 1;

    if (*minor <= '1') {
        llhttp_execute(parser, head, len);
        return;
    }
    llhttp_execute(parser, head, (size_t)(minor - head));
    llhttp_execute(parser, "1", 1);
    llhttp_execute(parser, minor + 1, (size_t)(head + len - minor - 1));
}

/* llhttp and the pre-scan must have seen the same three parts. */
static bool target_agrees(const struct message *m)
{
    const char *at = m->method_name.at + m->method_name.len + 1;
    const char *end = m->line.at + m->line.len - (sizeof " HTTP/1.1" - 1);
    return m->target.at == at && m->target.at + m->target.len == end;
}

/* Why llhttp refused a head that the pre-scan let pass. Cold. */
static int refusal(llhttp_t *parser, const char *head, size_t len)
{
    llhttp_errno_t error = llhttp_get_errno(parser);
    if (error == HPE_INVALID_METHOD)
        return 501; /* a token, but none that is known: RFC 9110, 9.1 */
    if (error != HPE_INVALID_CONTENT_LENGTH)
        return 400;

    for (const char *line = head; line; line = memchr(line, '\n', (size_t)(head + len - line))) {
        line += *line == '\n';
        struct text rest = text_span(line, head + len);
        struct text name = {rest.at, text_find(rest, ':')};
        if (!text_equal_nocase(name, TEXT("content-length")))
            continue;
        struct text value = text_from(rest, name.len + 1);
        value.len = text_find(value, '\r');
        uint64_t ignored;
        return number_parse(text_trim(value), &ignored) == -ERANGE ? 413 : 400;
    }
    return 400;
}

/* RFC 9112, 3.2. */
static int check_host(struct message *m)
{
    struct text host = m->fields[FIELD_HOST];
    if (!host.at)
        return m->protocol == PROTOCOL_1_0 ? 0 : 400;
    return uri_authority(host, &m->host) ? 0 : 400;
}

/* Among the white space that was cut off. Versions of llhttp before 9.4 take no length with one
 * there. */
static bool tab_behind(struct text value)
{
    const char *at = value.at + value.len;
    while (*at == ' ')
        at++;
    return *at == '\t';
}

/* RFC 9112, 6: how long the body is. */
static int check_framing(struct message *m, struct framing *f)
{
    struct text coding = m->fields[FIELD_TRANSFER_ENCODING], length = m->fields[FIELD_CONTENT_LENGTH];
    if (coding.at) {
        if (m->protocol == PROTOCOL_1_0 || length.at)
            return 400;
        if (!text_equal_nocase(coding, TEXT("chunked")))
            return 501;
        f->chunked = true;
        return 0;
    }
    if (!length.at)
        return 0;
    if (tab_behind(length))
        return 400;
    int rc = number_parse(length, &m->length);
    if (rc < 0)
        return rc == -ERANGE ? 413 : 400;
    if (m->length > INT64_MAX)
        return 413;
    m->has_length = true;
    return 0;
}

int parse_head(struct message *m, struct framing *f, const char *head, size_t len, unsigned most, struct arena *arena)
{
    memset(m, 0, sizeof *m);
    *f = (struct framing){0};
    int status = request_line(m, head, len);
    if (status)
        return status;

    struct reader r = {.m = m, .arena = arena, .most = most};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &r;
    execute(&parser, m, head, len);
    if (llhttp_get_method(&parser) > HTTP_SOURCE)
        return 501; /* not HTTP's own, or known to newer versions of llhttp alone */
    if (r.status)
        return r.status;
    if (!r.complete)
        return refusal(&parser, head, len);
    if (!target_agrees(m))
        return 400;

    m->method = method_of(&parser);
    f->keep_alive = !r.close && (m->protocol == PROTOCOL_1_1 || r.stay);
    f->expect_continue =
        m->protocol == PROTOCOL_1_1 && text_equal_nocase(m->fields[FIELD_EXPECT], TEXT("100-continue"));
    status = check_host(m);
    return status ? status : check_framing(m, f);
}
