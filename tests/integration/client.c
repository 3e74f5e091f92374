/* client.c - the harness's HTTP client: raw bytes out, responses in, everything with a deadline. */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PATIENCE = 10000 }; /* milliseconds without progress that end a test */

void client_open_sized(struct site_client *c, int port, int rcvbuf)
{
    *c = (struct site_client){.channel = {.transport = site_transport()}};
    if (site_transport()->connect(&c->channel, port, rcvbuf) < 0)
        ck_abort_msg("connect to port %d: %s", port, strerror(errno));
}

void client_open(struct site_client *c, int port)
{
    client_open_sized(c, port, 0);
}

void client_open_unix(struct site_client *c, const char *path)
{
    *c = (struct site_client){0};
    if (channel_connect_unix(&c->channel, path) < 0)
        ck_abort_msg("connect to %s: %s", path, strerror(errno));
}

void client_open_tcp(struct site_client *c, int fd)
{
    *c = (struct site_client){.channel = channel_of_tcp(fd)};
}

static void forget(struct site_client *c)
{
    free(c->in);
    *c = (struct site_client){.channel = {.fd = -1}};
}

void client_close(struct site_client *c)
{
    if (c->channel.fd >= 0)
        c->channel.transport->close(&c->channel);
    forget(c);
}

void client_reset(struct site_client *c)
{
    c->channel.transport->reset(&c->channel);
    forget(c);
}

void client_end_sending(struct site_client *c)
{
    int rc = c->channel.transport->end_sending(&c->channel);
    ck_assert_msg(rc == 0 || errno == ENOTCONN, "shutdown: %s", strerror(errno)); /* the server may have reset it */
}

ssize_t client_read(struct site_client *c, void *bytes, size_t len, bool wait)
{
    return c->channel.transport->receive(&c->channel, bytes, len, wait);
}

size_t client_send(struct site_client *c, const void *bytes, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        ssize_t n = c->channel.transport->send(&c->channel, (const char *)bytes + sent, len - sent, false);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno != EAGAIN)
            break;
        struct pollfd p = {.fd = c->channel.fd, .events = POLLOUT};
        if (poll(&p, 1, scaled(PATIENCE)) == 0)
            ck_abort_msg("the server does not take what is sent (%zu of %zu bytes)", sent, len);
    }
    return sent;
}

size_t client_say(struct site_client *c, const char *format, ...)
{
    char *text;
    va_list ap;
    va_start(ap, format);
    int len = vasprintf(&text, format, ap);
    va_end(ap);
    ck_assert_int_ge(len, 0);
    size_t sent = client_send(c, text, (size_t)len);
    free(text);
    return sent;
}

