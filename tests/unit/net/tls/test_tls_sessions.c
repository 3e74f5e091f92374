/* test_tls_sessions.c - whose sessions are resumed, and by what: handshakes in memory between a
 * client and contexts made from configurations. */
#include "unit.h"

#include "../../../certificate.h"
#include "base/log.h"
#include "conf/parse.h"
#include "net/tls/tls_sessions.h"
#include "net/tls/tls_tickets.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIFE = 300, CONFIGURATIONS = 8 };

static struct log silent;
static struct arena arenas[CONFIGURATIONS];
static struct tls_context *contexts[CONFIGURATIONS];
static unsigned count;
static const struct tls_context
    *entrance; /* connections begin with it, and are another's later; NULL: with their own */

/* ---- configurations ---- */

static const char *set_block(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_block *block;
    (void)slot;
    (void)row;
    return conf_block(cf, CONF_HTTP, NULL, &block, NULL);
}

static const struct conf_row block_rows[] = {
    {"http", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_block, .help = ""},
    {.name = NULL},
};
static struct conf_module block_module = {.name = "Blocks", .rows = block_rows};

static struct tls_context *context(const char *text)
{
    static struct conf_module *const modules[] = {&block_module, &tls_module, NULL};
    struct arena *arena = &arenas[count];
    struct conf_result result;
    char all[4000];
    snprintf(all, sizeof all, "http {\n%s\n}\n", text);
    const struct conf_input input = {
        .file = unit_write("t.conf", all, strlen(all)), .prefix = "/p/", .modules = modules};
    arena_init(arena, 4096);
    ck_assert_msg(conf_read(&input, arena, &result) == 0, "%s", result.error);
    const struct conf_block *http = container_of(result.root->children.next, struct conf_block, node);
    const char *error = tls_context_create(&contexts[count], conf_values(http, &tls_module), arena);
    ck_assert_msg(error == NULL, "%s", error);
    return contexts[count++];
}

/* With the certificate a. */
static struct tls_context *server(const char *text)
{
    char all[2000];
    snprintf(all, sizeof all, "ssl_certificate a.crt; ssl_certificate_key a.key; %s", text);
    return context(all);
}

static void setup(void)
{
    log_main = &silent;
    count = 0;
    entrance = NULL;
    certificate_make(unit_dir(), "a", "");
}

static void teardown(void)
{
    while (count > 0) {
        tls_context_release(contexts[--count]);
        arena_fini(&arenas[count]);
    }
}

/* ---- handshakes ---- */

struct outcome {
    bool resumed;
    SSL_SESSION *session; /* to be freed; NULL: there is nothing to resume */
};

static bool step(SSL *ssl)
{
    char byte;
    ERR_clear_error();
    int rc = SSL_is_init_finished(ssl) ? SSL_read(ssl, &byte, 1) : SSL_do_handshake(ssl);
    int why = SSL_get_error(ssl, rc);
    ck_assert_msg(rc == 1 || why == SSL_ERROR_WANT_READ, "%s", ERR_error_string(ERR_peek_error(), NULL));
    return rc == 1;
}

/* Until both are done, tickets included. */
static void shake_hands(SSL *client, SSL *server_ssl)
{
    for (int i = 0; i < 10; i++) {
        step(client);
        step(server_ssl);
    }
    ck_assert(SSL_is_init_finished(client) && SSL_is_init_finished(server_ssl));
    ck_assert_int_eq(SSL_session_reused(client), SSL_session_reused(server_ssl));
}

static struct outcome meet(const struct tls_context *c, int version, SSL_SESSION *session)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL *client = SSL_new(ctx), *peer = SSL_new(entrance ? entrance->ssl : c->ssl);
    BIO *one, *other;
    struct outcome out;
    if (entrance) {
        ck_assert_ptr_eq(SSL_set_SSL_CTX(peer, c->ssl), c->ssl);
        tls_sessions_take(peer, c);
    }
    ck_assert_int_eq(BIO_new_bio_pair(&one, 0, &other, 0), 1);
    SSL_set_bio(client, one, one);
    SSL_set_bio(peer, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(peer);
    if (session)
        ck_assert_int_eq(SSL_set_session(client, session), 1);
    shake_hands(client, peer);
    out.resumed = SSL_session_reused(client);
    out.session = SSL_get1_session(client);
    if (!SSL_SESSION_is_resumable(out.session)) {
        SSL_SESSION_free(out.session);
        out.session = NULL;
    }
    SSL_shutdown(client);
    SSL_shutdown(peer);
    SSL_free(client);
    SSL_free(peer);
    SSL_CTX_free(ctx);
    return out;
}

