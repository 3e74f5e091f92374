/* tls_fact.c - what was agreed on. See tls_fact.h; tls_client.c has what a client's certificate says.
 * SSL_get_session(3), SSL_client_version(3) */
#include "net/tls/tls_fact.h"

#include "base/buffer.h"
#include "net/tls/tls_private.h"
#include "net/tls/tls_state.h"

#include <openssl/objects.h>

static struct text text_of_buffer(struct buffer *b, struct arena *arena)
{
    struct text t = b->failed ? TEXT_NONE : arena_text(arena, (struct text){b->data ? b->data : "", b->len});
    buffer_fini(b);
    return t;
}

/* ---- ciphers ---- */

/* Those that have no name here are GREASE, or too new, or too old. */
static struct text ciphers_of(SSL *ssl, struct arena *arena)
{
    unsigned char *raw;
    long len = SSL_get0_raw_cipherlist(ssl, NULL) == 2 ? SSL_get0_raw_cipherlist(ssl, &raw) : 0;
    struct buffer b;

    if (len <= 0)
        return TEXT_NONE;
    buffer_init(&b);
    for (long i = 0; i + 1 < len; i += 2) {
        const SSL_CIPHER *c = SSL_CIPHER_find(ssl, raw + i);
        if (i > 0)
            buffer_add_char(&b, ':');
        if (c)
            buffer_add_str(&b, SSL_CIPHER_get_name(c));
        else
            buffer_printf(&b, "0x%02x%02x", raw[i], raw[i + 1]);
    }
    return text_of_buffer(&b, arena);
}

/* ---- groups ---- */

static const char *group_name(SSL *ssl, int nid)
{
    const char *name = nid & TLSEXT_nid_unknown ? NULL : OBJ_nid2sn(nid);
    return name ? name : SSL_group_to_name(ssl, nid);
}

static struct text curve_of(SSL *ssl)
{
    int nid = (int)SSL_get_negotiated_group(ssl);
    return nid == NID_undef ? TEXT_NONE : text_of(group_name(ssl, nid));
}

static void add_curve(struct buffer *b, SSL *ssl, int nid)
{
    const char *name = group_name(ssl, nid);

    if (b->len > 0)
        buffer_add_char(b, ':');
    if (name)
        buffer_add_str(b, name);
    else
        buffer_printf(b, "0x%04x", (unsigned)nid & 0xffff);
}

static struct text curves_of(SSL *ssl, struct arena *arena)
{
    int count = (int)SSL_get1_groups(ssl, NULL);
    int *nids = count > 0 ? arena_alloc(arena, (size_t)count * sizeof *nids) : NULL;
    struct buffer b;

    if (!nids)
        return TEXT_NONE;
    SSL_get1_groups(ssl, nids);
    buffer_init(&b);
    for (int i = 0; i < count; i++)
        add_curve(&b, ssl, nids[i]);
    return text_of_buffer(&b, arena);
}

/* ---- signatures ---- */

static struct text sigalg_of(SSL *ssl)
{
    int type = NID_undef, digest = NID_undef;

    if (!SSL_get_signature_type_nid(ssl, &type))
        return TEXT_NONE;
    SSL_get_signature_nid(ssl, &digest);
    return tls_signature_name(type, digest);
}

/* ---- the rest ---- */

static struct text session_id_of(SSL *ssl, struct arena *arena)
{
    const SSL_SESSION *session = SSL_get0_session(ssl);
    unsigned len = 0;
    const unsigned char *id = session ? SSL_SESSION_get_id(session, &len) : NULL;

    return id && len > 0 ? tls_hex(id, len, arena) : TEXT_NONE;
}

/* No host has a slash in its name; it may become part of a path. */
static struct text server_name_of(const SSL *ssl)
{
    struct text name = text_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

    return name.at && text_find(name, '/') < name.len ? TEXT_NONE : name;
}

static struct text alpn_of(SSL *ssl, struct arena *arena)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(ssl, &name, &len);
    return len > 0 ? arena_text(arena, (struct text){(const char *)name, len}) : TEXT_NONE;
}

struct text tls_fact(const struct tls *s, enum tls_fact which, struct arena *arena)
{
    SSL *ssl = s->ssl;

    switch (which) {
    case TLS_PROTOCOL:
        return text_of(SSL_get_version(ssl));
    case TLS_CIPHER:
        return text_of(SSL_get_cipher_name(ssl));
    case TLS_CIPHERS:
        return ciphers_of(ssl, arena);
    case TLS_CURVE:
        return curve_of(ssl);
    case TLS_CURVES:
        return curves_of(ssl, arena);
    case TLS_SIGALG:
        return sigalg_of(ssl);
    case TLS_SERVER_NAME:
        return server_name_of(ssl);
    case TLS_ALPN:
        return alpn_of(ssl, arena);
    case TLS_SESSION_ID:
        return session_id_of(ssl, arena);
    case TLS_SESSION_REUSED:
        return SSL_session_reused(ssl) ? TEXT("r") : TEXT(".");
    case TLS_EARLY_DATA:
        return s->early_state != EARLY_NONE ? TEXT("1") : TEXT_NONE;
    default:
        return tls_client_fact(ssl, which, arena);
    }
}
