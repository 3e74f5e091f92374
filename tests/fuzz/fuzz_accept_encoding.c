/* fuzz_accept_encoding.c - which codings a client takes, and in which order. Letters' case and
 * blanks around elements say nothing; what the client refuses is never chosen. */
#include "fuzz.h"

#include "http/syntax/accept_encoding.h"

#include <ctype.h>

static bool same(const struct accept_encoding *a, const struct accept_encoding *b)
{
    return memcmp(a->q, b->q, sizeof a->q) == 0 && a->identity == b->identity;
}

static void check_rank(const struct accept_encoding *a, unsigned mask)
{
    enum coding out[CODINGS];
    unsigned count = accept_encoding_rank(a, mask, out), seen = 0;

    FUZZ_CHECK(count < CODINGS, "%u codings", count);
    for (unsigned i = 0; i < count; i++) {
        FUZZ_CHECK(out[i] > CODING_NONE && out[i] < CODINGS && mask & 1u << out[i], "coding %d", (int)out[i]);
        FUZZ_CHECK(!(seen & 1u << out[i]), "the same coding twice");
        seen |= 1u << out[i];
        FUZZ_CHECK(a->q[out[i]] > 0 && accept_encoding_takes(a, out[i]), "a coding that is refused");
        FUZZ_CHECK(i == 0 || a->q[out[i - 1]] >= a->q[out[i]], "not the best first");
    }
    for (enum coding c = CODING_DCB; c < CODINGS; c++)
        FUZZ_CHECK(!(mask & 1u << c) || !accept_encoding_takes(a, c) || seen & 1u << c, "a coding is left out");
}

/* The same list in capitals, with blanks around its commas. */
static void check_rewritten(const struct accept_encoding *a, struct text value)
{
    char *out = malloc(3 * value.len + 1), *to = out;

    if (!out)
        abort();
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == ',')
            *to++ = ' ';
        *to++ = (char)toupper((unsigned char)value.at[i]);
        if (value.at[i] == ',')
            *to++ = '\t';
    }
    struct accept_encoding again = accept_encoding_parse(text_span(out, to));
    FUZZ_CHECK(same(a, &again), "written in another way: another answer");
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct text value = {bytes, size};
    struct accept_encoding none = accept_encoding_parse(TEXT_NONE), a = accept_encoding_parse(value);

    for (enum coding c = CODING_NONE; c < CODINGS; c++)
        FUZZ_CHECK(a.q[c] <= 1000 && none.q[c] == 0, "weight %u", a.q[c]);
    FUZZ_CHECK(a.identity <= 1000 && none.identity == 0, "weight %u of identity", a.identity);
    for (unsigned mask = 0; mask < 1u << CODINGS; mask += 2)
        check_rank(&a, mask);
    if (!memchr(bytes, '"', size))
        check_rewritten(&a, value);
    free(bytes);
    return 0;
}
