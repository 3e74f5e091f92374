/* tls_floor.c - what a request over TLS costs when nothing is done for it: an epoll loop and OpenSSL,
 * which answer every record of a client with a canned response. Records are gathered: about four
 * leave with one write.
 *
 * usage: tls-floor PORT FILE CERTIFICATE KEY [BYTES]
 *   BYTES: so long is the body, FILE again and again; by default it is FILE once
 *
 * TLS 1.3, AES-128-GCM; resumption by tickets. A request that says `Connection: close` is the last. */
#include "gather.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 65536, EVENTS = 512 };

static struct {
    char *bytes; /* head and body */
    size_t len, head_len;
    size_t whole; /* of head and bodies */
} canned;

static struct connection {
    SSL *ssl;
    int fd;
    struct gathered out;
    size_t sent;   /* of head and bodies together */
    unsigned owed; /* requests that wait for their answer */
    bool closes;   /* after what is owed */
} connections[CONNECTIONS];

static void die(const char *what)
{
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- answers ---- */

static void prepare(const char *path, const char *bytes)
{
    char head[256];
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) < 0)
        die(path);
    size_t body = (size_t)ftell(f), all = bytes ? strtoull(bytes, NULL, 10) : body;
    rewind(f);
    canned.head_len = (size_t)snprintf(head, sizeof head,
                                       "HTTP/1.1 200 OK\r\nServer: floor\r\nContent-Type: application/octet-stream\r\n"
                                       "Content-Length: %zu\r\n\r\n",
                                       all);
    canned.len = canned.head_len + body;
    canned.whole = canned.head_len + all;
    canned.bytes = malloc(canned.len);
    if (!canned.bytes)
        die("malloc");
    memcpy(canned.bytes, head, canned.head_len);
    if (fread(canned.bytes + canned.head_len, 1, body, f) != body)
        die("read");
    fclose(f);
}

/* The next record; what is tried again has the same address and length. */
static int encrypt_some(struct connection *c)
{
    size_t body = canned.len - canned.head_len;
    size_t at = c->sent < canned.len ? c->sent : canned.head_len + (c->sent - canned.head_len) % body;
    size_t len = canned.len - at, left = canned.whole - c->sent;
    if (len > left)
        len = left;
    if (len > RECORD)
        len = RECORD;
    return SSL_write(c->ssl, canned.bytes + at, (int)len);
}

/* False: the connection is over. */
static bool answer(struct connection *c)
{
    while (c->owed) {
        ERR_clear_error();
        int n = encrypt_some(c);
        if (n <= 0)
            return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_WRITE;
        c->sent += (size_t)n;
        if (c->sent == canned.whole) {
            c->sent = 0;
            c->owed--;
        }
    }
    if (c->closes)
        SSL_shutdown(c->ssl);
    if (!send_gathered(&c->out))
        return errno == EAGAIN;
    return !c->closes;
}

/* The handshake, too, is made by reading. */
static bool take(struct connection *c)
{
    char in[RECORD];

    do {
        ERR_clear_error();
        int n = SSL_read(c->ssl, in, sizeof in - 1);
        if (n <= 0)
            return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
        in[n] = '\0';
        c->owed++;
        c->closes = strstr(in, "\r\nConnection: close\r\n") != NULL;
    } while (SSL_has_pending(c->ssl));
    return true;
}

/* ---- connections ---- */

static void end(struct connection *c)
{
    SSL_free(c->ssl);
    give_buffer(&c->out);
    close(c->fd);
    c->ssl = NULL;
}

static void begin(struct connection *c, int fd, SSL_CTX *context, const BIO_METHOD *way_out)
{
    BIO *in = BIO_new_socket(fd, BIO_NOCLOSE), *out = BIO_new(way_out);

    *c = (struct connection){.ssl = SSL_new(context), .fd = fd, .out.fd = fd};
    if (!c->ssl || !in || !out)
        die("SSL_new");
    BIO_set_data(out, &c->out);
    BIO_set_init(out, 1);
    SSL_set_bio(c->ssl, in, out);
    SSL_set_accept_state(c->ssl);
}

static void accept_all(int listener, int epoll, SSL_CTX *context, const BIO_METHOD *way_out)
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
        begin(&connections[fd], fd, context, way_out);
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static SSL_CTX *context_of(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        die("TLS context");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    return context;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        fputs("usage: tls-floor PORT FILE CERTIFICATE KEY [BYTES]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prepare(argv[2], argv[5]);
    SSL_CTX *context = context_of(argv[3], argv[4]);
    BIO_METHOD *way_out = gathers();
    int listener = listen_on(atoi(argv[1])), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[EVENTS], accepts = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepts);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = &connections[events[i].data.fd];
            if (events[i].data.fd == listener)
                accept_all(listener, epoll, context, way_out);
            else if (!(((events[i].events & EPOLLIN) ? take(c) : true) && answer(c)))
                end(c);
        }
    }
}
