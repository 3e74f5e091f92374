/* tls_sessions.c - how sessions are resumed, and the cache of those that no ticket holds. See
 * tls_sessions.h. SSL_CTX_set_session_cache_mode(3), SSL_CTX_sess_set_new_cb(3)
 *
 * libssl asks the context that a connection began with; which server it is of is known only when
 * the client has named it. So each context has the same callbacks, and these look at the server.
 * libssl's own cache is never used: it would be one per worker, and that of the first context. */
#include "net/tls/tls_sessions.h"

#include "net/tls/session_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <time.h>

enum {
    SESSION_ROOM = 320, /* bytes in a store for one session, on average: for builtin:SESSIONS */
    STORE_LEAST = 32768,
};

/* The stores in use, once each. */
struct store {
    struct store *next;
    struct zone *zone;
    unsigned users;
};
static struct store *stores;

static int context_index = -1;

struct tls_context *tls_sessions_context(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
}

static struct text id_of(const SSL_SESSION *session)
{
    unsigned len;
    const unsigned char *at = SSL_SESSION_get_id(session, &len);

    return (struct text){(const char *)at, len};
}

/* ---- what libssl asks ---- */

/* 0: it is not kept by reference. */
static int on_new(SSL *ssl, SSL_SESSION *session)
{
    const struct tls_sessions *s = tls_sessions_context(ssl)->sessions;
    unsigned char bytes[SESSION_BYTES_MOST], *end = bytes;

    /* Told of every ticket of TLS 1.3, too. */
    if (!s->cache || (SSL_version(ssl) == TLS1_3_VERSION && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET)))
        return 0;
    SSL_SESSION_set_timeout(session, (long)s->life);
    int len = i2d_SSL_SESSION(session, NULL);
    if (len <= 0 || len > SESSION_BYTES_MOST || i2d_SSL_SESSION(session, &end) != len)
        return 0;
    session_store_put(s->cache, id_of(session), (struct text){(const char *)bytes, (size_t)len},
                      (int64_t)time(NULL) + s->life);
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    const struct tls_sessions *s = tls_sessions_context(ssl)->sessions;
    struct text name = {(const char *)id, (size_t)len};
    char bytes[SESSION_BYTES_MOST];
    const unsigned char *at = (const unsigned char *)bytes;

    *copy = 0;
    size_t have = s->cache ? session_store_get(s->cache, name, (int64_t)time(NULL), bytes) : 0;
    if (have == 0)
        return NULL;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, (long)have);
    explicit_bzero(bytes, have);
    if (!session)
        ERR_clear_error();
    return session;
}

/* Not to be resumed any more; of which server it was is not said. */
static void on_remove(SSL_CTX *ssl, SSL_SESSION *session)
{
    struct text id = id_of(session);

    (void)ssl;
    for (struct store *s = stores; s && id.len > 0; s = s->next)
        session_store_remove(s->zone, id);
}

/* A ticket is about to be made. */
static int on_make_ticket(SSL *ssl, void *arg)
{
    (void)arg;
    SSL_SESSION_set_timeout(SSL_get_session(ssl), (long)tls_sessions_context(ssl)->sessions->life);
    return 1;
}

/* ---- of a context ---- */

static int use_store(struct tls_sessions *s, const struct tls_conf *conf, struct arena *arena)
{
    bool builtin = conf->session_cache.kind == TLS_CACHE_BUILTIN;
    const char *name = builtin ? "ssl_session_cache builtin"
                               : arena_printf(arena, "ssl_session_cache shared %s", conf->session_cache.name);
    int64_t size = conf->session_cache.size * (builtin ? SESSION_ROOM : 1);
    struct zone *z;
    int rc =
        name ? zone_acquire(&z, text_of(name), size < STORE_LEAST ? STORE_LEAST : (size_t)size, TEXT("")) : -ENOMEM;

    if (rc < 0)
        return rc;
    s->cache = z;
    for (struct store *known = stores; known; known = known->next)
        if (known->zone == z) {
            known->users++;
            return 0;
        }
    struct store *fresh = malloc(sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    *fresh = (struct store){stores, z, 1};
    stores = fresh;
    return 0;
}

static void leave_store(struct zone *z)
{
    struct store **at = &stores;

    while (*at && (*at)->zone != z)
        at = &(*at)->next;
    if (*at && --(*at)->users == 0) {
        struct store *gone = *at;
        *at = gone->next;
        free(gone);
    }
    zone_release(z);
}

static void set_callbacks(SSL_CTX *ssl)
{
    SSL_CTX_set_session_cache_mode(ssl,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(ssl, on_new);
    SSL_CTX_sess_set_get_cb(ssl, on_get);
    SSL_CTX_sess_set_remove_cb(ssl, on_remove);
    SSL_CTX_set_session_ticket_cb(ssl, on_make_ticket, NULL, NULL);
}

/* One ticket for each handshake, where it can be resumed. */
static size_t tickets_of(const struct tls_sessions *s)
{
    return s->tickets || s->cache ? 1 : 0;
}

const char *tls_sessions_use(struct tls_context *c, struct arena *arena)
{
    const struct tls_conf *conf = c->conf;
    unsigned char scope[TLS_SCOPE_LEN];
    struct tls_sessions *s = calloc(1, sizeof *s);

    if (context_index < 0)
        context_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (!s || context_index < 0 || SSL_CTX_set_ex_data(c->ssl, context_index, c) != 1) {
        free(s);
        return "no memory";
    }
    *s = (struct tls_sessions){.life = conf->session_timeout, .tickets = conf->session_tickets};
    list_init(&s->node);
    c->sessions = s;
    if (conf->session_cache.kind >= TLS_CACHE_BUILTIN && use_store(s, conf, arena) < 0)
        return "no shared memory for ssl_session_cache";
    if (!tls_scope(c, scope) || SSL_CTX_set_session_id_context(c->ssl, scope, sizeof scope) != 1)
        return "no memory";
    SSL_CTX_set_timeout(c->ssl, (long)s->life);
    SSL_CTX_set_num_tickets(c->ssl, tickets_of(s));
    set_callbacks(c->ssl);
    return NULL;
}

void tls_sessions_leave(struct tls_context *c)
{
    if (!c->sessions)
        return;
    if (c->sessions->cache)
        leave_store(c->sessions->cache);
    free(c->sessions);
    c->sessions = NULL;
}

void tls_sessions_take(SSL *ssl, const struct tls_context *c)
{
    SSL_set_num_tickets(ssl, tickets_of(c->sessions));
    if (c->sessions->tickets)
        SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    else
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
}
