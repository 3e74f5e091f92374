/* siphash.c - see siphash.h. */
#include "base/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void mix(struct state *s, unsigned rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void take(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s, 2);
    s->v0 ^= word;
}

/* Up to 8 bytes as a little-endian word. */
static inline uint64_t word_at(const char *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return word;
}

struct siphash siphash(const uint64_t secret[2], struct text bytes)
{
    struct state s = {
        .v0 = secret[0] ^ 0x736f6d6570736575,
        .v1 = secret[1] ^ 0x646f72616e646f6d ^ 0xee, /* 0xee, 0xee, 0xdd: the form with 128 bits */
        .v2 = secret[0] ^ 0x6c7967656e657261,
        .v3 = secret[1] ^ 0x7465646279746573,
    };
    size_t at = 0;
    struct siphash hash;

    for (; bytes.len - at >= 8; at += 8)
        take(&s, word_at(bytes.at + at, 8));
    take(&s, word_at(bytes.at + at, bytes.len - at) | (uint64_t)bytes.len << 56);
    s.v2 ^= 0xee;
    mix(&s, 4);
    hash.half[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    mix(&s, 4);
    hash.half[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return hash;
}
