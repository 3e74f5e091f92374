/* tls_words.c - what tls_fact.c and tls_client.c write: hexadecimal, names of signatures. */
#include "net/tls/tls_private.h"

struct text tls_hex(const unsigned char *bytes, size_t len, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(arena, 2 * len + 1);

    if (!out)
        return TEXT_NONE;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return (struct text){out, 2 * len};
}

/* By TLS 1.3's names. RFC 8446, 4.2.3 */
struct text tls_signature_name(int type, int digest)
{
    static const struct {
        int type, digest;
        const char *name;
    } all[] = {
        {EVP_PKEY_EC, NID_sha256, "ecdsa_secp256r1_sha256"},
        {EVP_PKEY_EC, NID_sha384, "ecdsa_secp384r1_sha384"},
        {EVP_PKEY_EC, NID_sha512, "ecdsa_secp521r1_sha512"},
        {EVP_PKEY_RSA_PSS, NID_sha256, "rsa_pss_rsae_sha256"},
        {EVP_PKEY_RSA_PSS, NID_sha384, "rsa_pss_rsae_sha384"},
        {EVP_PKEY_RSA_PSS, NID_sha512, "rsa_pss_rsae_sha512"},
        {EVP_PKEY_RSA, NID_sha256, "rsa_pkcs1_sha256"},
        {EVP_PKEY_RSA, NID_sha384, "rsa_pkcs1_sha384"},
        {EVP_PKEY_RSA, NID_sha512, "rsa_pkcs1_sha512"},
        {EVP_PKEY_ED25519, NID_undef, "ed25519"},
        {EVP_PKEY_ED448, NID_undef, "ed448"},
    };

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].type == type && all[i].digest == digest)
            return text_of(all[i].name);
    }
    return TEXT_NONE;
}
