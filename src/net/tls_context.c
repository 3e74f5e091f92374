/* tls_context.c - SSL_CTX from the values of the directives ssl_*. See tls_context.h;
 * tls_context_none.c stands in for it where libssl is left out. SSL_CTX_new(3) */
#include "net/tls_context.h"

#include "net/tls_private.h"
#include "net/tls_sessions.h"
#include "net/tls_state.h"

#include <openssl/err.h>
#include <stdlib.h>

bool tls_available(void)
{
    return true;
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

/* Versions between the oldest and the newest of those that are spoken, and not spoken. */
static void set_protocols(SSL_CTX *ssl, unsigned wanted)
{
    static const struct {
        unsigned bit;
        int version;
        uint64_t off;
    } all[] = {
        {TLS_1_0, TLS1_VERSION, SSL_OP_NO_TLSv1},
        {TLS_1_1, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
        {TLS_1_2, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
        {TLS_1_3, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
    };
    int oldest = 0, newest = 0;

    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(wanted & all[i].bit)) {
            SSL_CTX_set_options(ssl, all[i].off);
            continue;
        }
        oldest = oldest ? oldest : all[i].version;
        newest = all[i].version;
    }
    /* Whatever openssl.cnf says. */
    SSL_CTX_set_min_proto_version(ssl, oldest);
    SSL_CTX_set_max_proto_version(ssl, newest);
}

static void set_ways(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_SINGLE_DH_USE);
    SSL_CTX_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN); /* the chain that is sent is what the file holds */
    tls_need(ssl);
}

static const char *fill(struct tls_context *c, struct arena *arena)
{
    const struct tls_conf *conf = c->conf;

    ERR_clear_error();
    set_protocols(c->ssl, conf->protocols);
    set_ways(c->ssl);
    if (SSL_CTX_set_cipher_list(c->ssl, conf->ciphers->word) == 0)
        return tls_error(arena, conf->ciphers, "SSL_CTX_set_cipher_list(\"%s\") failed", conf->ciphers->word);
    const char *error = tls_load_certificates(c, arena);
    if (!error)
        error = tls_sessions_use(c, arena);
    return error ? error : tls_tickets_use(c, arena);
}

const char *tls_context_create(struct tls_context **out, const struct tls_conf *conf, struct arena *arena)
{
    struct tls_context *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c)
        return "no memory";
    *c = (struct tls_context){.ssl = SSL_CTX_new(TLS_server_method()), .conf = conf, .users = 1};
    const char *error = c->ssl ? fill(c, arena) : tls_error(arena, conf->certificates, "SSL_CTX_new() failed");
    if (error)
        tls_context_release(c);
    else
        *out = c;
    return error;
}

void tls_context_acquire(struct tls_context *c)
{
    c->users++;
}

void tls_context_release(struct tls_context *c)
{
    if (!c || --c->users > 0)
        return;
    tls_tickets_leave(c);
    tls_sessions_leave(c);
    SSL_CTX_free(c->ssl);
    free(c);
}
