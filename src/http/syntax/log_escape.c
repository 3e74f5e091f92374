/* log_escape.c - see log_escape.h; called by access_log.c for each value of each line. */
#include "http/syntax/log_escape.h"

#include "base/utf8.h"

/* Bits of bytes that do not stand for themselves; in JSON, those of longer characters do so
 * together only. */
enum { IN_DEFAULT = 1, IN_JSON = 2 };
static const unsigned char special[256] = {
    [0 ... 0x1f] = IN_DEFAULT | IN_JSON,    ['"'] = IN_DEFAULT | IN_JSON,
    ['\\'] = IN_DEFAULT | IN_JSON,          [0x7f] = IN_DEFAULT,
    [0x80 ... 0xff] = IN_DEFAULT | IN_JSON,
};

static const char replacement[] = "\\ufffd";

static bool is_plain(unsigned char c, enum escape escape)
{
    return !(special[c] & (escape == ESCAPE_JSON ? IN_JSON : IN_DEFAULT));
}

/* The letter of a short escape in JSON, or 0. */
static char short_escape(unsigned char c)
{
    static const char named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *n = c ? strchr(named, c) : NULL;

    return n ? letters[n - named] : '\0';
}

/* The character that `t` begins with. *taken: its bytes in `t`. */
static char *put_json(char *to, struct text t, size_t *taken)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char c = (unsigned char)t.at[0];
    char letter = short_escape(c);

    *taken = 1;
    if (c >= 0x80) {
        size_t len = utf8_first(t, NULL);
        *taken = len ? len : 1;
        memcpy(to, len ? t.at : replacement, len ? len : sizeof replacement - 1);
        return to + (len ? len : sizeof replacement - 1);
    }
    *to++ = '\\';
    if (letter) {
        *to++ = letter;
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = digits[c >> 4];
    to[4] = digits[c & 15];
    return to + 5;
}

/* Whether eight bytes stand for themselves, with the usual tests for a byte in a word. */
static bool is_plain_word(const char *bytes, enum escape escape)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t word, hits;

    memcpy(&word, bytes, sizeof word);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\', del = word ^ ones * 0x7f;
    hits = ((word - ones * ' ') & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | word;
    if (escape == ESCAPE_DEFAULT)
        hits |= (del - ones) & ~del;
    return !(hits & tops);
}

/* How many bytes from the start of `t` stand for themselves; the last word may overlap the one
 * before. */
static size_t plain_run(struct text t, enum escape escape)
{
    size_t at = 0;

    while (at + 8 <= t.len && is_plain_word(t.at + at, escape))
        at += 8;
    if (at + 8 > t.len && t.len >= 8 && is_plain_word(t.at + t.len - 8, escape))
        return t.len;
    while (at < t.len && is_plain((unsigned char)t.at[at], escape))
        at++;
    return at;
}

static char *put_hex(char *to, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    *to++ = '\\';
    *to++ = 'x';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

char *log_put_escaped(char *to, struct text t, enum escape escape)
{
    size_t plain = escape == ESCAPE_NONE ? t.len : plain_run(t, escape), taken;

    if (plain > 0)
        memcpy(to, t.at, plain);
    to += plain;
    for (size_t i = plain; i < t.len; i += taken) {
        unsigned char c = (unsigned char)t.at[i];
        taken = 1;
        if (is_plain(c, escape))
            *to++ = (char)c;
        else if (escape == ESCAPE_JSON)
            to = put_json(to, text_from(t, i), &taken);
        else
            to = put_hex(to, c);
    }
    return to;
}

size_t log_escaped_len(struct text t, enum escape escape)
{
    char room[LOG_ESCAPED_MOST];
    size_t len = 0, taken;

    if (escape == ESCAPE_NONE || !t.at)
        return t.len;
    for (size_t i = 0; i < t.len; i += taken) {
        unsigned char c = (unsigned char)t.at[i];
        taken = 1;
        if (is_plain(c, escape))
            len++;
        else
            len += escape == ESCAPE_JSON ? (size_t)(put_json(room, text_from(t, i), &taken) - room) : 4;
    }
    return len;
}