/* What comes first may be of the transport's own, and no bytes of the server's. */
static ssize_t read_within(struct site_client *c, int msec)
{
    int64_t end = now_msec() + msec, left = msec;
    for (;; left = end - now_msec()) {
        struct pollfd p = {.fd = c->channel.fd, .events = POLLIN};
        if (!c->channel.transport->has_pending(&c->channel) && poll(&p, 1, left > 0 ? (int)left : 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        ssize_t n = client_read(c, c->in + c->len, c->cap - c->len, false);
        if (n >= 0 || errno != EAGAIN)
            return n;
    }
}

static bool fill_within(struct site_client *c, int msec)
{
    if (c->eof)
        return false;
    if (c->cap - c->len < 65536) {
        c->cap = c->cap ? c->cap * 2 : 131072;
        c->in = realloc(c->in, c->cap);
        ck_assert_ptr_nonnull(c->in);
    }
    ssize_t n = read_within(c, msec);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n > 0) {
        c->len += (size_t)n;
        return true;
    }
    c->eof = true;
    c->error = n < 0 ? errno : 0;
    return false;
}

bool client_fill(struct site_client *c)
{
    if (fill_within(c, scaled(PATIENCE)))
        return true;
    if (!c->eof)
        ck_abort_msg("no answer within %d ms; so far: \"%.*s\"", scaled(PATIENCE), (int)(c->len < 400 ? c->len : 400),
                     c->in ? c->in : "");
    return false;
}

static void consume(struct site_client *c, size_t n)
{
    ck_assert_uint_le(n, c->len);
    c->len -= n;
    memmove(c->in, c->in + n, c->len);
}

static char *copy_bytes(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    ck_assert_ptr_nonnull(copy);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

bool client_head(struct site_client *c, struct site_response *r)
{
    *r = (struct site_response){0};
    const char *end;
    while (!(end = c->len ? memmem(c->in, c->len, "\r\n\r\n", 4) : NULL)) {
        if (client_fill(c))
            continue;
        if (c->len == 0)
            return false;
        ck_abort_msg("the stream ended inside a head: \"%.*s\"", (int)(c->len < 400 ? c->len : 400), c->in);
    }
    r->head_len = (size_t)(end - c->in) + 4;
    r->head = copy_bytes(c->in, r->head_len);
    consume(c, r->head_len);
    if (sscanf(r->head, "HTTP/1.%d %3d ", &r->minor, &r->status) != 2)
        ck_abort_msg("not a status line: \"%.80s\"", r->head);
    return true;
}

static void need(struct site_client *c, size_t len)
{
    while (c->len < len) {
        if (!client_fill(c))
            ck_abort_msg("the body ended after %zu of %zu bytes (%s)", c->len, len,
                         c->error ? strerror(c->error) : "closed");
    }
}

static void body_of_length(struct site_client *c, struct site_response *r, size_t len)
{
    need(c, len);
    r->body = copy_bytes(c->in, len);
    r->len = len;
    consume(c, len);
}

static size_t line_length(struct site_client *c)
{
    const char *end;
    while (!(end = c->len ? memmem(c->in, c->len, "\r\n", 2) : NULL)) {
        if (!client_fill(c))
            ck_abort_msg("the stream ended inside a chunked body");
    }
    return (size_t)(end - c->in) + 2;
}

/* To the empty line. */
static void take_trailers(struct site_client *c, struct site_response *r)
{
    size_t len = 0, line;
    r->trailers = copy_bytes("", 0);
    while ((line = line_length(c)) > 2) {
        r->trailers = realloc(r->trailers, len + line + 1);
        ck_assert_ptr_nonnull(r->trailers);
        memcpy(r->trailers + len, c->in, line);
        len += line;
        r->trailers[len] = '\0';
        consume(c, line);
    }
    consume(c, 2);
}

static void body_of_chunks(struct site_client *c, struct site_response *r)
{
    r->chunked = true;
    r->body = copy_bytes("", 0);
    for (;;) {
        size_t line = line_length(c);
        char *end;
        size_t len = strtoul(c->in, &end, 16);
        ck_assert_msg(end != c->in && *end == '\r', "bad chunk head \"%.20s\"", c->in);
        consume(c, line);
        if (len == 0) {
            take_trailers(c, r);
            return;
        }
        need(c, len + 2);
        ck_assert_mem_eq(c->in + len, "\r\n", 2);
        r->body = realloc(r->body, r->len + len + 1);
        ck_assert_ptr_nonnull(r->body);
        memcpy(r->body + r->len, c->in, len);
        r->len += len;
        r->body[r->len] = '\0';
        consume(c, len + 2);
    }
}

void client_body(struct site_client *c, struct site_response *r)
{
    const char *length = site_header(r, "Content-Length");
    const char *coding = site_header(r, "Transfer-Encoding");
    if (r->status < 200 || r->status == 204 || r->status == 304) {
        body_of_length(c, r, 0);
    } else if (coding) {
        ck_assert_str_eq(coding, "chunked");
        ck_assert_msg(!length, "Content-Length beside Transfer-Encoding");
        body_of_chunks(c, r);
    } else if (length) {
        body_of_length(c, r, strtoull(length, NULL, 10));
    } else {
        r->until_close = true;
        while (client_fill(c))
            ;
        body_of_length(c, r, c->len);
    }
}

bool client_receive(struct site_client *c, struct site_response *r)
{
    if (!client_head(c, r))
        return false;
    client_body(c, r);
    return true;
}

bool client_receive_head(struct site_client *c, struct site_response *r)
{
    if (!client_head(c, r))
        return false;
    r->body = copy_bytes("", 0);
    return true;
}

void client_expect_pattern(struct site_client *c, off_t offset, off_t len)
{
    while (len > 0) {
        if (c->len == 0 && !client_fill(c))
            ck_abort_msg("the body ended %jd bytes early (%s)", (intmax_t)len,
                         c->error ? strerror(c->error) : "closed");
        size_t n = (off_t)c->len < len ? c->len : (size_t)len;
        assert_pattern(c->in, n, offset);
        consume(c, n);
        offset += (off_t)n;
        len -= (off_t)n;
    }
}

void client_skip(struct site_client *c, off_t len)
{
    while (len > 0) {
        if (c->len == 0 && !client_fill(c))
            ck_abort_msg("the body ended %jd bytes early", (intmax_t)len);
        size_t n = (off_t)c->len < len ? c->len : (size_t)len;
        consume(c, n);
        len -= (off_t)n;
    }
}

bool client_ends(struct site_client *c)
{
    while (!c->eof && c->len == 0 && fill_within(c, scaled(PATIENCE)))
        ;
    return c->eof && c->len == 0;
}

bool client_has_input(struct site_client *c, int msec)
{
    return c->len > 0 || fill_within(c, msec);
}

bool client_stays_open(struct site_client *c)
{
    return !client_has_input(c, 60) && !c->eof;
}

void site_response_free(struct site_response *r)
{
    free(r->head);
    free(r->body);
    free(r->trailers);
    *r = (struct site_response){0};
}

/* The next field line after `at`, or NULL at the empty line. */
static const char *next_line(const char *at)
{
    const char *end = strstr(at, "\r\n");
    return end && strncmp(end + 2, "\r\n", 2) != 0 ? end + 2 : NULL;
}

static const char *find(const char *line, const char *name)
{
    size_t len = strlen(name);
    while (line && !(strncasecmp(line, name, len) == 0 && line[len] == ':'))
        line = next_line(line);
    return line;
}

const char *site_header(const struct site_response *r, const char *name)
{
    static char values[8][2048];
    static unsigned turn;
    const char *line = find(next_line(r->head), name);
    if (!line)
        return NULL;
    line += strlen(name) + 1;
    line += strspn(line, " \t");
    char *value = values[turn++ % 8];
    snprintf(value, sizeof values[0], "%.*s", (int)strcspn(line, "\r"), line);
    return value;
}

unsigned site_header_count(const struct site_response *r, const char *name)
{
    unsigned count = 0;
    for (const char *line = find(next_line(r->head), name); line; line = find(next_line(line), name))
        count++;
    return count;
}

void assert_header(const struct site_response *r, const char *name, const char *value)
{
    const char *is = site_header(r, name);
    if (!value) {
        ck_assert_msg(!is, "%s is \"%s\", expected none", name, is);
        return;
    }
    ck_assert_msg(is && !strcmp(is, value), "%s is \"%s\", expected \"%s\" in\n%s", name, is ? is : "(absent)", value,
                  r->head);
}

void site_request(struct site_response *r, const char *method, const char *target, const char *fields)
{
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method, target, fields);
    bool answered = strcmp(method, "HEAD") ? client_receive(&c, r) : client_receive_head(&c, r);
    ck_assert_msg(answered, "%s %s: closed without an answer", method, target);
    ck_assert_msg(client_ends(&c), "%s %s: not closed after the response, or bytes follow it", method, target);
    client_close(&c);
}

void site_get(struct site_response *r, const char *target)
{
    site_request(r, "GET", target, "");
}

int site_status_of(const char *target)
{
    struct site_response r;
    site_get(&r, target);
    int status = r.status;
    site_response_free(&r);
    return status;
}

double site_metric(const char *name)
{
    struct site_response r;
    char line[128];
    site_get(&r, "/status");
    ck_assert_int_eq(r.status, 200);
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(r.body, line);
    ck_assert_msg(at, "no %s in\n%s", name, r.body);
    double value = strtod(at + strlen(line), NULL);
    site_response_free(&r);
    return value;
}

int site_status_of_bytes(const char *bytes, size_t len)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_send(&c, bytes, len);
    int status = client_head(&c, &r) ? r.status : 0;
    site_response_free(&r);
    client_close(&c);
    return status;
}
