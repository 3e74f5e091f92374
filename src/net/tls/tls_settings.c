/* tls_settings.c - protocols, ciphers, groups, and what ssl_conf_command says. See tls_private.h.
 * SSL_CTX_set_options(3), SSL_CONF_cmd(3) */
#include "net/tls/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <strings.h>

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

static const char *set_ciphers(SSL_CTX *ssl, const struct tls_conf *conf, struct arena *arena)
{
    if (conf->prefer_server_ciphers)
        SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (SSL_CTX_set_cipher_list(ssl, conf->ciphers->word) == 0)
        return tls_error(arena, conf->ciphers, "SSL_CTX_set_cipher_list(\"%s\") failed", conf->ciphers->word);
    return NULL;
}

static const char *set_groups(struct tls_context *c, struct arena *arena)
{
    const struct tls_word *w = c->conf->ecdh_curve;

    if (strcmp(w->word, "auto") == 0)
        return NULL;
    c->groups = w->word;
    if (SSL_CTX_set1_groups_list(c->ssl, w->word) == 0)
        return tls_error(arena, w, "SSL_CTX_set1_curves_list(\"%s\") failed", w->word);
    return NULL;
}

static const char *load_dhparam(SSL_CTX *ssl, const struct tls_word *w, struct arena *arena)
{
    const char *error = NULL;
    BIO *file = tls_pem_open(w, "parameters", arena, &error);

    if (!file)
        return error;
    EVP_PKEY *parameters = PEM_read_bio_Parameters(file, NULL);
    BIO_free(file);
    if (!parameters || (!EVP_PKEY_is_a(parameters, "DH") && !EVP_PKEY_is_a(parameters, "DHX")))
        error = tls_error(arena, w, "cannot load parameters \"%s\": PEM_read_bio_Parameters() failed", w->word);
    else if (SSL_CTX_set0_tmp_dh_pkey(ssl, parameters) == 1)
        return NULL;
    else
        error = tls_error(arena, w, "SSL_CTX_set0_tmp_dh_pkey(\"%s\") failed", w->word);
    EVP_PKEY_free(parameters);
    return error;
}

/* ---- ssl_conf_command ---- */

static bool names_groups(const char *name)
{
    return strcasecmp(name, "Groups") == 0 || strcasecmp(name, "Curves") == 0;
}

static const char *value_of(SSL_CONF_CTX *cctx, const struct tls_word *w, struct arena *arena)
{
    int type = SSL_CONF_cmd_value_type(cctx, w->name);

    if ((type != SSL_CONF_TYPE_FILE && type != SSL_CONF_TYPE_DIR) || w->word[0] == '/')
        return w->word;
    return arena_printf(arena, "%s%s", w->folder, w->word);
}

static const char *apply_to_context(struct tls_context *c, SSL_CONF_CTX *cctx, struct arena *arena)
{
    SSL_CONF_CTX_set_flags(cctx, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CERTIFICATE |
                                     SSL_CONF_FLAG_SHOW_ERRORS);
    SSL_CONF_CTX_set_ssl_ctx(cctx, c->ssl);
    for (const struct tls_word *w = c->conf->commands; w; w = w->next) {
        const char *value = value_of(cctx, w, arena);
        if (!value || SSL_CONF_cmd(cctx, w->name, value) <= 0)
            return tls_error(arena, w, "SSL_CONF_cmd(\"%s\", \"%s\") failed", w->name, w->word);
        if (names_groups(w->name))
            c->groups = value;
        tls_check_kernel(c->ssl, w);
    }
    if (SSL_CONF_CTX_finish(cctx) != 1)
        return tls_error(arena, c->conf->commands, "SSL_CONF_finish() failed");
    return NULL;
}

static const char *apply_commands(struct tls_context *c, struct arena *arena)
{
    if (!c->conf->commands)
        return NULL;
    SSL_CONF_CTX *cctx = SSL_CONF_CTX_new();
    const char *error = cctx ? apply_to_context(c, cctx, arena) : "no memory";
    SSL_CONF_CTX_free(cctx);
    return error;
}

const char *tls_apply_settings(struct tls_context *c, struct arena *arena)
{
    const struct tls_conf *conf = c->conf;

    set_protocols(c->ssl, conf->protocols);
    SSL_CTX_set_max_send_fragment(c->ssl, tls_record_size(conf));
    const char *error = set_ciphers(c->ssl, conf, arena);
    if (!error)
        error = set_groups(c, arena);
    if (!error && conf->dhparam)
        error = load_dhparam(c->ssl, conf->dhparam, arena);
    return error ? error : apply_commands(c, arena);
}
