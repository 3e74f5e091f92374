/* h2_floor.c - what a request over HTTP/2 costs when nothing is done for it: an epoll loop and
 * nghttp2, which answer every request of a client with a canned response, by prior knowledge or over
 * TLS. Frames are gathered, and so are records.
 *
 * usage: h2-floor PORT FILE [CERTIFICATE KEY] */
#include "gather.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A full frame is one record: PAYLOAD and the 9 bytes of its head. */
enum { CONNECTIONS = 65536, EVENTS = 512, HEAD = 9, PAYLOAD = RECORD - HEAD, FRAMES = 4 * RECORD };

static struct {
    char *bytes;
    size_t len;
    char length[24]; /* as a field */
} body;

static struct connection {
    nghttp2_session *session;
    SSL *ssl; /* NULL: plain */
    struct gathered out;
    struct {
        char *bytes;
        size_t len, sent;
    } frames; /* what nghttp2 gave, not yet encrypted or sent */
} connections[CONNECTIONS];

static nghttp2_session_callbacks *callbacks;
static SSL_CTX *context;
static BIO_METHOD *way_out;

static void die(const char *what)
{
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- responses ---- */

static ssize_t ready(nghttp2_session *s, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                     nghttp2_data_source *source, void *user)
{
    size_t left = body.len - (size_t)source->fd;
    size_t n = room < left ? room : left;

    (void)s, (void)id, (void)to, (void)user;
    if (n > PAYLOAD)
        n = PAYLOAD;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY | (n == left ? NGHTTP2_DATA_FLAG_EOF : 0);
    return (ssize_t)n;
}

static int send_data(nghttp2_session *s, nghttp2_frame *frame, const uint8_t *head, size_t length,
                     nghttp2_data_source *source, void *user)
{
    struct connection *c = user;
    char *to = c->frames.bytes + c->frames.len;

    (void)s, (void)frame;
    if (c->frames.len + HEAD + length > FRAMES)
        return NGHTTP2_ERR_WOULDBLOCK;
    memcpy(to, head, HEAD);
    memcpy(to + HEAD, body.bytes + source->fd, length);
    c->frames.len += HEAD + length;
    source->fd += (int)length;
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
#define FIELD(n, v, l)                                                                                                 \
    {(uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, (l), NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE}
    nghttp2_nv fields[] = {FIELD(":status", "200", 3), FIELD("server", "floor", 5),
                           FIELD("content-type", "application/octet-stream", 24),
                           FIELD("content-length", body.length, strlen(body.length))};
    nghttp2_data_provider provider = {.source.fd = 0, .read_callback = ready};

    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    return nghttp2_submit_response(s, frame->hd.stream_id, fields, sizeof fields / sizeof *fields, &provider);
}

static void prepare(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f || fseek(f, 0, SEEK_END) < 0)
        die(path);
    body.len = (size_t)ftell(f);
    rewind(f);
    body.bytes = malloc(body.len);
    if (!body.bytes || fread(body.bytes, 1, body.len, f) != body.len)
        die(path);
    fclose(f);
    snprintf(body.length, sizeof body.length, "%zu", body.len);
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        die("nghttp2");
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
}

/* ---- the way out ---- */

/* True: all is with the kernel (or the connection is over, which its next read tells). */
static bool pass_on(struct connection *c)
{
    while (c->frames.sent < c->frames.len) {
        const char *from = c->frames.bytes + c->frames.sent;
        size_t left = c->frames.len - c->frames.sent;
        ssize_t n;
        if (c->ssl) {
            ERR_clear_error();
            n = SSL_write(c->ssl, from, (int)(left < RECORD ? left : RECORD));
        } else {
            n = send(c->out.fd, from, left, MSG_NOSIGNAL);
        }
        if (n <= 0) {
            if (c->ssl)
                send_gathered(&c->out); /* of the handshake, perhaps */
            return false;
        }
        c->frames.sent += (size_t)n;
    }
    c->frames.len = c->frames.sent = 0;
    return !c->ssl || send_gathered(&c->out);
}

static bool answer(struct connection *c)
{
    const uint8_t *bytes;
    ssize_t n;

    if (!c->frames.bytes)
        c->frames.bytes = take_buffer();
    do {
        if (c->frames.sent && !pass_on(c))
            return true;
        while ((n = nghttp2_session_mem_send(c->session, &bytes)) > 0) {
            if (c->frames.len + (size_t)n > FRAMES)
                die("no room for a frame");
            memcpy(c->frames.bytes + c->frames.len, bytes, (size_t)n);
            c->frames.len += (size_t)n;
            if (c->frames.len > FRAMES - RECORD)
                break; /* a response's head may follow */
        }
        if (n < 0)
            return false;
        if (!c->frames.len)
            break;
        if (!pass_on(c))
            return true;
    } while (nghttp2_session_want_write(c->session));
    if (!c->frames.len && !c->frames.sent) {
        struct gathered held = {.bytes = c->frames.bytes};
        give_buffer(&held);
        c->frames.bytes = NULL;
    }
    return nghttp2_session_want_read(c->session) || nghttp2_session_want_write(c->session);
}

/* The handshake, too, is made by reading. */
static bool take(struct connection *c)
{
    static uint8_t in[4 * RECORD];

    for (;;) {
        ERR_clear_error();
        ssize_t n = c->ssl ? SSL_read(c->ssl, in, sizeof in) : recv(c->out.fd, in, sizeof in, 0);
        if (n <= 0)
            return c->ssl ? SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN;
        if (nghttp2_session_mem_recv(c->session, in, (size_t)n) < 0)
            return false;
        if (!c->ssl && (size_t)n < sizeof in)
            return true;
    }
}

/* ---- connections ---- */

static void end(struct connection *c)
{
    struct gathered held = {.bytes = c->frames.bytes};

    give_buffer(&held);
    c->frames.bytes = NULL;
    nghttp2_session_del(c->session);
    SSL_free(c->ssl);
    give_buffer(&c->out);
    close(c->out.fd);
}

static void begin(struct connection *c, int fd)
{
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128}};

    *c = (struct connection){.out.fd = fd};
    if (nghttp2_session_server_new(&c->session, callbacks, c) != 0 ||
        nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 1) != 0)
        die("nghttp2");
    if (!context)
        return;
    BIO *in = BIO_new_socket(fd, BIO_NOCLOSE), *out = BIO_new(way_out);
    c->ssl = SSL_new(context);
    if (!c->ssl || !in || !out)
        die("SSL_new");
    BIO_set_data(out, &c->out);
    BIO_set_init(out, 1);
    SSL_set_bio(c->ssl, in, out);
    SSL_set_accept_state(c->ssl);
}

static void accept_all(int listener, int epoll)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        begin(&connections[fd], fd);
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static int choose(SSL *ssl, const uint8_t **out, uint8_t *len, const uint8_t *in, unsigned in_len, void *user)
{
    (void)ssl, (void)user;
    return SSL_select_next_proto((uint8_t **)(uintptr_t)out, len, (const uint8_t *)"\x02h2", 3, in, in_len) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void prepare_tls(const char *certificate, const char *key)
{
    context = SSL_CTX_new(TLS_server_method());
    way_out = gathers();
    if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        die("TLS context");
    SSL_CTX_set_alpn_select_cb(context, choose, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        fputs("usage: h2-floor PORT FILE [CERTIFICATE KEY]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prepare(argv[2]);
    if (argc == 5)
        prepare_tls(argv[3], argv[4]);
    int listener = listen_on(atoi(argv[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], accepts = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepts);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = &connections[events[i].data.fd];
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else if (!(((events[i].events & EPOLLIN) ? take(c) : true) && answer(c)))
                end(c);
        }
    }
}
