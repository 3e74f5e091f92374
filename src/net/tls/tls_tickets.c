/* tls_tickets.c - session tickets: which keys encrypt them, and which decrypt. See tls_tickets.h;
 * tls_tickets_none.c stands in for it where libssl is left out.
 * SSL_CTX_set_tlsext_ticket_key_evp_cb(3) */
#include "net/tls/tls_tickets.h"

#include "net/tls/tls_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct ticket_keys *own; /* NULL: not needed yet */
static struct list users = {&users, &users};

static const char variable[] = "SLUICE_TICKET_KEYS";

/* ---- the server's own keys ---- */

int tls_tickets_inherit(void)
{
    const char *set = getenv(variable);
    char *end = NULL;

    if (!set)
        return 0;
    long fd = strtol(set, &end, 10);
    int rc = end == set || *end || fd <= STDERR_FILENO || fd > INT32_MAX ? -EINVAL : ticket_keys_adopt(&own, (int)fd);
    unsetenv(variable);
    return rc;
}

int tls_tickets_pass_on(void)
{
    char number[16];

    if (!own)
        return 0;
    snprintf(number, sizeof number, "%d", ticket_keys_fd(own));
    return fcntl(ticket_keys_fd(own), F_SETFD, 0) < 0 || setenv(variable, number, 1) < 0 ? -errno : 0;
}

static int64_t longest_life(void)
{
    int64_t longest = 0;

    list_each (&users, node, next) {
        const struct tls_sessions *s = container_of(node, struct tls_sessions, node);
        longest = s->life > longest ? s->life : longest;
    }
    return longest;
}

int64_t tls_tickets_turn(void)
{
    if (!own || list_empty(&users))
        return -1;
    return 1000 * ticket_keys_turn(own, ticket_keys_now(), longest_life());
}

/* There is a key from now on. Nothing is wiped: other contexts may come whose sessions live
 * longer. */
static int use_own(struct tls_sessions *s)
{
    struct ticket_key key;
    int rc = own ? 0 : ticket_keys_create(&own);

    if (rc == 0 && !ticket_keys_newest(own, &key))
        ticket_keys_turn(own, ticket_keys_now(), s->life);
    explicit_bzero(&key, sizeof key);
    if (rc == 0)
        list_append(&users, &s->node);
    return rc;
}

/* ---- keys of files ---- */

enum { SHORT_FILE = 48, LONG_FILE = 80, SHORT_SECRET = 16 };

/* As nginx has it: name, cipher, mac of 16 bytes each; or name of 16, mac and cipher of 32. */
static bool key_of(struct ticket_key *key, const unsigned char *bytes, size_t len)
{
    *key = (struct ticket_key){.len = len == SHORT_FILE ? SHORT_SECRET : TICKET_SECRET};
    memcpy(key->name, bytes, TICKET_NAME);
    memcpy(key->cipher, bytes + (len == SHORT_FILE ? 16 : 48), key->len);
    memcpy(key->mac, bytes + (len == SHORT_FILE ? 32 : 16), key->len);
    return len == SHORT_FILE || len == LONG_FILE;
}

static const char *read_key(struct ticket_key *key, const struct tls_word *file, struct arena *arena)
{
    unsigned char bytes[LONG_FILE + 1];
    int fd = open(file->word, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    int failed = errno;

    if (fd >= 0)
        close(fd);
    if (len < 0)
        return tls_error(arena, file, "cannot read ticket key file \"%s\" (%d: %s)", file->word, failed,
                         strerror(failed));
    bool ok = (len == SHORT_FILE || len == LONG_FILE) && key_of(key, bytes, (size_t)len);
    explicit_bzero(bytes, sizeof bytes);
    return ok ? NULL : tls_error(arena, file, "\"%s\" must be 48 or 80 bytes", file->word);
}

static const char *read_keys(struct tls_sessions *s, const struct tls_conf *conf, struct arena *arena)
{
    const char *error = NULL;
    unsigned count = 0;

    for (const struct tls_word *file = conf->ticket_keys; file; file = file->next)
        count++;
    s->keys = calloc(count, sizeof *s->keys);
    if (!s->keys)
        return "no memory";
    for (const struct tls_word *file = conf->ticket_keys; file && !error; file = file->next)
        error = read_key(&s->keys[s->key_count++], file, arena);
    return error;
}

/* ---- what libssl asks ---- */

static bool newest_key(const struct tls_sessions *s, struct ticket_key *key)
{
    if (!s->keys)
        return ticket_keys_newest(own, key);
    *key = s->keys[0];
    return true;
}

static bool find_key(const struct tls_sessions *s, const unsigned char *name, struct ticket_key *key, bool *newest)
{
    if (!s->keys)
        return ticket_keys_find(own, name, key, newest);
    for (unsigned i = 0; i < s->key_count; i++) {
        if (memcmp(s->keys[i].name, name, TICKET_NAME) != 0)
            continue;
        *key = s->keys[i];
        *newest = i == 0;
        return true;
    }
    return false;
}

static bool set_key(const struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                    int encrypt)
{
    static char digest[] = "SHA256";
    struct ticket_key k = *key; /* OSSL_PARAM wants what is not const */
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k.mac, k.len),
                           OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
    const EVP_CIPHER *how = k.len == TICKET_SECRET ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
    bool ok =
        EVP_CipherInit_ex(cipher, how, NULL, k.cipher, iv, encrypt) == 1 && EVP_MAC_CTX_set_params(mac, params) == 1;

    explicit_bzero(&k, sizeof k);
    return ok;
}

/* 1: go on; 2: that, and make a new ticket; 0: an unknown key, so a full handshake; -1: failed. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int encrypt)
{
    const struct tls_sessions *s = tls_sessions_context(ssl)->sessions;
    struct ticket_key key;
    bool newest = true;

    if (!s->tickets || !(encrypt ? newest_key(s, &key) : find_key(s, name, &key, &newest)))
        return encrypt ? -1 : 0;
    if (encrypt) {
        memcpy(name, key.name, TICKET_NAME);
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
            return -1;
    }
    bool ok = set_key(&key, iv, cipher, mac, encrypt);
    explicit_bzero(&key, sizeof key);
    return !ok ? -1 : newest ? 1 : 2;
}

const char *tls_tickets_use(struct tls_context *c, struct arena *arena)
{
    struct tls_sessions *s = c->sessions;
    const char *error = NULL;

    /* On each context: libssl asks the first one of a connection, whoever is chosen later. */
    if (SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ssl, on_ticket) != 1)
        return tls_error(arena, c->conf->certificates, "SSL_CTX_set_tlsext_ticket_key_evp_cb() failed");
    if (!s->tickets)
        SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
    else if (c->conf->ticket_keys)
        error = read_keys(s, c->conf, arena);
    else if (use_own(s) < 0)
        error = "no memory for ticket keys";
    return error;
}

void tls_tickets_leave(struct tls_context *c)
{
    struct tls_sessions *s = c->sessions;

    if (!s)
        return;
    list_remove(&s->node);
    if (s->keys)
        explicit_bzero(s->keys, s->key_count * sizeof *s->keys);
    free(s->keys);
}
