/* tls_hello.c - the first message of a client names the server that it wants; what that one says
 * holds from there on, before anything is agreed on. RFC 6066, section 3;
 * SSL_CTX_set_client_hello_cb(3) */
#include "net/tls/tls_private.h"
#include "net/tls/tls_sessions.h"
#include "net/tls/tls_state.h"

#include <openssl/err.h>

enum { NAME_MOST = 255 };

/* The name of host_name type, in lower case and without a dot at its end; absent: there is none, or
 * none that a host can have. libssl itself refuses a list that is malformed. */
static struct text name_of(SSL *ssl, char *room)
{
    const unsigned char *at;
    size_t len;

    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len) || len < 5 ||
        at[2] != TLSEXT_NAMETYPE_host_name)
        return TEXT_NONE;
    size_t name_len = (size_t)at[3] << 8 | at[4];
    if (name_len > len - 5 || name_len > NAME_MOST)
        return TEXT_NONE;
    if (name_len > 0 && at[5 + name_len - 1] == '.')
        name_len--;
    for (size_t i = 0; i < name_len; i++) {
        room[i] = text_lower((char)at[5 + i]);
        if (at[5 + i] <= ' ' || at[5 + i] == 127)
            return TEXT_NONE;
    }
    return (struct text){name_len > 0 ? room : NULL, name_len};
}

/* What SSL_set_SSL_CTX() leaves as it was. Ciphers, authorities and their names are the context's
 * own; groups are a copy. */
static bool take(SSL *ssl, const struct tls_context *from, const struct tls_context *to)
{
    SSL_CTX *ctx = to->ssl;
    uint64_t options = SSL_CTX_get_options(ctx);

    if (!SSL_set_SSL_CTX(ssl, ctx))
        return false;
    SSL_clear_options(ssl, SSL_get_options(ssl) & ~options);
    SSL_set_options(ssl, options);
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_verify_callback(ctx));
    SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(ctx));
    tls_sessions_take(ssl, to);
    SSL_set_max_send_fragment(ssl, tls_record_size(to->conf));
    SSL_set_max_early_data(ssl, SSL_CTX_get_max_early_data(ctx));
    SSL_set_recv_max_early_data(ssl, SSL_CTX_get_recv_max_early_data(ctx));
    if (from->groups != to->groups && !SSL_set1_groups_list(ssl, to->groups ? to->groups : TLS_GROUPS_AUTO))
        return false;
    return SSL_set_min_proto_version(ssl, (int)SSL_CTX_get_min_proto_version(ctx)) &&
           SSL_set_max_proto_version(ssl, (int)SSL_CTX_get_max_proto_version(ctx));
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls *s = SSL_get_app_data(ssl);
    const struct tls_acceptor *a = s ? s->acceptor : NULL;
    char room[NAME_MOST + 1];
    struct text name = name_of(ssl, room);
    const struct tls_context *chosen = a && a->choose ? a->choose(a->user, name, &s->offers_h2) : NULL;
    (void)arg;

    if (!a) /* no transport's */
        return SSL_CLIENT_HELLO_SUCCESS;
    if (!chosen)
        chosen = a->fallback;
    s->context = chosen;
    if (chosen->conf->reject_handshake) {
        ERR_raise(ERR_LIB_SSL, SSL_R_TLSV1_UNRECOGNIZED_NAME); /* for the log, before "callback failed" */
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (chosen == a->fallback || take(ssl, a->fallback, chosen))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

/* That the name was understood is said, and kept with the session. */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl, (void)alert, (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

/* Not below TLS 1.2, nor with one of the ciphers that RFC 9113, 9.2.2, takes out of it: there a
 * client ends the connection. */
static bool suits_h2(SSL *ssl)
{
    if (SSL_version(ssl) != TLS1_2_VERSION)
        return SSL_version(ssl) > TLS1_2_VERSION;
    const SSL_CIPHER *c = SSL_get_pending_cipher(ssl);
    int kx = c ? SSL_CIPHER_get_kx_nid(c) : NID_undef;
    return (kx == NID_kx_ecdhe || kx == NID_kx_dhe) && SSL_CIPHER_is_aead(c);
}

/* What is spoken here, where the client offers something. RFC 7301, 3.2 */
static int on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offered,
                        unsigned offered_len, void *arg)
{
    static const unsigned char spoken[] = "\x02h2\x08http/1.1\x08http/1.0";
    const struct tls *s = SSL_get_app_data(ssl);
    unsigned skip = s && s->offers_h2 && suits_h2(ssl) ? 0 : 3;
    (void)arg;

    /* It finds its choice in one of the two lists. */
    if (SSL_select_next_proto((unsigned char **)out, out_len, spoken + skip, (unsigned)sizeof spoken - 1 - skip,
                              offered, offered_len) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void tls_hello_install(SSL_CTX *ssl)
{
    SSL_CTX_set_client_hello_cb(ssl, on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(ssl, on_name);
    SSL_CTX_set_alpn_select_cb(ssl, on_protocols, NULL);
}

bool tls_agreed_h2(const struct tls *s)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(s->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

bool tls_is_of(const struct tls *s, const struct tls_context *c)
{
    return s->context == c;
}
