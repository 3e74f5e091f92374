/* line.c - the parts of line.h that are too long to be inline. */
#include "base/line.h"

#include <stdint.h>

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* Whether one of eight bytes is a control byte: a byte below 0x20, or one that becomes 0 with 0x7f
 * taken away, borrows into its highest bit, which bytes from 0x80 on are not asked for. */
static bool any_control(uint64_t bytes)
{
    const uint64_t each = 0x0101010101010101ULL;
    uint64_t without = bytes ^ each * 0x7f;

    return (((bytes - each * 0x20) & ~bytes) | ((without - each) & ~without)) & each * 0x80;
}

/* How many bytes at the start of `t` are no control bytes, or fewer. */
static size_t plain_length(struct text t)
{
    uint64_t bytes;
    size_t n = 0;

    for (; n + sizeof bytes <= t.len; n += sizeof bytes) {
        memcpy(&bytes, t.at + n, sizeof bytes);
        if (any_control(bytes))
            break;
    }
    while (n < t.len && !is_control((unsigned char)t.at[n]))
        n++;
    return n;
}

void line_put_escaped(struct line *l, struct text t)
{
    while (t.len > 0) {
        size_t plain = plain_length(t);
        line_put(l, (struct text){t.at, plain});
        if (plain == t.len || l->size - l->len < 4)
            return;
        unsigned char c = (unsigned char)t.at[plain];
        const char escape[] = {'\\', 'x', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
        line_put(l, (struct text){escape, sizeof escape});
        t = text_from(t, plain + 1);
    }
}

/* What the library says of an error; the same one mostly comes again, and its text takes as long
 * as a whole line. */
static struct text error_text(int error)
{
    static _Thread_local struct {
        int error;
        unsigned len;
        char text[120];
    } last;

    if (last.error != error) {
        char text[sizeof last.text];
        struct text said = text_of(strerror_r(error, text, sizeof text));
        last.len = (unsigned)(said.len < sizeof last.text ? said.len : sizeof last.text);
        memcpy(last.text, said.at, last.len);
        last.error = error;
    }
    return (struct text){last.text, last.len};
}

void line_error(struct line *l, int error)
{
    if (error == 0)
        return;
    line_put(l, TEXT(" ("));
    line_number(l, (uint64_t)error);
    line_put(l, TEXT(": "));
    line_put(l, error_text(error));
    line_put(l, TEXT(")"));
}
