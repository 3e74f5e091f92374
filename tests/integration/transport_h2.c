/* transport_h2.c - the transports that translate: what a test sends as HTTP/1 becomes the frames of a
 * stream, one request after another, and the answer becomes HTTP/1 again. So a suite that says
 * nothing of either runs over HTTP/2 as it stands.
 *
 * An answer without content-length is chunked. A stream that the server resets ends the connection
 * as the test sees it, and so does the answer to a request with `Connection: close`, or after
 * GOAWAY. The server's bytes are read as the test reads: its windows are given back no sooner. */
#include "transport_h2.h"
#include "h2_client.h"
#include "h2_peer.h"
#include "harness.h"
#include "transport_tls.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum body { NONE, LENGTH, CHUNK_HEAD, CHUNK, CHUNK_END };

struct carried {
    struct channel below;
    struct h2 h;
    struct h2_bytes in;  /* HTTP/1 from the test */
    struct h2_bytes out; /* HTTP/1 for the test */
    size_t out_at;       /* read so far */
    bool begun;          /* the preface went */
    bool eof;            /* for the test, after what is in `out` */

    uint32_t stream; /* whose answer is awaited; 0: none */
    uint32_t next;
    enum body body; /* of the request: what comes next in `in` */
    size_t left;    /* of LENGTH or CHUNK */
    bool is_last;   /* Connection: close, or HTTP/1.0 without keep-alive */
    bool head_told, chunked;
    unsigned interim_told;
};

static void drop_front(struct h2_bytes *b, size_t len)
{
    b->len -= len;
    memmove(b->at, b->at + len, b->len);
    b->at[b->len] = '\0';
}

/* ---- a request ---- */

/* Value of a field among the lines of a head; "" where it is absent. */
static const char *field_of(const char *lines, const char *name, size_t *len)
{
    for (const char *line = lines; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
        if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            line += strlen(name) + 1;
            line += strspn(line, " \t");
            *len = strcspn(line, "\r\n");
            return line;
        }
    }
    *len = 0;
    return "";
}

static bool says(const char *lines, const char *name, const char *token)
{
    size_t len;
    const char *value = field_of(lines, name, &len);
    return len >= strlen(token) && strncasecmp(value, token, strlen(token)) == 0;
}

