/* fields.c - see fields.h. Called by session_receive.c and the explainer. */
#include "http/h2/fields.h"

#include "base/number.h"
#include "http/syntax/known_field.h"
#include "http/syntax/uri.h"

#include <errno.h>

enum { FIELD_OVERHEAD = 32 /* RFC 9113, 6.5.2 */ };

/* ---- bytes ---- */

enum {
    BYTE_NAME = 1,    /* of a token, but no upper case: RFC 9113, 8.2.1 */
    BYTE_PLAIN = 2,   /* lower case letters, digits, hyphen */
    BYTE_TOKEN = 4,   /* of a method: RFC 9110, 5.6.2 */
    BYTE_TARGET = 8,  /* of a path: visible ASCII but # */
    BYTE_CONTROL = 16 /* that no value has: RFC 9110, 5.5 */
};

static const unsigned char classes[256] = {
    [0 ... 8] = BYTE_CONTROL,
    [10 ... 31] = BYTE_CONTROL,
    [127] = BYTE_CONTROL,
    ['!'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    ['"'] = BYTE_TARGET,
    ['#'] = BYTE_NAME | BYTE_TOKEN,
    ['$' ... '\''] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    ['(' ... ')'] = BYTE_TARGET,
    ['*' ... '+'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    [','] = BYTE_TARGET,
    ['-'] = BYTE_NAME | BYTE_PLAIN | BYTE_TOKEN | BYTE_TARGET,
    ['.'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    ['/'] = BYTE_TARGET,
    ['0' ... '9'] = BYTE_NAME | BYTE_PLAIN | BYTE_TOKEN | BYTE_TARGET,
    [':' ... '@'] = BYTE_TARGET,
    ['A' ... 'Z'] = BYTE_TOKEN | BYTE_TARGET,
    ['[' ... ']'] = BYTE_TARGET,
    ['^' ... '`'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    ['a' ... 'z'] = BYTE_NAME | BYTE_PLAIN | BYTE_TOKEN | BYTE_TARGET,
    ['{'] = BYTE_TARGET,
    ['|'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
    ['}'] = BYTE_TARGET,
    ['~'] = BYTE_NAME | BYTE_TOKEN | BYTE_TARGET,
};

/* The classes that all bytes are of. */
static unsigned common(struct text t)
{
    unsigned all = BYTE_NAME | BYTE_PLAIN | BYTE_TOKEN | BYTE_TARGET;

    for (size_t i = 0; i < t.len; i++)
        all &= classes[(unsigned char)t.at[i]];
    return all;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether eight bytes may have a control among them, with the usual tests for a byte in a word. */
static bool is_suspect_word(const char *bytes)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    uint64_t del = word ^ ones * 127;
    return (((word - ones * ' ') & ~word) | ((del - ones) & ~del)) & tops;
}

/* Bytes from the beginning on that are no controls; the last word may overlap the one before. */
static size_t skip_plain(struct text t)
{
    size_t i = 0;

    while (i + 8 <= t.len && !is_suspect_word(t.at + i))
        i += 8;
    return i + 8 > t.len && t.len >= 8 && !is_suspect_word(t.at + t.len - 8) ? t.len : i;
}

static bool is_value(struct text t)
{
    unsigned any = 0;

    if (t.len == 0)
        return true;
    for (size_t i = skip_plain(t); i < t.len; i++)
        any |= classes[(unsigned char)t.at[i]];
    return !(any & BYTE_CONTROL) && !is_blank(t.at[0]) && !is_blank(t.at[t.len - 1]);
}

/* ---- one field ---- */

static struct text keep(struct fields *f, struct text t)
{
    struct text copy = t.len > 0 ? arena_text(f->arena, t) : TEXT("");

    if (!copy.at && f->status == 0)
        f->status = 500;
    return copy;
}

/* A method or a scheme: most of them are constants. */
static struct text keep_usual(struct fields *f, struct text t)
{
    static const struct text usual[] = {{"GET", 3}, {"https", 5}, {"http", 4}, {"HEAD", 4}};

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (text_equal(usual[i], t))
            return usual[i];
    return keep(f, t);
}

static void take_pseudo(struct fields *f, struct text name, struct text value)
{
    struct text *to = text_equal(name, TEXT(":path"))        ? &f->path
                      : text_equal(name, TEXT(":method"))    ? &f->method
                      : text_equal(name, TEXT(":scheme"))    ? &f->scheme
                      : text_equal(name, TEXT(":authority")) ? &f->authority
                                                             : NULL;

    if (!to || to->at || f->regular || f->trailers)
        f->malformed = true;
    else
        *to = to == &f->path || to == &f->authority ? keep(f, value) : keep_usual(f, value);
}

/* What HTTP/1 says about its connection: RFC 9113, 8.2.2 */
static bool is_of_connection(struct text name, struct text value)
{
    switch (name.len) {
    case 2:
        return text_equal(name, TEXT("te")) && !text_equal_nocase(value, TEXT("trailers"));
    case 7:
        return text_equal(name, TEXT("upgrade"));
    case 10:
        return text_equal(name, TEXT("connection")) || text_equal(name, TEXT("keep-alive"));
    case 16:
        return text_equal(name, TEXT("proxy-connection"));
    case 17:
        return text_equal(name, TEXT("transfer-encoding"));
    default:
        return false;
    }
}

static bool grow(struct fields *f)
{
    unsigned room = f->room ? 2 * f->room : 16;
    struct header *headers = arena_alloc(f->arena, room * sizeof *headers);

    if (!headers) {
        f->status = 500;
        return false;
    }
    if (f->count > 0)
        memcpy(headers, f->headers, f->count * sizeof *headers);
    f->headers = headers;
    f->room = room;
    return true;
}

static void put(struct fields *f, struct text name, struct text value)
{
    if (f->count < f->room || grow(f))
        f->headers[f->count++] = (struct header){name, value};
}

static void take_regular(struct fields *f, struct text name, struct text value)
{
    unsigned of = common(name);

    f->regular = true;
    if (!(of & BYTE_NAME) || name.len == 0 || is_of_connection(name, value)) {
        f->malformed = true;
        return;
    }
    if (f->trailers)
        return;
    if (!(of & BYTE_PLAIN) && f->limits->ignores && !(f->limits->underscores && text_find(name, '_') < name.len)) {
        f->odd = true;
        f->odd_name = keep(f, name);
        return;
    }
    name = keep(f, name);
    value = keep(f, value);
    enum field known = known_field(name);
    if (known == FIELD_COUNT) {
        if (name.len == 8 && text_equal(name, TEXT("priority")))
            f->priority = value;
    } else if (!f->known[known].at) {
        f->known[known] = value;
    } else if (KNOWN_FIELD_SINGULAR & KNOWN_FIELD_BIT(known)) {
        f->repeated = true;
    }
    put(f, name, value);
}

/* Before any memory is spent on it. The target is part of HTTP/1's request line, and has that one's
 * status. */
static bool fits(struct fields *f, struct text name, struct text value)
{
    const struct fields_limits *l = f->limits;
    bool is_path = name.len == 5 && text_equal(name, TEXT(":path"));

    f->seen++;
    f->size += name.len + value.len + FIELD_OVERHEAD;
    if (f->status == 0 && name.len + value.len > l->field)
        f->status = is_path ? 414 : 431;
    if (f->status == 0 && (f->size > l->list || (f->seen > l->count && !text_starts(name, TEXT(":")))))
        f->status = 431;
    return f->status == 0;
}

void fields_add(struct fields *f, struct text name, struct text value)
{
    if (f->malformed || !fits(f, name, value))
        return;
    if (!is_value(value))
        f->malformed = true;
    else if (name.len > 0 && name.at[0] == ':')
        take_pseudo(f, name, value);
    else
        take_regular(f, name, value);
}

size_t fields_memory(const struct fields *f)
{
    size_t list = f->size < f->limits->list ? f->size : f->limits->list; /* the rest was not kept */

    return list + (size_t)2 * f->room * sizeof *f->headers; /* grow() doubles, and leaves the smaller ones behind */
}

/* ---- the whole ---- */

static enum method method_of(struct text name)
{
    static const struct {
        struct text name;
        enum method method;
    } known[] = {
        {{"GET", 3}, METHOD_GET},         {{"HEAD", 4}, METHOD_HEAD},     {{"POST", 4}, METHOD_POST},
        {{"PUT", 3}, METHOD_PUT},         {{"DELETE", 6}, METHOD_DELETE}, {{"OPTIONS", 7}, METHOD_OPTIONS},
        {{"CONNECT", 7}, METHOD_CONNECT},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(known[i].name, name))
            return known[i].method;
    return METHOD_OTHER;
}

static bool is_scheme(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = text_lower(t.at[i]);
        bool letter = c >= 'a' && c <= 'z', rest = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && !(i > 0 && rest))
            return false;
    }
    return t.len > 0;
}

/* RFC 9113, 8.3.1 and 8.5. */
static bool has_pseudo(const struct fields *f)
{
    if (!f->method.at || f->method.len == 0 || !(common(f->method) & BYTE_TOKEN))
        return false;
    if (text_equal(f->method, TEXT("CONNECT")))
        return !f->scheme.at && !f->path.at && f->authority.at;
    return f->scheme.at && is_scheme(f->scheme) && f->path.at && f->path.len > 0;
}

/* "GET /a HTTP/2.0": what $request says. */
static void set_line(struct fields *f, struct message *m)
{
    struct text target = m->method == METHOD_CONNECT ? f->authority : f->path;
    static const char version[] = " HTTP/2.0";
    char *line = arena_alloc(f->arena, f->method.len + 1 + target.len + sizeof version);

    if (!line) {
        f->status = 500;
        return;
    }
    memcpy(line, f->method.at, f->method.len);
    line[f->method.len] = ' ';
    memcpy(line + f->method.len + 1, target.at, target.len);
    memcpy(line + f->method.len + 1 + target.len, version, sizeof version);
    m->line = (struct text){line, f->method.len + 1 + target.len + sizeof version - 1};
    m->method_name = (struct text){line, f->method.len};
    m->target = (struct text){line + f->method.len + 1, target.len};
    m->version = text_from(m->line, m->line.len - (sizeof "HTTP/2.0" - 1));
}

/* Host says the same where both are there: RFC 9113, 8.3.1. */
static int take_authority(struct fields *f, struct message *m)
{
    struct text host = f->known[FIELD_HOST];

    if (f->authority.at && host.at && !text_equal_nocase(f->authority, host))
        return 400;
    if (f->authority.at && !host.at) {
        host = f->known[FIELD_HOST] = f->authority;
        put(f, TEXT("host"), host);
    }
    m->fields[FIELD_HOST] = host;
    return host.at && uri_authority(host, &m->host) ? 0 : 400;
}

static int take_length(const struct fields *f, struct message *m)
{
    struct text length = f->known[FIELD_CONTENT_LENGTH];
    int rc = length.at ? number_parse(length, &m->length) : 0;

    if (rc == -ERANGE || m->length > INT64_MAX)
        return 413;
    m->has_length = length.at && rc == 0;
    return rc < 0 ? 400 : 0;
}

static int check(struct fields *f, struct message *m)
{
    int status = take_authority(f, m), length = take_length(f, m);

    bool is_path = m->method == METHOD_CONNECT || text_starts(m->target, TEXT("/")) ||
                   (m->method == METHOD_OPTIONS && text_equal(m->target, TEXT("*")));

    if (f->repeated || !(common(m->target) & BYTE_TARGET) || !is_path)
        return 400;
    return status ? status : length;
}

int fields_finish(struct fields *f, struct message *m)
{
    memset(m, 0, sizeof *m);
    m->version = TEXT("HTTP/2.0");
    m->protocol = PROTOCOL_2;
    m->line = TEXT_NONE;
    m->target = TEXT("");
    m->method_name = f->method;
    if (!f->malformed && f->status == 0)
        f->malformed = !has_pseudo(f);
    if (f->malformed)
        return 400;
    if (f->method.at) {
        m->method = method_of(f->method);
        if (f->path.at || m->method == METHOD_CONNECT)
            set_line(f, m);
    }
    int status = check(f, m);
    memcpy(m->fields, f->known, sizeof m->fields);
    m->headers = f->headers;
    m->count = f->count;
    return f->status ? f->status : status;
}
