/* parse_body.c - a request's body, read and thrown away: where it ends is all that matters. Called
 * by connection_read.c. RFC 9112, 6 and 7.
 *
 * llhttp decodes the chunks. It is lenient in places about the bytes between them, strict in
 * others, and its versions differ in where. So every byte that is not data first passes a small
 * automaton that allows just the grammar of RFC 9112, 7.1; and llhttp is shown only what says how
 * long a body is: sizes, ends of lines, data. Extensions of chunks (9.2 refuses quoted ones) and
 * the trailer (where a Content-Length means nothing) end with the automaton. */
#include "http/h1/parse.h"

#include "http/h1/parse_class.h"

#include <errno.h>
#include <llhttp.h>

enum place {
    SIZE_START,
    SIZE,
    NAME_START, /* of an extension, behind its semicolon */
    NAME,
    VALUE_START,
    VALUE,
    QUOTED,
    ESCAPED, /* behind a backslash */
    QUOTED_END,
    DATA_END,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    ENDED
};

struct decoder {
    llhttp_t parser;
    uint64_t left; /* data of the chunk that is still to come */
    enum place place;
    bool last;  /* the chunk size read so far is zero */
    bool cr;    /* the previous byte was CR */
    bool ended; /* llhttp has seen the end */
};

static bool line_ends(struct decoder *d)
{
    switch (d->place) {
    case SIZE:
    case NAME_START:
    case NAME:
    case VALUE:
    case QUOTED_END:
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

static bool go(struct decoder *d, enum place place)
{
    d->place = place;
    return true;
}

/* Of a chunk's extensions; 7.1.1, with nothing but a name missing, and without white space. */
static bool check_extension(struct decoder *d, char c)
{
    bool token = parse_is(c, CLASS_TOKEN);

    switch (d->place) {
    case NAME_START:
        return token && go(d, NAME);
    case NAME:
        return token || (c == '=' && go(d, VALUE_START)) || (c == ';' && go(d, NAME_START));
    case VALUE_START:
        return (token && go(d, VALUE)) || (c == '"' && go(d, QUOTED));
    case VALUE:
        return token || (c == ';' && go(d, NAME_START));
    case QUOTED:
        return go(d, c == '"' ? QUOTED_END : c == '\\' ? ESCAPED : QUOTED);
    case ESCAPED:
        return go(d, QUOTED);
    default: /* QUOTED_END */
        return c == ';' && go(d, NAME_START);
    }
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
        if (c == ';' && d->place == SIZE)
            return go(d, NAME_START);
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
    case TRAILER_VALUE:
        return true;
    case DATA_END:
    case ENDED:
        return false;
    default:
        return check_extension(d, c);
    }
}

static int on_size(llhttp_t *parser)
{
    struct decoder *d = parser->data;
    d->left = parser->content_length;
    return 0;
}

static int on_end(llhttp_t *parser)
{
    struct decoder *d = parser->data;
    d->ended = true;
    return HPE_PAUSED; /* what follows is the next request */
}

static const llhttp_settings_t settings = {.on_chunk_header = on_size, .on_message_complete = on_end};

int body_begin(struct body *b, const struct message *m, const struct framing *f, struct arena *arena)
{
    /* llhttp has no state "in a body" that one could start in: a head brings it there. */
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    *b = (struct body){.chunked = f->chunked, .left = f->chunked ? 0 : m->length, .done = !has_body(m, f)};
    if (!f->chunked)
        return 0;
    struct decoder *d = arena_zalloc(arena, sizeof *d);
    if (!d)
        return -ENOMEM;
    d->last = true;
    llhttp_init(&d->parser, HTTP_REQUEST, &settings);
    d->parser.data = d;
    llhttp_execute(&d->parser, head, sizeof head - 1);
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

static bool show(struct decoder *d, const char *from, const char *to)
{
    return from == to || llhttp_execute(&d->parser, from, (size_t)(to - from)) == HPE_OK || d->ended;
}

/* From `at` to the end of the line: where that is, or NULL. */
static const char *take_line(struct decoder *d, const char *at, const char *end)
{
    const char *from = at; /* what llhttp has not been shown, and is to be */

    while (at < end) {
        char c = *at;
        enum place before = d->place;
        if (!check_byte(d, c))
            return NULL;
        bool shown = c == '\r' || c == '\n' ? before != TRAILER_VALUE : d->place == SIZE;
        if (!shown && !show(d, from, at))
            return NULL;
        at++;
        if (!shown)
            from = at;
        if (c == '\n')
            break;
    }
    return show(d, from, at) ? at : NULL;
}

static ssize_t take_chunks(struct body *b, const char *bytes, size_t len)
{
    struct decoder *d = b->decoder;
    const char *at = bytes, *end = bytes + len;
    uint64_t data = 0;

    while (at < end && d->place != ENDED) {
        if (d->left == 0) {
            at = take_line(d, at, end);
            if (!at)
                return -EINVAL;
            continue;
        }
        size_t n = (size_t)(end - at) < d->left ? (size_t)(end - at) : (size_t)d->left;
        if (!show(d, at, at + n))
            return -EINVAL;
        at += n;
        data += n;
        d->left -= n;
    }
    if (d->ended != (d->place == ENDED))
        return -EINVAL;
    b->seen += data;
    b->framing += (uint64_t)(at - bytes) - data;
    b->done = d->ended;
    return at - bytes;
}

ssize_t body_take(struct body *b, const char *bytes, size_t len)
{
    if (b->done || len == 0)
        return 0;
    return b->chunked ? take_chunks(b, bytes, len) : take_length(b, len);
}
