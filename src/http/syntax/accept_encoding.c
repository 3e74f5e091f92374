/* accept_encoding.c - Accept-Encoding to the codings that the client accepts. Pure; called by
 * variant.c and gzip.c. RFC 9110, 12.5.3. */
#include "http/syntax/accept_encoding.h"

enum { FULL = 1000 };

static const struct {
    struct text name, suffix;
} codings[CODINGS] = {
    [CODING_DCB] = {{"dcb", 3}, {".dcb", 4}},  [CODING_DCZ] = {{"dcz", 3}, {".dcz", 4}},
    [CODING_BR] = {{"br", 2}, {".br", 3}},     [CODING_ZSTD] = {{"zstd", 4}, {".zst", 4}},
    [CODING_GZIP] = {{"gzip", 4}, {".gz", 3}},
};

struct text coding_name(enum coding c)
{
    return codings[c].name;
}

struct text coding_suffix(enum coding c)
{
    return codings[c].suffix;
}

/* "0", "0.5", "1.000": at most three digits behind the dot, at most 1. Thousandths, or -1. */
static int qvalue(struct text t)
{
    enum { DIGITS = 3 };
    if (t.len == 0 || (t.at[0] != '0' && t.at[0] != '1') || t.len > 2 + DIGITS || (t.len > 1 && t.at[1] != '.'))
        return -1;
    int q = (t.at[0] - '0') * FULL, unit = FULL / 10;
    for (size_t i = 2; i < t.len; i++, unit /= 10) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return -1;
        q += (t.at[i] - '0') * unit;
    }
    return q <= FULL ? q : -1;
}

/* Of "gzip;q=0.5" the name, trimmed; returns the weight, 0 where it is malformed. */
static int take_element(struct text element, struct text *name)
{
    size_t semicolon = text_find(element, ';');

    *name = text_trim((struct text){element.at, semicolon});
    if (semicolon == element.len)
        return FULL;
    struct text weight = text_trim(text_from(element, semicolon + 1));
    if (weight.len < 2 || text_lower(weight.at[0]) != 'q' || weight.at[1] != '=')
        return 0;
    int q = qvalue(text_from(weight, 2));
    return q < 0 ? 0 : q;
}

static enum coding coding_of(struct text name)
{
    if (text_equal_nocase(name, TEXT("x-gzip")))
        return CODING_GZIP;
    enum coding c = CODING_DCB;
    while (c < CODINGS && !text_equal_nocase(name, codings[c].name))
        c++;
    return c;
}

struct accept_encoding accept_encoding_parse(struct text value)
{
    struct accept_encoding a = {.identity = 0};
    bool named[CODINGS + 1] = {false}; /* identity is the last */
    int any = -1;
    struct text element, name;

    while (text_list_next(&value, &element)) {
        int q = take_element(element, &name);
        enum coding c = coding_of(name);
        if (c < CODINGS && !named[c])
            a.q[c] = (unsigned short)q;
        else if (c == CODINGS && !named[c] && text_equal_nocase(name, TEXT("identity")))
            a.identity = (unsigned short)q;
        else if (c == CODINGS && any < 0 && text_equal(name, TEXT("*")))
            any = q;
        if (c < CODINGS || text_equal_nocase(name, TEXT("identity")))
            named[c] = true;
    }
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (!named[c] && any > 0)
            a.q[c] = (unsigned short)any;
    return a;
}

bool accept_encoding_takes(const struct accept_encoding *a, enum coding c)
{
    return a->q[c] > 0 && a->q[c] >= a->identity;
}

unsigned accept_encoding_rank(const struct accept_encoding *a, unsigned mask, enum coding out[CODINGS])
{
    unsigned count = 0;

    for (enum coding c = CODING_DCB; c < CODINGS; c++) {
        if (!(mask & 1u << c) || !accept_encoding_takes(a, c))
            continue;
        unsigned at = count++;
        for (; at > 0 && a->q[out[at - 1]] < a->q[c]; at--)
            out[at] = out[at - 1];
        out[at] = c;
    }
    return count;
}
