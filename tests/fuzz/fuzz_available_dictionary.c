/* fuzz_available_dictionary.c - the digest of a client's dictionary. What is taken says the digest in
 * base64, between colons. */
#include "fuzz.h"

#include "base/base64.h"
#include "http/syntax/available_dictionary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SURE = 42 /* characters before the one whose last bits are padding */ };
    char *bytes = fuzz_copy(data, size), coded[BASE64_LEN(AVAILABLE_DIGEST_LEN)];
    unsigned char digest[AVAILABLE_DIGEST_LEN];

    if (available_dictionary_parse((struct text){bytes, size}, digest)) {
        base64_encode(digest, sizeof digest, coded);
        FUZZ_CHECK(size >= SURE + 3 && bytes[0] == ':', "%zu bytes", size);
        FUZZ_CHECK(memcmp(bytes + 1, coded, SURE) == 0, "another digest");
    }
    free(bytes);
    return 0;
}
