/* proxy_protocol.c - PROXY protocol, versions 1 (a line of text) and 2 (binary). Pure; called by
 * http/h1/proxy_header.c.
 *
 * Stricter than nginx: addresses must be addresses, of the family that the line names, and ports
 * numbers without leading zeros. */
#include "net/proxy_protocol.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
    LINE_MOST = 107, /* with its CRLF */
    HEAD_SIZE = 16,  /* of version 2, before the addresses */
    IN4_SIZE = 12,
    IN6_SIZE = 36,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_TCP4 = 0x11,
    FAMILY_TCP6 = 0x21
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static void set_in4(struct address *a, const void *host, uint16_t port_be)
{
    memset(a, 0, sizeof *a);
    a->len = sizeof a->in4;
    a->in4.sin_family = AF_INET;
    memcpy(&a->in4.sin_addr, host, sizeof a->in4.sin_addr);
    a->in4.sin_port = port_be;
}

static void set_in6(struct address *a, const void *host, uint16_t port_be)
{
    memset(a, 0, sizeof *a);
    a->len = sizeof a->in6;
    a->in6.sin6_family = AF_INET6;
    memcpy(&a->in6.sin6_addr, host, sizeof a->in6.sin6_addr);
    a->in6.sin6_port = port_be;
}

/* ---- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" ---- */

/* The next word of the line; every word but the last is followed by one space. */
static bool next_word(struct text *line, struct text *word, bool last)
{
    size_t len = text_find(*line, ' ');

    if (len == 0 || (len == line->len) != last)
        return false;
    *word = (struct text){line->at, len};
    *line = text_from(*line, last ? len : len + 1);
    return true;
}

static bool read_host(struct text word, int family, struct address *a)
{
    char name[INET6_ADDRSTRLEN];
    unsigned char host[sizeof(struct in6_addr)];

    if (word.len >= sizeof name)
        return false;
    memcpy(name, word.at, word.len);
    name[word.len] = '\0';
    if (strlen(name) != word.len || inet_pton(family, name, host) != 1)
        return false;
    if (family == AF_INET)
        set_in4(a, host, 0);
    else
        set_in6(a, host, 0);
    return true;
}

static bool read_port(struct text word, struct address *a)
{
    uint64_t port;

    if (number_parse(word, &port) < 0 || port > UINT16_MAX || (word.len > 1 && word.at[0] == '0'))
        return false;
    if (a->any.sa_family == AF_INET)
        a->in4.sin_port = htons((uint16_t)port);
    else
        a->in6.sin6_port = htons((uint16_t)port);
    return true;
}

/* What stands behind "PROXY ". */
static bool read_line(struct text line, struct proxy_header *h)
{
    struct text family, source, target, source_port, target_port;

    if (text_equal(line, TEXT("UNKNOWN")) || text_starts(line, TEXT("UNKNOWN ")))
        return true;
    if (!next_word(&line, &family, false) || !next_word(&line, &source, false) || !next_word(&line, &target, false) ||
        !next_word(&line, &source_port, false) || !next_word(&line, &target_port, true))
        return false;
    bool in4 = text_equal(family, TEXT("TCP4"));
    if (!in4 && !text_equal(family, TEXT("TCP6")))
        return false;
    int af = in4 ? AF_INET : AF_INET6;
    h->known = read_host(source, af, &h->source) && read_host(target, af, &h->target) &&
               read_port(source_port, &h->source) && read_port(target_port, &h->target);
    return h->known;
}

static ssize_t parse_text(const char *bytes, size_t len, struct proxy_header *h)
{
    const size_t start = sizeof "PROXY " - 1;
    const char *cr = memchr(bytes, '\r', len < LINE_MOST ? len : LINE_MOST);

    if (!cr)
        return len < LINE_MOST ? 0 : -EINVAL;
    size_t line = (size_t)(cr - bytes);
    if (line + 2 > LINE_MOST)
        return -EINVAL;
    if (line + 1 == len)
        return 0;
    if (cr[1] != '\n' || line < start || !read_line(text_span(bytes + start, cr), h))
        return -EINVAL;
    return (ssize_t)line + 2;
}

/* ---- version 2 ---- */

static uint16_t number_at(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint16_t port_at(const unsigned char *at)
{
    return htons(number_at(at));
}

static ssize_t parse_binary(const unsigned char *bytes, size_t len, struct proxy_header *h)
{
    if (len < HEAD_SIZE)
        return 0;
    unsigned version = bytes[12] >> 4, command = bytes[12] & 15, family = bytes[13];
    size_t rest = number_at(bytes + 14);
    size_t size = family == FAMILY_TCP4 ? IN4_SIZE : family == FAMILY_TCP6 ? IN6_SIZE : 0;
    const unsigned char *at = bytes + HEAD_SIZE;

    if (version != 2 || command > COMMAND_PROXY)
        return -EPROTONOSUPPORT;
    if (command == COMMAND_LOCAL || size == 0) /* a health check, or nothing that has an address of ours */
        return (ssize_t)(HEAD_SIZE + rest);
    if (rest < size)
        return -EINVAL;
    if (len < HEAD_SIZE + size)
        return 0;
    if (family == FAMILY_TCP4) {
        set_in4(&h->source, at, port_at(at + 8));
        set_in4(&h->target, at + 4, port_at(at + 10));
    } else {
        set_in6(&h->source, at, port_at(at + 32));
        set_in6(&h->target, at + 16, port_at(at + 34));
    }
    h->known = true;
    h->tlv_len = rest - size;
    return (ssize_t)(HEAD_SIZE + rest);
}

/* As far as there are bytes. */
static bool begins(const char *bytes, size_t len, const char *with, size_t with_len)
{
    return memcmp(bytes, with, len < with_len ? len : with_len) == 0;
}

ssize_t proxy_protocol_parse(const char *bytes, size_t len, struct proxy_header *h)
{
    static const char mark[] = "PROXY ";

    memset(h, 0, sizeof *h);
    if (len == 0)
        return 0;
    if (begins(bytes, len, mark, sizeof mark - 1))
        return parse_text(bytes, len, h);
    if (begins(bytes, len, signature, sizeof signature - 1))
        return parse_binary((const unsigned char *)bytes, len, h);
    return -EINVAL;
}