/* Whether what `from` gave is resumed by `to`. */
static bool crosses(const struct tls_context *from, const struct tls_context *to, int version)
{
    struct outcome first = meet(from, version, NULL);
    ck_assert(!first.resumed);
    struct outcome second = meet(to, version, first.session);
    bool resumed = first.session && second.resumed;
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(second.session);
    return resumed;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- tickets ---- */

START_TEST(test_tickets_cross_configurations)
{
    struct tls_context *a = server(""), *b = server("");
    ck_assert(crosses(a, a, versions[_i]));
    ck_assert(crosses(a, b, versions[_i])); /* as after a reload */
    ck_assert_int_gt(tls_tickets_turn(), 0);
    ck_assert(crosses(a, b, versions[_i]));
}
END_TEST

START_TEST(test_life)
{
    struct tls_context *a = server(""), *b = server("ssl_session_timeout 1h;");
    struct outcome first = meet(a, versions[_i], NULL), second = meet(b, versions[_i], NULL);
    ck_assert_uint_eq(SSL_SESSION_get_ticket_lifetime_hint(first.session), LIFE);
    ck_assert_uint_eq(SSL_SESSION_get_ticket_lifetime_hint(second.session), 3600);
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(second.session);
}
END_TEST

START_TEST(test_nothing_to_resume)
{
    struct tls_context *a = server("ssl_session_tickets off;");
    struct outcome first = meet(a, TLS1_3_VERSION, NULL);
    ck_assert_ptr_null(first.session);
    ck_assert(!crosses(a, a, versions[_i]));
    ck_assert(!crosses(a, server(""), versions[_i]));
    ck_assert_int_gt(tls_tickets_turn(), 0);
}
END_TEST

static void write_key(const char *name, size_t len, char fill)
{
    char bytes[100];
    memset(bytes, fill, len);
    unit_write(name, bytes, len);
}

START_TEST(test_replicas)
{
    write_key("long", 80, 'a');
    write_key("short", 48, 'b');
    write_key("other", 80, 'c');
    struct tls_context *a = server("ssl_session_ticket_key long;"), *same = server("ssl_session_ticket_key long;");
    struct tls_context *both = server("ssl_session_ticket_key short; ssl_session_ticket_key long;");
    struct tls_context *c = server("ssl_session_ticket_key other;"), *own = server("");
    ck_assert(crosses(a, same, versions[_i]) && crosses(a, both, versions[_i]));
    ck_assert(!crosses(both, a, versions[_i])); /* its first key encrypts */
    ck_assert(crosses(both, both, versions[_i]));
    ck_assert(!crosses(a, c, versions[_i]) && !crosses(a, own, versions[_i]) && !crosses(own, a, versions[_i]));
}
END_TEST

/* A ticket of an older key is accepted, and the client gets one of the newest. */
START_TEST(test_renewed)
{
    write_key("old", 80, 'a');
    write_key("new", 80, 'b');
    struct tls_context *before = server("ssl_session_ticket_key old;");
    struct tls_context *both = server("ssl_session_ticket_key new; ssl_session_ticket_key old;");
    struct tls_context *after = server("ssl_session_ticket_key new;");
    struct outcome first = meet(before, versions[_i], NULL), second = meet(both, versions[_i], first.session);
    ck_assert(second.resumed);
    struct outcome third = meet(after, versions[_i], second.session);
    ck_assert(third.resumed);
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(second.session);
    SSL_SESSION_free(third.session);
}
END_TEST

/* Bytes of a ticket that are not what they were, or not all of them: a full handshake. */
START_TEST(test_forged)
{
    struct tls_context *a = server("");
    struct outcome first = meet(a, versions[_i], NULL);
    unsigned char der[4000], *end = der;
    const unsigned char *ticket;
    size_t len;
    int der_len = i2d_SSL_SESSION(first.session, &end);
    SSL_SESSION_get0_ticket(first.session, &ticket, &len);
    unsigned char *at = memmem(der, (size_t)der_len, ticket, len);
    ck_assert_ptr_nonnull(at);
    for (size_t i = 0; i < len; i += 7) {
        const unsigned char *from = der;
        at[i] ^= 0x20;
        SSL_SESSION *forged = d2i_SSL_SESSION(NULL, &from, der_len);
        struct outcome second = meet(a, versions[_i], forged);
        ck_assert(!second.resumed);
        SSL_SESSION_free(forged);
        SSL_SESSION_free(second.session);
        at[i] ^= 0x20;
    }
    SSL_SESSION_free(first.session);
}
END_TEST

START_TEST(test_key_files)
{
    static const struct {
        size_t len;
        bool good;
    } sizes[] = {{0, false}, {47, false}, {48, true}, {49, false}, {79, false}, {80, true}, {81, false}, {96, false}};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct tls_word word = {
            .word = unit_path("key"), .directive = "ssl_session_ticket_key", .file = "x.conf", .line = 7};
        struct tls_context *made = server("");
        struct tls_conf conf = *made->conf;
        struct tls_context *c;
        conf.ticket_keys = &word;
        write_key("key", sizes[i].len, 'a');
        const char *error = tls_context_create(&c, &conf, &arenas[0]);
        ck_assert_int_eq(error == NULL, sizes[i].good);
        if (error)
            ck_assert_msg(strstr(error, "key\" must be 48 or 80 bytes in x.conf:7"), "%s", error);
        tls_context_release(c);
        word.word = "/no/such/file";
        error = tls_context_create(&c, &conf, &arenas[0]);
        ck_assert_msg(strstr(error, "\"/no/such/file\" (2: No such file or directory) in x.conf:7"), "%s", error);
        teardown();
    }
}
END_TEST