/* What is of the connection between a client and the next server, or becomes a pseudo-header field. */
static bool is_left_out(const char *line)
{
    static const char *const names[] = {
        "Host:", "Connection:", "Keep-Alive:", "Transfer-Encoding:", "Upgrade:", "Proxy-Connection:", "TE:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static void put_text(struct h2_bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_text(struct h2_bytes *b, const char *format, ...)
{
    char *text;
    va_list ap;
    va_start(ap, format);
    int len = vasprintf(&text, format, ap);
    va_end(ap);
    ck_assert_int_ge(len, 0);
    h2_put(b, text, (size_t)len);
    free(text);
}

/* The target: origin-form, or absolute-form, which says the authority. */
static void put_target(struct h2_bytes *fields, const char *scheme, const char *target, const char *lines)
{
    size_t len;
    const char *authority = field_of(lines, "Host", &len);
    const char *absolute = *target != '/' ? strstr(target, "://") : NULL;
    if (absolute) {
        authority = absolute + 3;
        len = strcspn(authority, "/?");
        put_text(fields, ":scheme: %.*s\n", (int)(absolute - target), target);
        target = authority + len;
    } else {
        put_text(fields, ":scheme: %s\n", scheme);
    }
    if (len > 0)
        put_text(fields, ":authority: %.*s\n", (int)len, authority);
    put_text(fields, ":path: %s%s\n", *target == '/' || *target == '*' ? "" : "/", target);
}

static void begin_body(struct carried *c, const char *lines)
{
    size_t len;
    const char *length = field_of(lines, "Content-Length", &len);
    c->left = len > 0 ? strtoul(length, NULL, 10) : 0;
    c->body = c->left > 0 ? LENGTH : NONE;
    if (says(lines, "Transfer-Encoding", "chunked"))
        c->body = CHUNK_HEAD;
}

static void begin_request(struct carried *c, char *line)
{
    struct h2_bytes fields = {0};
    char *lines = line + strcspn(line, "\n") + 1, method[64], *target = malloc(strlen(line) + 1);
    int minor = -1;
    bool good = sscanf(line, "%63[^ ] %[^ ] HTTP/1.%d", method, target, &minor) == 3;
    ck_assert_msg(good, "no request that could be carried over HTTP/2: \"%.60s\"", line);
    put_text(&fields, ":method: %s\n", method);
    put_target(&fields, c->below.transport->scheme, target, lines);
    for (char *l = lines; *l && *l != '\r' && *l != '\n'; l += strcspn(l, "\n") + 1) {
        ck_assert_msg(*l != ' ' && *l != '\t', "no field that could be carried over HTTP/2: \"%.60s\"", l);
        if (!is_left_out(l))
            put_text(&fields, "%.*s\n", (int)strcspn(l, "\r\n"), l);
    }
    begin_body(c, lines);
    c->is_last = minor == 0 ? !says(lines, "Connection", "keep-alive") : says(lines, "Connection", "close");
    c->stream = c->next;
    c->next += 2;
    c->head_told = false;
    c->interim_told = 0;
    if (!c->begun) {
        h2_put(&c->h.out, h2_preface, H2_PREFACE);
        h2_setting(&c->h, H2_INITIAL_WINDOW, 1 << 18);
        h2_window_update(&c->h, 0, 1 << 20);
        c->begun = true;
    }
    h2_request_of(&c->h, c->stream, c->body == NONE, fields.at);
    free(fields.at);
    free(target);
}

static bool take_head(struct carried *c)
{
    char *end = c->in.len ? memmem(c->in.at, c->in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    size_t len = (size_t)(end - c->in.at) + 4;
    char *head = strndup(c->in.at, len - 2);
    drop_front(&c->in, len);
    begin_request(c, head + strspn(head, "\r\n"));
    free(head);
    return true;
}

/* ---- a request's body ---- */

/* The stream, while it takes DATA; NULL: what comes is thrown away, since nobody wants it. */
static struct h2_stream *taker(struct carried *c)
{
    struct h2_stream *s = h2_stream(&c->h, c->stream ? c->stream : c->next - 2);
    return s && !s->ended && !s->reset ? s : NULL;
}

/* A part of LENGTH or CHUNK. False: nothing more can go now. */
static bool take_bytes(struct carried *c)
{
    struct h2_stream *s = taker(c);
    size_t n = c->left < c->in.len ? c->left : c->in.len;
    if (s) {
        int64_t room = s->room < c->h.room ? s->room : c->h.room;
        n = (int64_t)n > room ? (size_t)(room > 0 ? room : 0) : n;
        n = n > 16384 ? 16384 : n;
    }
    if (n == 0)
        return false;
    bool ends = c->body == LENGTH && n == c->left;
    if (s)
        h2_frame(&c->h, H2_DATA, ends ? H2_END_STREAM : 0, s->id, c->in.at, n);
    drop_front(&c->in, n);
    c->left -= n;
    if (c->left == 0)
        c->body = ends ? NONE : CHUNK_END;
    return true;
}

static bool take_chunk_head(struct carried *c)
{
    char *end = c->in.len ? memmem(c->in.at, c->in.len, "\r\n", 2) : NULL, *digits;
    if (!end)
        return false;
    c->left = strtoul(c->in.at, &digits, 16);
    ck_assert_msg(digits > c->in.at, "no chunk: \"%.20s\"", c->in.at);
    if (c->left > 0) {
        c->body = CHUNK;
    } else { /* and trailers, which are left out */
        end = memmem(c->in.at, c->in.len, "\r\n\r\n", 4);
        if (!end)
            return false;
        end += 2;
        c->body = NONE;
        if (taker(c))
            h2_frame(&c->h, H2_DATA, H2_END_STREAM, taker(c)->id, "", 0);
    }
    drop_front(&c->in, (size_t)(end + 2 - c->in.at));
    return true;
}

static bool take_chunk_end(struct carried *c)
{
    if (c->in.len < 2)
        return false;
    drop_front(&c->in, 2);
    c->body = CHUNK_HEAD;
    return true;
}

/* All that can go of what the test has sent. */
static void take_requests(struct carried *c)
{
    for (bool goes_on = true; goes_on && !c->eof;) {
        if (c->body == LENGTH || c->body == CHUNK)
            goes_on = take_bytes(c);
        else if (c->body == CHUNK_HEAD)
            goes_on = take_chunk_head(c);
        else if (c->body == CHUNK_END)
            goes_on = take_chunk_end(c);
        else
            goes_on = c->stream == 0 && take_head(c);
    }
}

/* ---- an answer ---- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{100, "Continue"},
                   {200, "OK"},
                   {204, "No Content"},
                   {206, "Partial Content"},
                   {301, "Moved Permanently"},
                   {302, "Moved Temporarily"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Not Allowed"},
                   {412, "Precondition Failed"},
                   {416, "Requested Range Not Satisfiable"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Status";
}

/* As HTTP/1 writes it: Content-Type. */
static void put_name(struct h2_bytes *out, const char *name, size_t len)
{
    static const char *const others[] = {"ETag", "WWW-Authenticate", "Content-MD5"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strlen(others[i]) == len && strncasecmp(others[i], name, len) == 0) {
            h2_put(out, others[i], len);
            return;
        }
    }
    for (size_t i = 0; i < len; i++)
        h2_put(out, &(char){(char)(i == 0 || name[i - 1] == '-' ? toupper(name[i]) : name[i])}, 1);
}

static void tell_head(struct carried *c, const struct h2_stream *s)
{
    put_text(&c->out, "HTTP/1.1 %d %s\r\n", s->status, reason_of(s->status));
    for (const char *line = s->head; *line; line = strchr(line, '\n') + 1) {
        size_t name = strcspn(line, ":");
        if (*line == ':')
            continue;
        put_name(&c->out, line, name);
        put_text(&c->out, "%.*s\r\n", (int)strcspn(line + name, "\n"), line + name);
    }
    c->is_last = c->is_last || c->h.goaways > 0;
    bool has_body = !s->no_body && s->status != 204 && s->status != 304;
    c->chunked = has_body && !h2_field(s->head, "content-length");
    put_text(&c->out, "%sConnection: %s\r\n\r\n", c->chunked ? "Transfer-Encoding: chunked\r\n" : "",
             c->is_last ? "close" : "keep-alive");
    c->head_told = true;
}

static void tell_heads(struct carried *c, const struct h2_stream *s)
{
    for (; c->interim_told < s->interim; c->interim_told++)
        put_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    if (s->status && !c->head_told)
        tell_head(c, s);
}

static void on_data(struct h2 *h, struct h2_stream *s, const char *bytes, size_t len)
{
    struct carried *c = (struct carried *)((char *)h - offsetof(struct carried, h));
    if (s->id != c->stream || len == 0)
        return;
    tell_heads(c, s);
    if (c->chunked)
        put_text(&c->out, "%zx\r\n", len);
    h2_put(&c->out, bytes, len);
    if (c->chunked)
        h2_put(&c->out, "\r\n", 2);
}

/* After frames were read. */
static void tell(struct carried *c)
{
    struct h2_stream *s = c->stream ? h2_stream(&c->h, c->stream) : NULL;
    if (!s)
        return;
    tell_heads(c, s);
    if (s->ended && c->chunked && c->head_told)
        put_text(&c->out, "0\r\n\r\n");
    if (s->ended || s->reset) {
        c->eof = c->eof || !s->ended || c->is_last;
        c->stream = 0;
    }
}

/* ---- the channel ---- */

/* What waits goes out. False: an error. */
static bool flush(struct carried *c)
{
    while (c->h.out.len > 0) {
        ssize_t n = c->below.transport->send(&c->below, c->h.out.at, c->h.out.len, false);
        if (n < 0)
            return errno == EAGAIN;
        drop_front(&c->h.out, (size_t)n);
    }
    return true;
}

/* Reads frames once. As receive. */
static ssize_t read_frames(struct carried *c, bool wait)
{
    static char bytes[65536];
    ssize_t n = c->below.transport->receive(&c->below, bytes, sizeof bytes, wait);
    if (n > 0) {
        h2_feed(&c->h, bytes, (size_t)n);
        tell(c);
        take_requests(c);
        flush(c);
    }
    return n;
}

static ssize_t h2_channel_send(struct channel *ch, const void *bytes, size_t len, bool wait)
{
    enum { HELD_MOST = 1 << 16 };
    struct carried *c = ch->session;
    while (c->in.len + c->h.out.len > HELD_MOST) {
        bool shown = c->below.transport->has_pending(&c->below);
        struct pollfd p = {.fd = ch->fd, .events = (short)(POLLIN | (c->h.out.len ? POLLOUT : 0))};
        if (!shown && poll(&p, 1, wait ? -1 : 20) == 0)
            return errno = EAGAIN, -1;
        ssize_t n = read_frames(c, false);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return errno = n == 0 ? EPIPE : errno, -1;
        if (!flush(c))
            return -1;
    }
    h2_put(&c->in, bytes, len);
    take_requests(c);
    return flush(c) ? (ssize_t)len : -1;
}

static ssize_t h2_channel_receive(struct channel *ch, void *bytes, size_t len, bool wait)
{
    struct carried *c = ch->session;
    while (c->out_at == c->out.len) {
        if (c->eof)
            return 0;
        take_requests(c);
        flush(c);
        ssize_t n = read_frames(c, wait);
        if (n <= 0 && c->out_at == c->out.len)
            return n;
    }
    size_t n = c->out.len - c->out_at < len ? c->out.len - c->out_at : len;
    memcpy(bytes, c->out.at + c->out_at, n);
    c->out_at += n;
    if (c->out_at == c->out.len)
        c->out_at = c->out.len = 0;
    return (ssize_t)n;
}

static bool h2_channel_has_pending(const struct channel *ch)
{
    const struct carried *c = ch->session;
    return c->out_at < c->out.len || c->eof || c->below.transport->has_pending(&c->below);
}

static int h2_channel_end_sending(struct channel *ch)
{
    struct carried *c = ch->session;
    flush(c);
    return c->below.transport->end_sending(&c->below);
}

static void forget(struct channel *ch)
{
    struct carried *c = ch->session;
    h2_fini(&c->h);
    free(c->in.at);
    free(c->out.at);
    free(c);
    *ch = (struct channel){.transport = ch->transport, .fd = -1};
}

static void h2_channel_reset(struct channel *ch)
{
    struct carried *c = ch->session;
    c->below.transport->reset(&c->below);
    forget(ch);
}

static void h2_channel_close(struct channel *ch)
{
    struct carried *c = ch->session;
    c->below.transport->close(&c->below);
    forget(ch);
}

static struct channel carry(const struct site_transport *transport, struct channel below)
{
    struct carried *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    *c = (struct carried){.below = below, .next = 1};
    h2_init(&c->h);
    c->h.on_data = on_data;
    return (struct channel){.transport = transport, .fd = below.fd, .session = c};
}

static int connect_plain(struct channel *ch, int port, int rcvbuf)
{
    struct channel below;
    if (transport_plain()->connect(&below, port, rcvbuf) < 0)
        return -1;
    below.transport = transport_plain();
    *ch = carry(transport_h2(), below);
    return 0;
}

static int connect_tls(struct channel *ch, int port, int rcvbuf)
{
    struct channel below;
    if (transport_tls()->connect(&below, port, rcvbuf) < 0)
        return -1;
    channel_offer(&below, "\002h2");
    *ch = carry(transport_h2_tls(), below);
    return 0;
}

#define CARRIED                                                                                                        \
    .peer = "127.0.0.1", .is_tcp = true, .is_http2 = true, .address = channel_tcp_address, .send = h2_channel_send,    \
    .receive = h2_channel_receive, .has_pending = h2_channel_has_pending, .end_sending = h2_channel_end_sending,       \
    .reset = h2_channel_reset, .close = h2_channel_close

static const struct site_transport over_h2 = {
    .name = "h2", .scheme = "http", .option = " http2", .connect = connect_plain, CARRIED};

const struct site_transport *transport_h2(void)
{
    return &over_h2;
}

const struct site_transport *transport_h2_tls(void)
{
    static struct site_transport over_h2_tls = {
        .name = "h2-tls", .scheme = "https", .option = " ssl http2", .connect = connect_tls, CARRIED};
    if (!transport_tls())
        return NULL;
    over_h2_tls.preamble = transport_tls()->preamble;
    return &over_h2_tls;
}

struct channel channel_of_h2(struct channel below)
{
    return carry(site_transport(), below);
}

/* ---- clients that speak HTTP/2 themselves ---- */

void client_open_h2_tls(struct site_client *c, int port)
{
    client_open_tls(c, port, 0);
    channel_offer(&c->channel, "\002h2");
}

void client_open_h2(struct site_client *c, int port)
{
    const struct site_transport *t = site_transport();
    if (t == transport_tls() || t == transport_h2_tls()) {
        client_open_h2_tls(c, port);
        return;
    }
    t = t == transport_h2() ? transport_plain() : t;
    *c = (struct site_client){.channel = {.transport = t}};
    if (t->connect(&c->channel, port, 0) < 0)
        ck_abort_msg("connect to port %d: %s", port, strerror(errno));
}
