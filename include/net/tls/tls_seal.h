/* tls_seal.h - encryption as TLS 1.3 does it to a record, alone: `sluice tune` asks what it costs
 * here. RFC 8446 section 5.2, EVP_EncryptInit(3) */
#ifndef NET_TLS_TLS_SEAL_H
#define NET_TLS_TLS_SEAL_H

#include <stddef.h>

enum {
    TLS_SEAL_AES_256,
    TLS_SEAL_CHACHA20,
    TLS_SEAL_AES_128,
    TLS_SEALS,
    TLS_SEAL_RECORD = 16384 /* bytes of a full one */
};

/* The cipher suites of TLS 1.3, as OpenSSL names them, in the order in which it prefers them. */
extern const char *const tls_seal_suites[TLS_SEALS];

struct tls_seal;

/* NULL: not in this build, or not in this libcrypto; or no memory. */
struct tls_seal *tls_seal_create(unsigned suite);
void tls_seal_destroy(struct tls_seal *s); /* NULL is legal */

/* Encrypts one full record of zeros. 0 or -EIO. */
int tls_seal_record(struct tls_seal *s);

#endif
