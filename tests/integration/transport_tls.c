/* transport_tls.c - the transport that encrypts: TLS over the loopback interface, by libssl. See
 * transport.h.
 *
 * Every end of a connection is held against the rule: close_notify comes before FIN, or what was
 * received may have been cut, and reading fails (EPROTO). */
#include "transport_tls.h"
#include "harness.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HANDSHAKE_PATIENCE = 10000 };

/* ---- the server's certificate ---- */

static void write_pem(const char *name, EVP_PKEY *key, X509 *certificate)
{
    BIO *out = BIO_new_file(site_path("%s", name), "w");

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(
        key ? PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_X509(out, certificate), 1);
    BIO_free(out);
    ck_assert_int_eq(chmod(site_path("%s", name), key ? 0600 : 0644), 0);
}

/* For localhost, signed by itself. */
void transport_tls_renew(void)
{
    static long serial;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = X509_new();
    X509V3_CTX context;

    ck_assert(key && c);
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), (long)getpid() * 1000 + ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 60 * 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    X509_set_pubkey(c, key);
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, c, c, NULL, NULL, 0);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    ck_assert_int_eq(X509_add_ext(c, names, -1), 1);
    X509_EXTENSION_free(names);
    ck_assert_int_gt(X509_sign(c, key, EVP_sha256()), 0);
    write_pem(SITE_CERTIFICATE ".key", key, NULL);
    write_pem(SITE_CERTIFICATE ".crt", NULL, c);
    EVP_PKEY_free(key);
    X509_free(c);
}

static const char *preamble(void)
{
    static char text[5000];
    static pid_t made_by;

    if (made_by != getpid())
        transport_tls_renew();
    made_by = getpid();
    snprintf(text, sizeof text,
             "ssl_certificate %s/" SITE_CERTIFICATE ".crt; ssl_certificate_key %s/" SITE_CERTIFICATE ".key; ",
             site_dir(), site_dir());
    return text;
}

/* ---- the client ---- */

static SSL_CTX *context(void)
{
    static SSL_CTX *made;

    if (made)
        return made;
    signal(SIGPIPE, SIG_IGN);
    made = SSL_CTX_new(TLS_client_method());
    ck_assert_ptr_nonnull(made);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return made;
}

struct channel channel_of_tls(int fd)
{
    SSL *ssl = SSL_new(context());

    ck_assert_ptr_nonnull(ssl);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    SSL_set_fd(ssl, fd);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    return (struct channel){.transport = transport_tls(), .fd = fd, .session = ssl};
}

void channel_offer(struct channel *ch, const char *protocols)
{
    SSL_set_alpn_protos(ch->session, (const unsigned char *)protocols, (unsigned)strlen(protocols));
}

static int tls_connect(struct channel *ch, int port, int rcvbuf)
{
    int rc = channel_connect_tcp(ch, port, rcvbuf);

    if (rc == 0)
        *ch = channel_of_tls(ch->fd);
    return rc;
}

/* errno from what libssl says; 0: the end, as it should be. */
static ssize_t outcome(SSL *ssl, int rc)
{
    switch (SSL_get_error(ssl, rc)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_SYSCALL:
        errno = errno ? errno : EPROTO;
        return -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

/* Waits until libssl can go on. False: it took too long. */
static bool await(struct channel *ch, int msec)
{
    struct pollfd p = {.fd = ch->fd, .events = SSL_want_write(ch->session) ? POLLOUT : POLLIN};

    return poll(&p, 1, msec) != 0;
}

/* Whoever sends or waits for something has the handshake done first. */
static ssize_t agree(struct channel *ch)
{
    while (!SSL_is_init_finished(ch->session)) {
        ERR_clear_error();
        errno = 0;
        int rc = SSL_do_handshake(ch->session);
        if (rc == 1)
            break;
        ssize_t n = outcome(ch->session, rc);
        if (n == 0 || errno != EAGAIN)
            return n == 0 ? (errno = ECONNRESET, -1) : n;
        if (!await(ch, scaled(HANDSHAKE_PATIENCE)))
            ck_abort_msg("the server does not go on with the handshake");
    }
    return 0;
}

static ssize_t tls_send(struct channel *ch, const void *bytes, size_t len, bool wait)
{
    if (agree(ch) < 0)
        return -1;
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int rc = SSL_write(ch->session, bytes, (int)(len < 1 << 20 ? len : 1 << 20));
        if (rc > 0)
            return rc;
        ssize_t n = outcome(ch->session, rc);
        if (!wait || n == 0 || errno != EAGAIN)
            return n == 0 ? (errno = EPIPE, -1) : n;
        await(ch, -1);
    }
}

static ssize_t tls_receive(struct channel *ch, void *bytes, size_t len, bool wait)
{
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int rc = SSL_read(ch->session, bytes, (int)(len < 1 << 20 ? len : 1 << 20));
        if (rc > 0)
            return rc;
        ssize_t n = outcome(ch->session, rc);
        if (!wait || n == 0 || errno != EAGAIN)
            return n;
        await(ch, -1);
    }
}

static bool tls_has_pending(const struct channel *ch)
{
    return SSL_pending(ch->session) > 0;
}

