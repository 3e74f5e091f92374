/* parse_body.c - a request's body, read and thrown away: where it ends is all that matters. Called by connection.c.
 * RFC 9112, 6 and 7.
 *
 * llhttp decodes the chunks. It is lenient in places about the bytes between them, and its versions differ in where,
 * so every byte that it does not call data also passes a small automaton that allows only the grammar of RFC 9112,
 * 7.1. */
#include "http/parse.h"

#include <errno.h>

#include <llhttp.h>

#include "http/parse_class.h"

enum place { SIZE_START, SIZE, EXTENSION, DATA_END, TRAILER_START, TRAILER_NAME, TRAILER_VALUE, ENDED };

struct decoder {
    llhttp_t parser;
    const char *checked; /* bytes of this call before it have passed the automaton or are data */
    uint64_t data;       /* bytes of data in this call */
    enum place place;
    bool last;  /* the chunk size read so far is zero */
    bool cr;    /* the previous byte was CR */
    bool ended; /* llhttp has seen the end */
};

static bool line_ends(struct decoder *d)
{
    switch (d->place) {
    case SIZE:
    case EXTENSION:
        d->place = d->last ? TRAILER_START : DATA_END;
        return true;
    case DATA_END:
        d->place = SIZE_START;
        d->last = true;
        return true;
    case TRAILER_START:
        d->place = ENDED;
        return true;
    case TRAILER_VALUE:
        d->place = TRAILER_START;
        return true;
    default:
        return false;
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool check_byte(struct decoder *d, char c)
{
    if (d->cr) {
        d->cr = false;
        return c == '\n' && line_ends(d);
    }
    if (c == '\r') {
        d->cr = true;
        return true;
    }
    if (is_control(c))
        return false;
    switch (d->place) {
    case SIZE_START:
    case SIZE:
        if (c == ';' && d->place == SIZE) {
            d->place = EXTENSION;
            return true;
        }
        d->place = SIZE;
        d->last = d->last && c == '0';
        return is_hex(c);
    case TRAILER_START:
        d->place = TRAILER_NAME;
        return parse_is(c, CLASS_TOKEN);
    case TRAILER_NAME:
        if (c == ':')
            d->place = TRAILER_VALUE;
        return c == ':' || parse_is(c, CLASS_TOKEN);
    case EXTENSION:
    case TRAILER_VALUE:
        return true;
    default:
        return false;
    }
}

static bool check_until(struct decoder *d, const char *end)
{
    for (; d->checked < end; d->checked++) {
        if (!check_byte(d, *d->checked))
            return false;
    }
    return true;
}

static int on_data(llhttp_t *parser, const char *at, size_t len)
{
    struct decoder *d = parser->data;
    if (!check_until(d, at) || d->place != DATA_END || d->cr)
        return -1;
    d->data += len;
    d->checked = at + len;
    return 0;
}

static int on_end(llhttp_t *parser)
{
    struct decoder *d = parser->data;
    d->ended = true;
    return HPE_PAUSED; /* what follows is the next request */
}

static const llhttp_settings_t settings = {.on_body = on_data, .on_message_complete = on_end};

int body_begin(struct body *b, const struct message *m, struct arena *arena)
{
    /* llhttp has no state "in a body" that one could start in: a head brings it there. */
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    *b = (struct body){.chunked = m->chunked, .left = m->chunked ? 0 : m->length, .done = !message_has_body(m)};
    if (!m->chunked)
        return 0;
    struct decoder *d = arena_zalloc(arena, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->last = true;
    llhttp_init(&d->parser, HTTP_REQUEST, &settings);
    d->parser.data = d;
    llhttp_execute(&d->parser, head, sizeof(head) - 1);
    b->decoder = d;
    return 0;
}

static ssize_t take_length(struct body *b, size_t len)
{
    size_t n = len < b->left ? len : (size_t)b->left;
    b->left -= n;
    b->seen += n;
    b->done = b->left == 0;
    return (ssize_t)n;
}

static ssize_t take_chunks(struct body *b, const char *bytes, size_t len)
{
    struct decoder *d = b->decoder;
    d->checked = bytes;
    d->data = 0;
    llhttp_errno_t error = llhttp_execute(&d->parser, bytes, len);
    if (error != HPE_OK && !d->ended)
        return -EINVAL;
    const char *end = d->ended ? llhttp_get_error_pos(&d->parser) : bytes + len;
    if (!check_until(d, end) || d->ended != (d->place == ENDED))
        return -EINVAL;
    b->seen += d->data;
    b->framing += (uint64_t)(end - bytes) - d->data;
    b->done = d->ended;
    return end - bytes;
}

ssize_t body_take(struct body *b, const char *bytes, size_t len)
{
    if (b->done || len == 0)
        return 0;
    return b->chunked ? take_chunks(b, bytes, len) : take_length(b, len);
}
