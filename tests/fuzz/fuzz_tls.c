/* fuzz_tls.c - bytes of a client through a server's side of a handshake, over a socket pair. Whole or
 * cut into two, they have the same outcome; no byte of them is taken for data that was never
 * encrypted; and what comes back is a sequence of records.
 *
 * The first byte of an input says where it is cut. The names `a` and `b` are of two servers, which
 * resume sessions in different ways. */
#include "fuzz.h"

#include "base/log.h"
#include "conf/parse.h"
#include "net/tls/tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT_MOST = 60000 }; /* fits into a socket */

/* ---- two servers ---- */

static struct tls_context *contexts[2];

static struct tls_context *choose(void *user, struct text name, bool *h2)
{
    (void)user;
    *h2 = name.len % 2 == 1;
    FUZZ_CHECK(!name.at || memchr(name.at, 0, name.len) == NULL, "a name with NUL");
    return text_equal(name, TEXT("b")) ? contexts[1] : contexts[0];
}

static struct tls_acceptor acceptor = {.choose = choose};

/* The paths of a key and a certificate that are in memory alone. */
static void make_certificate(char key_path[64], char certificate_path[64])
{
    int key_fd = memfd_create("key", 0), certificate_fd = memfd_create("certificate", 0);
    FILE *key_file = fdopen(dup(key_fd), "w"), *certificate_file = fdopen(dup(certificate_fd), "w");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = X509_new();

    if (!key || !c || !key_file || !certificate_file)
        abort();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 365L * 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"a", -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    X509_set_pubkey(c, key);
    if (X509_sign(c, key, EVP_sha256()) <= 0 || PEM_write_X509(certificate_file, c) != 1 ||
        PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) != 1)
        abort();
    fclose(key_file);
    fclose(certificate_file);
    X509_free(c);
    EVP_PKEY_free(key);
    snprintf(key_path, 64, "/proc/self/fd/%d", key_fd);
    snprintf(certificate_path, 64, "/proc/self/fd/%d", certificate_fd);
}

static const char *set_block(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_block *block;

    (void)slot;
    return conf_block(cf, row->name[0] == 'h' ? CONF_HTTP : CONF_SERVER, NULL, &block, NULL);
}

static const struct conf_row block_rows[] = {
    {"http", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_block, .help = ""},
    {"server", CONF_HTTP, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, set_block, .help = ""},
    {.name = NULL},
};
static struct conf_module block_module = {.name = "Blocks", .rows = block_rows};

static void make_servers(void)
{
    static struct conf_module *const modules[] = {&block_module, &tls_module, NULL};
    static struct arena arena;
    static struct log silent;
    static struct conf_result result;
    static char text[512];
    char key[64], certificate[64];
    unsigned i = 0;

    log_main = &silent;
    arena_init(&arena, 4096);
    make_certificate(key, certificate);
    snprintf(text, sizeof text,
             "http { ssl_certificate %s; ssl_certificate_key %s; server { }"
             "server { ssl_session_tickets off; ssl_session_cache shared:s:1m; ssl_protocols TLSv1.2; } }",
             certificate, key);
    const struct conf_input input = {.bytes = text_of(text), .name = "fuzz", .prefix = "/p/", .modules = modules};
    if (conf_read(&input, &arena, &result) < 0)
        abort();
    const struct conf_block *http = container_of(result.root->children.next, struct conf_block, node);
    list_each (&http->children, node, next) {
        const struct conf_block *server = container_of(node, struct conf_block, node);
        if (tls_context_create(&contexts[i++], conf_values(server, &tls_module), &arena))
            abort();
    }
    acceptor.fallback = contexts[0];
}

/* ---- one connection ---- */

enum outcome { WAITS, READY, FAILED };

struct one {
    struct transport transport;
    int peer;
    enum outcome outcome;
};

static void begin(struct one *o)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    *o = (struct one){.peer = ends[1]};
    transport_plain(&o->transport, ends[0]);
    if (transport_tls(&o->transport, &acceptor, TEXT_NONE) < 0)
        abort();
}

static void go_on(struct one *o)
{
    char bytes[4096];

    if (o->outcome == WAITS) {
        int rc = transport_handshake(&o->transport);
        o->outcome = rc == 0 ? READY : rc == -EAGAIN ? WAITS : FAILED;
        FUZZ_CHECK(rc <= 0, "a handshake has no other result");
    }
    if (o->outcome == READY) {
        ssize_t n = transport_recv(&o->transport, bytes, sizeof bytes);
        FUZZ_CHECK(n <= 0, "%zd bytes of nobody's", n);
    }
}

/* What the server sent are records, each of them whole. An alert to a hello of an odd version has that
 * version. */
static void check_answer(struct one *o)
{
    static unsigned char bytes[1 << 16];
    size_t len = 0, at = 0;

    for (ssize_t n; (n = recv(o->peer, bytes + len, sizeof bytes - len, 0)) > 0;)
        len += (size_t)n;
    while (at < len) {
        FUZZ_CHECK(len - at >= 5, "half a head of a record");
        size_t size = (size_t)bytes[at + 3] << 8 | bytes[at + 4];
        FUZZ_CHECK(bytes[at] >= 20 && bytes[at] <= 23 && (bytes[at] == 21 || bytes[at + 1] == 3),
                   "no record: %02x %02x", bytes[at], bytes[at + 1]);
        FUZZ_CHECK(size > 0 && size <= 16384 + 256 && size <= len - at - 5, "a record of %zu bytes", size);
        at += 5 + size;
    }
}

static enum outcome meet(const uint8_t *data, size_t size, size_t cut)
{
    struct one o;

    begin(&o);
    if (cut > 0 && cut < size) {
        if (send(o.peer, data, cut, MSG_NOSIGNAL) != (ssize_t)cut)
            abort();
        go_on(&o);
        data += cut;
        size -= cut;
    }
    if (size > 0 && send(o.peer, data, size, MSG_NOSIGNAL) != (ssize_t)size)
        abort();
    go_on(&o);
    go_on(&o);
    FUZZ_CHECK(o.outcome != READY, "a handshake without a key");
    transport_finish(&o.transport);
    transport_close(&o.transport, true);
    check_answer(&o);
    close(o.peer);
    return o.outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!acceptor.fallback)
        make_servers();
    if (size < 2)
        return 0;
    size_t len = size - 1 < INPUT_MOST ? size - 1 : INPUT_MOST;
    enum outcome whole = meet(data + 1, len, 0), cut = meet(data + 1, len, 1 + data[0]);
    FUZZ_CHECK(whole == cut, "whole: %d, cut at %d: %d", whole, 1 + data[0], cut);
    return 0;
}
