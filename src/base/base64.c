/* base64.c - bytes to base64 and back. See base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *bytes, size_t len, char *out)
{
    const unsigned char *b = bytes;
    char *to = out;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)b[i] << 16;
        if (i + 1 < len)
            three |= (uint32_t)b[i + 1] << 8;
        if (i + 2 < len)
            three |= b[i + 2];
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[three & 63] : '=';
    }
    return (size_t)(to - out);
}

static int value_of(char c, enum base64 alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (alphabet == BASE64_URL ? '-' : '+'))
        return 62;
    return c == (alphabet == BASE64_URL ? '_' : '/') ? 63 : -1;
}

ssize_t base64_decode(struct text t, enum base64 alphabet, void *out)
{
    size_t len = text_find(t, '='), done = 0;
    unsigned char *to = out;
    uint32_t bits = 0;
    unsigned held = 0;

    if (len % 4 == 1)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(t.at[i], alphabet);
        if (value < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[done++] = (unsigned char)(bits >> held);
        }
    }
    return (ssize_t)done;
}
