/* available_dictionary.c - see available_dictionary.h; called by dictionary.c. */
#include "http/syntax/available_dictionary.h"

#include "base/base64.h"

enum { CODED = BASE64_LEN(AVAILABLE_DIGEST_LEN), PADDING = 1 };

/* Padding may be missing (RFC 9651, 4.2.7). */
static bool decode(struct text coded, unsigned char digest[AVAILABLE_DIGEST_LEN])
{
    unsigned char bytes[BASE64_DECODED(CODED)];

    if (coded.len == CODED && coded.at[CODED - 1] == '=')
        coded.len -= PADDING;
    if (coded.len != CODED - PADDING || text_find(coded, '=') < coded.len ||
        base64_decode(coded, BASE64_USUAL, bytes) != AVAILABLE_DIGEST_LEN)
        return false;
    memcpy(digest, bytes, AVAILABLE_DIGEST_LEN);
    return true;
}

bool available_dictionary_parse(struct text value, unsigned char digest[AVAILABLE_DIGEST_LEN])
{
    if (!text_starts(value, TEXT(":")))
        return false;
    struct text rest = text_from(value, 1);
    size_t end = text_find(rest, ':');
    if (end == rest.len)
        return false;
    struct text behind = text_from(rest, end + 1);
    return (behind.len == 0 || behind.at[0] == ';') && decode((struct text){rest.at, end}, digest);
}
