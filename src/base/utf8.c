/* utf8.c - see utf8.h. */
#include "base/utf8.h"

size_t utf8_first(struct text t, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        size_t len;
        uint32_t least;
    } kinds[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    const unsigned char *s = (const unsigned char *)t.at;

    for (unsigned i = 0; t.len > 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if ((s[0] & kinds[i].mask) != kinds[i].lead)
            continue;
        if (t.len < kinds[i].len)
            return 0;
        uint32_t c = s[0] & (unsigned char)~kinds[i].mask;
        for (size_t k = 1; k < kinds[i].len; k++) {
            if ((s[k] & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (s[k] & 0x3f);
        }
        if (c < kinds[i].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return 0;
        if (code)
            *code = c;
        return kinds[i].len;
    }
    return 0;
}

size_t utf8_count(struct text t)
{
    size_t count = 0, len;

    for (struct text rest = t; rest.len > 0; rest = text_from(rest, len), count++) {
        len = utf8_first(rest, NULL);
        if (len == 0)
            return t.len;
    }
    return count;
}

size_t utf8_head(struct text t, size_t count)
{
    struct text rest = t;

    if (utf8_count(t) == t.len) /* not UTF-8, or a byte each */
        return count < t.len ? count : t.len;
    for (; count > 0 && rest.len > 0; count--)
        rest = text_from(rest, utf8_first(rest, NULL));
    return t.len - rest.len;
}
