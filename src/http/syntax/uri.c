/* uri.c - request target to a path that is safe to append to a root. Pure; called by parse.c
 * (Host), connection_read.c and those that write links. RFC 9112 3.2, RFC 3986; where nginx reads a
 * path in its own way (%2F separates segments), as nginx. */
#include "http/syntax/uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

enum { UNRESERVED = 1 << 0, SUB_DELIM = 1 << 1, PATH_EXTRA = 1 << 2, SLASH = 1 << 3 };

static const unsigned char classes[256] = {
    ['A' ... 'Z'] = UNRESERVED, ['a' ... 'z'] = UNRESERVED, ['0' ... '9'] = UNRESERVED,
    ['-'] = UNRESERVED,         ['.'] = UNRESERVED,         ['_'] = UNRESERVED,
    ['~'] = UNRESERVED,         ['!'] = SUB_DELIM,          ['$'] = SUB_DELIM,
    ['&' ... ','] = SUB_DELIM,  [';'] = SUB_DELIM,          ['='] = SUB_DELIM,
    [':'] = PATH_EXTRA,         ['@'] = PATH_EXTRA,         ['/'] = SLASH,
};

static bool is(char c, int wanted)
{
    return classes[(unsigned char)c] & wanted;
}

/* -1: not a hexadecimal digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the %XX at the start of `t`, or -1. */
static int decode(struct text t)
{
    if (t.len < 3)
        return -1;
    int high = hex_value(t.at[1]), low = hex_value(t.at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Host and port. */

static bool port_ok(struct text rest)
{
    if (rest.len == 0)
        return true;
    if (rest.at[0] != ':')
        return false;
    unsigned port = 0;
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.at[i] < '0' || rest.at[i] > '9')
            return false;
        port = port * 10 + (unsigned)(rest.at[i] - '0');
        if (port > 65535)
            return false;
    }
    return true;
}

static bool is_ipv6(struct text t)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    if (t.len >= sizeof address || memchr(t.at, '\0', t.len))
        return false;
    memcpy(address, t.at, t.len);
    address[t.len] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* RFC 3986, 3.2.2: "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool is_ip_future(struct text t)
{
    if (t.len == 0 || text_lower(t.at[0]) != 'v')
        return false;
    size_t at = 1;
    while (at < t.len && hex_value(t.at[at]) >= 0)
        at++;
    if (at == 1 || at + 1 >= t.len || t.at[at] != '.')
        return false;
    for (at++; at < t.len; at++)
        if (t.at[at] != ':' && !is(t.at[at], UNRESERVED | SUB_DELIM))
            return false;
    return true;
}

/* "[...]", the closing bracket included in *host. */
static bool bracketed(struct text authority, struct text *host)
{
    size_t close = text_find(authority, ']');
    if (close == authority.len)
        return false;
    struct text inside = {authority.at + 1, close - 1};
    *host = (struct text){authority.at, close + 1};
    return is_ipv6(inside) || is_ip_future(inside);
}

/* reg-name or IPv4; empty labels are refused, as nginx refuses them. */
static bool named(struct text authority, struct text *host)
{
    size_t i = 0;
    for (; i < authority.len && authority.at[i] != ':'; i++) {
        char c = authority.at[i];
        if (c != '.' && is(c, UNRESERVED | SUB_DELIM))
            continue;
        if (c == '%' && decode(text_from(authority, i)) > 0)
            i += 2;
        else if (c != '.' || i == 0 || authority.at[i - 1] == '.')
            return false;
    }
    *host = (struct text){authority.at, i};
    return i > 0;
}

bool uri_authority(struct text authority, struct text *host)
{
    bool ok = authority.len > 0 && authority.at[0] == '[' ? bracketed(authority, host) : named(authority, host);
    if (!ok || !port_ok(text_from(authority, host->len)))
        return false;
    if (host->at[host->len - 1] == '.')
        host->len--;
    return true;
}

bool uri_tunnel(struct text target, struct text *host)
{
    if (!uri_authority(target, host))
        return false;
    struct text rest = text_from(target, host->len);
    if (text_starts(rest, TEXT(".")))
        rest = text_from(rest, 1);
    return rest.len > 1; /* a colon, and digits */
}

