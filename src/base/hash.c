/* hash.c - MD5, SHA-1 and SHA-256 by libcrypto. See hash.h; hash_none.c stands in for it where that
 * is left out. */
#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>

/* Found once: looking them up by name costs more than a short digest does. */
static EVP_MD *kinds[3];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void)
{
    for (unsigned i = 0; i < 3; i++)
        EVP_MD_free(kinds[i]);
}

static void look_up(void)
{
    static const char *const names[] = {[HASH_MD5] = "MD5", [HASH_SHA1] = "SHA1", [HASH_SHA256] = "SHA256"};
    for (unsigned i = 0; i < 3; i++)
        kinds[i] = EVP_MD_fetch(NULL, names[i], NULL);
    OPENSSL_atexit(forget);
}

bool hash_available(void)
{
    return true;
}

int hash_of(enum hash_kind kind, const struct text *parts, unsigned count, unsigned char *out)
{
    pthread_once(&once, look_up);
    if (!kinds[kind])
        return -ENOSYS;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = ctx && EVP_DigestInit_ex2(ctx, kinds[kind], NULL);
    for (unsigned i = 0; good && i < count; i++)
        good = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].at, parts[i].len);
    good = good && EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
    return good ? 0 : -ENOMEM;
}

/* A struct hash_stream is the library's own context. */
int hash_begin(struct hash_stream **out, enum hash_kind kind)
{
    pthread_once(&once, look_up);
    if (!kinds[kind])
        return -ENOSYS;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || !EVP_DigestInit_ex2(ctx, kinds[kind], NULL)) {
        EVP_MD_CTX_free(ctx);
        return -ENOMEM;
    }
    *out = (struct hash_stream *)ctx;
    return 0;
}

int hash_add(struct hash_stream *s, const void *bytes, size_t len)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)s, bytes, len) ? 0 : -ENOMEM;
}

int hash_end(struct hash_stream *s, unsigned char *out)
{
    EVP_MD_CTX *ctx = (EVP_MD_CTX *)s;
    int rc = !out || EVP_DigestFinal_ex(ctx, out, NULL) ? 0 : -ENOMEM;

    EVP_MD_CTX_free(ctx);
    return rc;
}