static int tls_end_sending(struct channel *ch)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ch->session))
        SSL_shutdown(ch->session);
    return shutdown(ch->fd, SHUT_WR);
}

static void drop(struct channel *ch)
{
    SSL_free(ch->session);
    close(ch->fd);
    ch->session = NULL;
    ch->fd = -1;
}

static void tls_reset(struct channel *ch)
{
    setsockopt(ch->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
    drop(ch);
}

static void tls_close(struct channel *ch)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ch->session))
        SSL_shutdown(ch->session);
    drop(ch);
}

static const struct site_transport over_tls = {
    .name = "tls",
    .peer = "127.0.0.1",
    .scheme = "https",
    .is_tcp = true,
    .preamble = preamble,
    .option = " ssl",
    .address = channel_tcp_address,
    .connect = tls_connect,
    .send = tls_send,
    .receive = tls_receive,
    .has_pending = tls_has_pending,
    .end_sending = tls_end_sending,
    .reset = tls_reset,
    .close = tls_close,
};

const struct site_transport *transport_tls(void)
{
    return &over_tls;
}

/* ---- what the suites of TLS share ---- */

static void write_conf(const char *options, const char *events, const char *http, const char *server)
{
    char *text;

    ck_assert_int_ge(asprintf(&text,
                              "@MAIN@\nevents { %s }\nhttp {\n@HTTP@\n%s\n%s\nserver {\nlisten 127.0.0.1:%d ssl%s;\n"
                              "root @DIR@/html;\n%s\n}\n}\n",
                              *events ? events : "worker_connections 2048;", preamble(), http, site_port(0), options,
                              server),
                     0);
    site_conf(text);
    free(text);
}

void conf_tls(const char *events, const char *http, const char *server)
{
    write_conf("", events, http, server);
}

void serve_over_tls_with(const char *options, const char *events, const char *http, const char *server)
{
    write_conf(options, events, http, server);
    site_start();
}

void serve_over_tls(const char *events, const char *http, const char *server)
{
    serve_over_tls_with("", events, http, server);
}

void client_open_tls(struct site_client *c, int port, int rcvbuf)
{
    *c = (struct site_client){0};
    if (tls_connect(&c->channel, port, rcvbuf) < 0)
        ck_abort_msg("connect to port %d: %s", port, strerror(errno));
}

SSL *client_ssl(struct site_client *c)
{
    return c->channel.session;
}

void records_open(struct raw_tls *raw, int port)
{
    struct channel ch;

    ck_assert_int_eq(channel_connect_tcp(&ch, port, 0), 0);
    *raw = (struct raw_tls){.fd = ch.fd, .ssl = SSL_new(context())};
    raw->in = BIO_new(BIO_s_mem());
    raw->out = BIO_new(BIO_s_mem());
    ck_assert(raw->ssl && raw->in && raw->out);
    BIO_set_mem_eof_return(raw->in, -1);
    SSL_set_bio(raw->ssl, raw->in, raw->out);
    SSL_set_connect_state(raw->ssl);
    SSL_set_tlsext_host_name(raw->ssl, "localhost");
}

void records_flush(struct raw_tls *raw, size_t step)
{
    char *bytes = NULL;
    size_t before = raw->before ? strlen(raw->before) : 0, len = before + BIO_ctrl_pending(raw->out);

    bytes = malloc(len + 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, before ? raw->before : "", before);
    if (len > before)
        ck_assert_int_eq(BIO_read(raw->out, bytes + before, (int)(len - before)), (int)(len - before));
    raw->before = NULL;
    for (size_t at = 0, n; at < len; at += n) {
        n = step && len - at > step ? step : len - at;
        if (send(raw->fd, bytes + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
    }
    free(bytes);
}

bool records_pump(struct raw_tls *raw)
{
    char bytes[20000];
    struct pollfd p = {.fd = raw->fd, .events = POLLIN};

    ck_assert_msg(poll(&p, 1, scaled(HANDSHAKE_PATIENCE)) == 1, "the server says nothing");
    ssize_t n = recv(raw->fd, bytes, sizeof bytes, 0);
    if (n <= 0)
        return false;
    BIO_write(raw->in, bytes, (int)n);
    return true;
}

void records_agree(struct raw_tls *raw)
{
    while (SSL_do_handshake(raw->ssl) != 1) {
        records_flush(raw, raw->step);
        ck_assert_msg(records_pump(raw), "the server ends the handshake");
    }
    records_flush(raw, raw->step);
}

size_t records_read(struct raw_tls *raw, char *to, size_t room, size_t body)
{
    size_t len = 0;

    for (;;) {
        ERR_clear_error();
        int n = SSL_read(raw->ssl, to + len, (int)(room - len));
        if (n > 0)
            len += (size_t)n;
        else
            ck_assert_msg(records_pump(raw), "the response ends after %zu bytes", len);
        const char *end = memmem(to, len, "\r\n\r\n", 4);
        if (end && (size_t)(to + len - end) >= 4 + body)
            return len;
    }
}

void records_close(struct raw_tls *raw)
{
    SSL_free(raw->ssl);
    close(raw->fd);
}
