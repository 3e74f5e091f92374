/* tls_client.c - a TLS 1.3 client for what wrk cannot tell (`make bench BENCH=tls`).
 *
 * usage: tls-client handshakes PORT PATH CONNECTIONS SECONDS [resume]
 *          one request for each handshake; resume: all but the first of each connection must resume.
 *          Prints the handshakes and the seconds.
 *        tls-client drain PORT PATH...
 *          fetches the paths at once and throws the records away as they are, undecrypted (MSG_TRUNC),
 *          so that the client costs as little as it can. Prints the bytes of the bodies and the seconds.
 *        tls-client idle PORT PATH COUNT
 *          fetches once on each connection, and holds all of them until standard input ends. Prints
 *          how many are held. */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS = 64, THREADS = 1024, PIECE = 1 << 20 };

static SSL_CTX *context;

static void die(const char *what)
{
    fprintf(stderr, "tls-client: %s: %s\n", what, errno ? strerror(errno) : "failed");
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* A connection whose handshake is done, and which has asked for `path`. */
static SSL *ask(int fd, SSL_SESSION *session, const char *path, bool last)
{
    char text[4096];
    SSL *ssl = SSL_new(context);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (session && SSL_set_session(ssl, session) != 1))
        die("SSL_new");
    if (SSL_connect(ssl) != 1)
        die("handshake");
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", path,
                       last ? "Connection: close\r\n" : "");
    if (SSL_write(ssl, text, len) != len)
        die("write");
    return ssl;
}

/* The head, and what comes with it of the body: that many bytes; into *whole the length of the body. */
static size_t read_head(SSL *ssl, const char *path, size_t *whole)
{
    char text[65536];
    size_t have = 0;

    for (;;) {
        int n = SSL_read(ssl, text + have, (int)(sizeof text - 1 - have));
        if (n <= 0)
            die(path);
        have += (size_t)n;
        text[have] = '\0';
        char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\ncontent-length: ");
        if (!end)
            continue;
        if (!length || strncmp(text, "HTTP/1.1 200 ", 13) != 0) {
            fprintf(stderr, "tls-client: %s: %.40s\n", path, text);
            exit(1);
        }
        *whole = strtoull(length + 18, NULL, 10);
        return (size_t)(text + have - (end + 4));
    }
}

static void read_response(SSL *ssl, const char *path)
{
    char text[65536];
    size_t whole, have = read_head(ssl, path, &whole);

    while (have < whole) {
        int n = SSL_read(ssl, text, sizeof text);
        if (n <= 0)
            die(path);
        have += (size_t)n;
    }
}

/* ---- handshakes ---- */

static struct {
    int port;
    const char *path;
    double until;
    bool resume;
} task;

static SSL_SESSION *resumable(SSL *ssl)
{
    SSL_SESSION *session = SSL_get1_session(ssl);

    if (session && SSL_SESSION_is_resumable(session))
        return session;
    errno = 0;
    die("no ticket");
    return NULL;
}

static void *shake(void *arg)
{
    uint64_t *count = arg;
    SSL_SESSION *session = NULL;

    while (now() < task.until) {
        int fd = dial(task.port, 0);
        SSL *ssl = ask(fd, session, task.path, true);
        char rest[64];
        read_response(ssl, task.path);
        while (SSL_read(ssl, rest, sizeof rest) > 0)
            ;
        if (session && !SSL_session_reused(ssl)) {
            errno = 0;
            die("not resumed");
        }
        if (task.resume) {
            SSL_SESSION_free(session);
            session = resumable(ssl);
        }
        SSL_shutdown(ssl);
        SSL_free(ssl);
        close(fd);
        ++*count;
    }
    SSL_SESSION_free(session);
    return NULL;
}

static int handshakes(int count, char **words)
{
    static pthread_t threads[THREADS];
    static uint64_t done[THREADS];
    int connections = count > 3 ? atoi(words[2]) : 0;
    uint64_t sum = 0;

    if (connections < 1 || connections > THREADS || (count == 5 && strcmp(words[4], "resume") != 0) || count > 5)
        return 2;
    double started = now();
    task.port = atoi(words[0]);
    task.path = words[1];
    task.until = started + atof(words[3]);
    task.resume = count == 5;
    for (int i = 0; i < connections; i++)
        if (pthread_create(&threads[i], NULL, shake, &done[i]) != 0)
            die("pthread_create");
    for (int i = 0; i < connections; i++) {
        pthread_join(threads[i], NULL);
        sum += done[i];
    }
    printf("%ju %.6f\n", (uintmax_t)sum, now() - started);
    return 0;
}

/* ---- drain ---- */

struct stream {
    SSL *ssl;
    size_t have, whole; /* of the body; what came after the head is counted with its records' frames */
};

static int drain(int count, char **words)
{
    struct pollfd polls[STREAMS];
    struct stream streams[STREAMS];
    uint64_t bytes = 0;
    int port = count > 1 ? atoi(words[0]) : 0, n = count - 1, left = n;

    if (n < 1 || n > STREAMS)
        return 2;
    double started = now();
    for (int i = 0; i < n; i++) {
        int fd = dial(port, 0);
        streams[i].ssl = ask(fd, NULL, words[1 + i], true);
        polls[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    for (int i = 0; i < n; i++)
        streams[i].have = read_head(streams[i].ssl, words[1 + i], &streams[i].whole);
    while (left > 0) {
        if (poll(polls, (nfds_t)n, 1000) < 0)
            die("poll");
        for (int i = 0; i < n; i++) {
            if (polls[i].fd < 0 || !polls[i].revents)
                continue;
            ssize_t got = recv(polls[i].fd, NULL, PIECE, MSG_TRUNC);
            if (got < 0)
                die(words[1 + i]);
            streams[i].have += (size_t)got;
            if (got > 0)
                continue;
            errno = 0;
            if (streams[i].have < streams[i].whole)
                die(words[1 + i]);
            bytes += streams[i].whole;
            close(polls[i].fd);
            polls[i].fd = -1;
            left--;
        }
    }
    printf("%ju %.6f\n", (uintmax_t)bytes, now() - started);
    return 0;
}

/* ---- idle ---- */

static int idle(int count, char **words)
{
    int connections = count == 3 ? atoi(words[2]) : 0;

    if (connections < 1)
        return 2;
    for (int i = 0; i < connections; i++) {
        SSL *ssl = ask(dial(atoi(words[0]), i), NULL, words[1], false);
        read_response(ssl, words[1]);
        SSL_set_quiet_shutdown(ssl, 1);
        SSL_free(ssl); /* the socket stays */
    }
    printf("%d\n", connections);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int rc = 2;

    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
        die("TLS context");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (strcmp(what, "handshakes") == 0)
        rc = handshakes(argc - 2, argv + 2);
    else if (strcmp(what, "drain") == 0)
        rc = drain(argc - 2, argv + 2);
    else if (strcmp(what, "idle") == 0)
        rc = idle(argc - 2, argv + 2);
    if (rc == 2)
        fputs("usage: tls-client handshakes PORT PATH CONNECTIONS SECONDS [resume]\n"
              "       tls-client drain PORT PATH...\n"
              "       tls-client idle PORT PATH COUNT\n",
              stderr);
    return rc;
}