/* ---- the cache ---- */

START_TEST(test_cache)
{
    static const char *const caches[] = {"shared:one:64k", "builtin", "builtin:100", "builtin shared:one:64k"};
    for (unsigned i = 0; i < sizeof caches / sizeof *caches; i++) {
        char text[200];
        snprintf(text, sizeof text, "ssl_session_tickets off; ssl_session_cache %s;", caches[i]);
        struct tls_context *a = server(text), *b = server(text), *none = server("ssl_session_tickets off;");
        struct tls_context *other = server("ssl_session_tickets off; ssl_session_cache shared:two:64k;");
        ck_assert(crosses(a, a, versions[_i]) && crosses(a, b, versions[_i]));
        ck_assert(!crosses(a, none, versions[_i]) && !crosses(a, other, versions[_i]));
        teardown();
    }
}
END_TEST

/* With tickets nothing fills it; a client without tickets is resumed from it. */
START_TEST(test_cache_beside_tickets)
{
    struct tls_context *a = server("ssl_session_cache shared:one:64k;");
    ck_assert(crosses(a, server(""), versions[_i]));
    ck_assert(!crosses(a, server("ssl_session_tickets off; ssl_session_cache shared:one:64k;"), versions[_i]));
}
END_TEST

/* ---- servers behind one address ---- */

/* What a connection began with says nothing: neither how long sessions live, nor which keys or
 * cache are used. */
START_TEST(test_named_later)
{
    write_key("key", 80, 'a');
    struct tls_context *long_life = server("ssl_session_timeout 1h;"), *key = server("ssl_session_ticket_key key;");
    struct tls_context *cache = server("ssl_session_tickets off; ssl_session_cache shared:one:64k;");
    struct tls_context *off = server("ssl_session_tickets off;");
    struct tls_context *all[] = {server(""), long_life, key, cache, off};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        entrance = all[i];
        struct outcome first = meet(long_life, versions[_i], NULL);
        ck_assert_uint_eq(SSL_SESSION_get_ticket_lifetime_hint(first.session), 3600);
        SSL_SESSION_free(first.session);
        ck_assert(crosses(cache, cache, versions[_i]) && !crosses(off, off, versions[_i]));
        ck_assert(!crosses(key, cache, versions[_i]) && !crosses(key, all[0], versions[_i]));
    }
    entrance = all[0];
    struct outcome first = meet(key, versions[_i], NULL);
    entrance = NULL;
    struct outcome second = meet(key, versions[_i], first.session);
    ck_assert(second.resumed);
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(second.session);
}
END_TEST

/* ---- scopes ---- */

START_TEST(test_renewed_certificate)
{
    struct tls_context *a = server(""), *renewed;
    certificate_make(unit_dir(), "a", "");
    renewed = server("");
    ck_assert(crosses(a, renewed, versions[_i]));
}
END_TEST

START_TEST(test_other_name)
{
    certificate_make(unit_dir(), "b", "-subj /CN=localhost -addext subjectAltName=DNS:other.example");
    certificate_make(unit_dir(), "plain", "-subj /CN=one");
    certificate_make(unit_dir(), "other", "-subj /CN=two");
    struct tls_context *a = server(""), *b = context("ssl_certificate b.crt; ssl_certificate_key b.key;");
    struct tls_context *plain = context("ssl_certificate plain.crt; ssl_certificate_key plain.key;");
    struct tls_context *other = context("ssl_certificate other.crt; ssl_certificate_key other.key;");
    ck_assert(!crosses(a, b, versions[_i]) && !crosses(b, a, versions[_i]));
    ck_assert(!crosses(plain, other, versions[_i]) && crosses(plain, plain, versions[_i]));
}
END_TEST

Suite *suite_net_tls_sessions(void)
{
    Suite *s = suite_create("net_tls_sessions");
    TCase *tc = tcase_create("sessions");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, test_tickets_cross_configurations, 0, 2);
    tcase_add_loop_test(tc, test_life, 0, 2);
    tcase_add_loop_test(tc, test_nothing_to_resume, 0, 2);
    tcase_add_loop_test(tc, test_replicas, 0, 2);
    tcase_add_loop_test(tc, test_renewed, 0, 2);
    tcase_add_loop_test(tc, test_forged, 0, 2);
    tcase_add_test(tc, test_key_files);
    tcase_add_loop_test(tc, test_cache, 0, 2);
    tcase_add_loop_test(tc, test_cache_beside_tickets, 0, 2);
    tcase_add_loop_test(tc, test_named_later, 0, 2);
    tcase_add_loop_test(tc, test_renewed_certificate, 0, 2);
    tcase_add_loop_test(tc, test_other_name, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
