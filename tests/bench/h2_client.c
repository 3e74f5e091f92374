/* h2_client.c - an HTTP/2 client for what h2load cannot tell (`make bench BENCH=h2`). SCHEME: http, by
 * prior knowledge, or https.
 *
 * usage: h2-client drain SCHEME BYTES PORT PATH
 *          fetches a body of BYTES with windows that never close, and throws away what comes as it is,
 *          undecoded and undecrypted (MSG_TRUNC). Prints the bytes and the seconds until the last one.
 *        h2-client idle SCHEME PORT PATH COUNT
 *          fetches once on each of COUNT connections, and holds them until standard input ends. Prints
 *          how many are held.
 *        h2-client stalled SCHEME PORT PATH COUNT
 *          one connection, COUNT streams whose heads have come and whose windows have closed after 500 bytes, held alike. */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, HEAD = 9, FRAME = 16384, QUIET_MS = 300, WINDOW = 0x7fffffff, STALLED_AT = 500 };
enum { DATA = 0, HEADERS = 1, SETTINGS = 4, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };

static SSL_CTX *context;

static void die(const char *what)
{
    fprintf(stderr, "h2-client: %s: %s\n", what, errno ? strerror(errno) : "failed");
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* ---- a connection ---- */

struct peer {
    int fd;
    SSL *ssl; /* NULL: plain */
};

static void put(const struct peer *p, const uint8_t *bytes, size_t len)
{
    ssize_t n = p->ssl ? SSL_write(p->ssl, bytes, (int)len) : send(p->fd, bytes, len, MSG_NOSIGNAL);
    if (n != (ssize_t)len)
        die("write");
}

static void get(const struct peer *p, uint8_t *to, size_t len)
{
    while (len > 0) {
        ssize_t n = p->ssl ? SSL_read(p->ssl, to, (int)len) : recv(p->fd, to, len, 0);
        if (n <= 0)
            die("read");
        to += n;
        len -= (size_t)n;
    }
}

static struct peer dial_peer(bool tls, int port, int number)
{
    struct peer p = {.fd = dial(port, number)};

    setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (tls && (!(p.ssl = SSL_new(context)) || SSL_set_fd(p.ssl, p.fd) != 1 || SSL_connect(p.ssl) != 1))
        die("handshake");
    return p;
}

/* ---- frames (RFC 9113, 4.1) ---- */

static size_t frame(uint8_t *to, int type, int flags, uint32_t stream, const void *payload, size_t len)
{
    const uint8_t head[HEAD] = {(uint8_t)(len >> 16),    (uint8_t)(len >> 8),    (uint8_t)len,
                                (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
                                (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    memcpy(to, head, HEAD);
    if (payload)
        memcpy(to + HEAD, payload, len);
    return HEAD + len;
}

/* A string literal without Huffman code (RFC 7541, 5.2); len below 127. */
static size_t literal(uint8_t *to, const char *text)
{
    size_t len = strlen(text);
    to[0] = (uint8_t)len;
    memcpy(to + 1, text, len);
    return 1 + len;
}

static void ask(const struct peer *p, uint32_t stream, const char *path)
{
    uint8_t block[256], out[512];
    size_t len = 0;

    if (strlen(path) > 120)
        die(path);
    block[len++] = 0x82;                 /* :method: GET */
    block[len++] = p->ssl ? 0x87 : 0x86; /* :scheme */
    block[len++] = 0x04;                 /* :path, not indexed */
    len += literal(block + len, path);
    block[len++] = 0x01; /* :authority, not indexed */
    len += literal(block + len, "bench");
    put(p, out, frame(out, HEADERS, END_STREAM | END_HEADERS, stream, block, len));
}

/* The preface with the windows that are wanted; returns when the server's settings are there. */
static void greet(const struct peer *p, uint32_t window)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const uint8_t initial[] = {
        0, 4, (uint8_t)(window >> 24), (uint8_t)(window >> 16), (uint8_t)(window >> 8), (uint8_t)window};
    const uint32_t more = htonl(WINDOW - 65535);
    uint8_t out[128], head[HEAD], payload[FRAME];
    size_t len = sizeof preface - 1;

    memcpy(out, preface, len);
    len += frame(out + len, SETTINGS, 0, 0, initial, sizeof initial);
    len += frame(out + len, WINDOW_UPDATE, 0, 0, &more, sizeof more);
    put(p, out, len);
    get(p, head, HEAD);
    len = (size_t)head[1] << 8 | head[2];
    if (head[3] != SETTINGS || head[0] || len > FRAME)
        die("no settings");
    get(p, payload, len);
    put(p, out, frame(out, SETTINGS, ACK, 0, NULL, 0));
}

/* Reads frames until so many of `type` have come, with END_STREAM, if that is asked. */
static void await(const struct peer *p, int type, bool end, int count)
{
    uint8_t head[HEAD], payload[FRAME];

    while (count > 0) {
        get(p, head, HEAD);
        size_t len = (size_t)head[1] << 8 | head[2];
        errno = 0;
        if (head[0] || len > FRAME || head[3] == GOAWAY)
            die("an answer");
        get(p, payload, len);
        count -= head[3] == type && (!end || (head[4] & END_STREAM));
    }
}

/* ---- what is asked ---- */

static int drain(const struct peer *p, const char *path, uint64_t bytes)
{
    double started = now(), last = started;
    uint64_t have = 0;

    greet(p, WINDOW);
    ask(p, 1, path);
    await(p, HEADERS, false, 1);
    for (;;) {
        struct pollfd poll_for = {.fd = p->fd, .events = POLLIN};
        if (have >= bytes && poll(&poll_for, 1, QUIET_MS) == 0)
            break;
        ssize_t n = recv(p->fd, NULL, PIECE, MSG_TRUNC);
        if (n <= 0) {
            if (have >= bytes)
                break;
            die(path);
        }
        have += (uint64_t)n;
        last = now();
    }
    printf("%ju %.6f\n", (uintmax_t)bytes, last - started);
    return 0;
}

static void hold(int count)
{
    printf("%d\n", count);
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

static int idle(bool tls, int port, const char *path, int count)
{
    for (int i = 0; i < count; i++) {
        struct peer p = dial_peer(tls, port, i);
        greet(&p, 65535);
        ask(&p, 1, path);
        await(&p, DATA, true, 1);
        if (p.ssl) {
            SSL_set_quiet_shutdown(p.ssl, 1);
            SSL_free(p.ssl); /* the socket stays */
        }
    }
    hold(count);
    return 0;
}

/* In the middle: a server that has read more than it may send is seen. */
static int stalled(const struct peer *p, const char *path, int count)
{
    greet(p, STALLED_AT);
    for (int i = 0; i < count; i++)
        ask(p, (uint32_t)(2 * i + 1), path);
    await(p, HEADERS, false, count);
    hold(count);
    return 0;
}

static int usage(void)
{
    fputs("usage: h2-client drain SCHEME BYTES PORT PATH\n"
          "       h2-client idle SCHEME PORT PATH COUNT\n"
          "       h2-client stalled SCHEME PORT PATH COUNT\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return usage();
    const char *what = argv[1];
    bool tls = strcmp(argv[2], "https") == 0, drains = strcmp(what, "drain") == 0;
    const char *path = argv[drains ? 5 : 4], *number = argv[drains ? 3 : 5];
    int port = atoi(argv[drains ? 4 : 3]);

    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
        SSL_CTX_set_alpn_protos(context, (const uint8_t *)"\x02h2", 3) != 0)
        die("TLS context");
    if (strcmp(what, "idle") == 0)
        return idle(tls, port, path, atoi(number));
    struct peer p = dial_peer(tls, port, 0);
    if (drains)
        return drain(&p, path, strtoull(number, NULL, 10));
    return strcmp(what, "stalled") == 0 ? stalled(&p, path, atoi(number)) : usage();
}