/* The parts of a target. */

static bool scheme(struct text *target)
{
    static const struct text schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < 2; i++) {
        struct text start = {target->at, schemes[i].len};
        if (target->len >= start.len && text_equal_nocase(start, schemes[i])) {
            *target = text_from(*target, start.len);
            return true;
        }
    }
    return false;
}

int uri_split(struct text target, struct uri *uri)
{
    *uri = (struct uri){TEXT_NONE, TEXT_NONE, TEXT_NONE, TEXT_NONE};
    if (target.len == 0 || memchr(target.at, '#', target.len))
        return 400;
    if (target.at[0] == '*') {
        uri->path = uri->raw = target;
        return target.len == 1 ? 0 : 400;
    }
    if (target.at[0] != '/') {
        if (!scheme(&target))
            return 400;
        size_t end = 0;
        while (end < target.len && target.at[end] != '/' && target.at[end] != '?')
            end++;
        if (!uri_authority((struct text){target.at, end}, &uri->host))
            return 400;
        target = text_from(target, end);
    }
    size_t path = text_find(target, '?');
    uri->raw = target.len > 0 ? target : TEXT("/");
    uri->path = path > 0 ? (struct text){target.at, path} : TEXT("/");
    if (path < target.len)
        uri->args = text_from(target, path + 1);
    return 0;
}

/* Normalising. */

struct writer {
    char *out;
    size_t len;
    size_t segment; /* where the segment being written starts: after a slash */
    bool merge;
};

/* Ends the segment at a slash or at the end of the path (`last`). False: it climbs above the
 * root. */
static bool end_segment(struct writer *w, bool last)
{
    const char *at = w->out + w->segment;
    size_t len = w->len - w->segment;
    if (len == 1 && at[0] == '.') {
        w->len = w->segment;
        return true;
    }
    if (len == 2 && at[0] == '.' && at[1] == '.') {
        if (w->segment <= 1)
            return false;
        w->len = w->segment - 1;
        while (w->out[w->len - 1] != '/')
            w->len--;
        w->segment = w->len;
        return true;
    }
    if (last || (len == 0 && w->merge && w->segment > 0))
        return true;
    w->out[w->len++] = '/';
    w->segment = w->len;
    return true;
}

int uri_normalise(struct text path, bool merge, char *out, size_t *len)
{
    if (path.len == 0 || path.at[0] != '/')
        return 400;
    struct writer w = {.out = out, .merge = merge};
    for (size_t i = 0; i < path.len; i++) {
        int c = (unsigned char)path.at[i];
        if (c == '%') {
            c = decode(text_from(path, i));
            i += 2;
        }
        if (c <= 0)
            return 400;
        if (c != '/')
            w.out[w.len++] = (char)c;
        else if (!end_segment(&w, false))
            return 400;
    }
    if (!end_segment(&w, true))
        return 400;
    *len = w.len;
    return 0;
}

/* After a slash: an empty, . or .. segment. */
static bool special_segment(struct text rest)
{
    if (rest.len == 0)
        return false;
    if (rest.at[0] == '/')
        return true;
    size_t dots = 0;
    while (dots < rest.len && dots < 3 && rest.at[dots] == '.')
        dots++;
    return (dots == 1 || dots == 2) && (dots == rest.len || rest.at[dots] == '/');
}

bool uri_is_plain(struct text path)
{
    if (path.len == 0 || path.at[0] != '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == '%' || (path.at[i] == '/' && special_segment(text_from(path, i + 1))))
            return false;
    }
    return true;
}

/* Encoding. */

static size_t escape(struct text path, char *out, int plain)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = out;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.at[i];
        if (classes[c] & plain) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    return (size_t)(to - out);
}

size_t uri_escape(struct text path, char *out)
{
    return escape(path, out, UNRESERVED | SUB_DELIM | PATH_EXTRA | SLASH);
}

size_t uri_escape_href(struct text path, char *out)
{
    return escape(path, out, UNRESERVED | SLASH);
}
