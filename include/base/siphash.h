/* siphash.h - SipHash-2-4 with 128 bits: a digest that nobody can steer who does not know the
 * secret. Pure. Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/text.h"

#include <stdint.h>

struct siphash {
    uint64_t half[2]; /* little-endian words of the digest */
};

struct siphash siphash(const uint64_t secret[2], struct text bytes);

#endif
