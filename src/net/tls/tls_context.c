/* tls_context.c - SSL_CTX from the values of the directives ssl_*. See tls_context.h;
 * tls_context_none.c stands in for it where libssl is left out. SSL_CTX_new(3) */
#include "net/tls/tls_context.h"

#include "net/tls/tls_private.h"
#include "net/tls/tls_sessions.h"
#include "net/tls/tls_state.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

bool tls_available(void)
{
    return true;
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

/* The chain that is sent is what the file holds. An early request may be replayed, which files do
 * not mind; libssl's own guard against that works in one process only. */
static void set_ways(SSL_CTX *ssl, const struct tls_conf *conf)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    if (conf->early_data)
        SSL_CTX_set_max_early_data(ssl, TLS_EARLY_DATA_MOST);
}

static const char *fill(struct tls_context *c, struct arena *arena)
{
    ERR_clear_error();
    set_ways(c->ssl, c->conf);
    const char *error = tls_conf_varies(c->conf) ? tls_pair_prepare(c, arena) : tls_load_certificates(c, arena);
    if (!error)
        error = tls_load_authorities(c, arena);
    if (!error)
        error = tls_sessions_use(c, arena);
    if (!error)
        error = tls_tickets_use(c, arena);
    if (!error)
        error = tls_apply_settings(c, arena);
    c->not_after = tls_first_end(c->ssl);
    tls_need(c->ssl);
    tls_hello_install(c->ssl);
    return error;
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

void tls_context_own(struct tls_context *c, const void *owner)
{
    c->owner = owner;
}

const void *tls_context_owner(const struct tls_context *c)
{
    return c->owner;
}

const struct tls_conf *tls_context_conf(const struct tls_context *c)
{
    return c->conf;
}

struct text tls_context_passwords(const struct tls_context *c)
{
    return (struct text){c->passwords, c->passwords_len};
}

int64_t tls_context_not_after(const struct tls_context *c)
{
    return c->not_after;
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
    if (c->passwords)
        explicit_bzero(c->passwords, c->passwords_len);
    free(c->passwords);
    free(c);
}
