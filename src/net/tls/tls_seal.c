/* tls_seal.c - encrypts one record after another, for nobody. */
#include "net/tls/tls_seal.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { TAG = 16, NONCE = 12, KEY_MOST = 32, HEADER = 5 };

const char *const tls_seal_suites[TLS_SEALS] = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
                                                "TLS_AES_128_GCM_SHA256"};

static const char *const ciphers[TLS_SEALS] = {"AES-256-GCM", "ChaCha20-Poly1305", "AES-128-GCM"};

struct tls_seal {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *context;
    unsigned char plain[TLS_SEAL_RECORD], sealed[TLS_SEAL_RECORD];
};

struct tls_seal *tls_seal_create(unsigned suite)
{
    static const unsigned char key[KEY_MOST];
    struct tls_seal *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->cipher = EVP_CIPHER_fetch(NULL, ciphers[suite], NULL);
    s->context = EVP_CIPHER_CTX_new();
    if (s->cipher && s->context && EVP_EncryptInit_ex2(s->context, s->cipher, key, NULL, NULL) == 1)
        return s;
    tls_seal_destroy(s);
    return NULL;
}

void tls_seal_destroy(struct tls_seal *s)
{
    if (!s)
        return;
    EVP_CIPHER_CTX_free(s->context);
    EVP_CIPHER_free(s->cipher);
    free(s);
}

int tls_seal_record(struct tls_seal *s)
{
    static const unsigned char nonce[NONCE], header[HEADER];
    unsigned char tag[TAG];
    int len;

    if (EVP_EncryptInit_ex2(s->context, NULL, NULL, nonce, NULL) == 1 &&
        EVP_EncryptUpdate(s->context, NULL, &len, header, HEADER) == 1 &&
        EVP_EncryptUpdate(s->context, s->sealed, &len, s->plain, TLS_SEAL_RECORD) == 1 &&
        EVP_EncryptFinal_ex(s->context, s->sealed + len, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(s->context, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1)
        return 0;
    return -EIO;
}
