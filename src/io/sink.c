/* sink.c - moves chunks from a source into a transport. Called by http/h1/connection_send.c; see
 * sink.h. */
#include "io/sink.h"

#include <errno.h>

/* sendfile(2) takes at most 0x7ffff000 bytes a call. */
enum { SENDFILE_MOST = 0x7ffff000 };

/* What the socket alone answers; all else that sendfile() says is about the file: a disk error, a
 * checksum that is wrong, a server that is gone. */
static bool is_of_socket(int error)
{
    switch (error) {
    case EAGAIN:
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ENOBUFS:
    case ETIMEDOUT:
    case ECONNABORTED:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
        return true;
    default:
        return false;
    }
}

static enum sink_result stopped(struct sink *k, int error)
{
    if (error == EAGAIN)
        return SINK_BLOCKED;
    k->error = -error;
    return SINK_FAILED;
}

static struct iovec piece(const char *at, size_t len)
{
    return (struct iovec){(void *)(uintptr_t)at, len};
}

enum sink_result sink_bytes(struct sink *k, struct text bytes, size_t *at, bool more)
{
    while (*at < bytes.len) {
        struct iovec left = piece(bytes.at + *at, bytes.len - *at);
        ssize_t n = transport_send(k->transport, &left, 1, more);
        if (n < 0)
            return stopped(k, (int)-n);
        *at += (size_t)n;
        k->sent += (uint64_t)n;
    }
    return SINK_DONE;
}

/* Head (what is left of it) and a chunk of memory in one call. Bytes of the chunk that went, or
 * -errno. */
static ssize_t send_memory(struct sink *k, struct text head, size_t *at, const struct chunk *c, bool more)
{
    struct iovec pieces[2];
    size_t head_left = head.len - *at;
    int count = 0;

    if (head_left > 0)
        pieces[count++] = piece(head.at + *at, head_left);
    pieces[count++] = piece(c->data, c->len);
    ssize_t n = transport_send(k->transport, pieces, count, more);
    if (n < 0)
        return n;
    k->sent += (uint64_t)n;
    if ((size_t)n < head_left) {
        *at += (size_t)n;
        return 0;
    }
    *at = head.len;
    return n - (ssize_t)head_left;
}

static ssize_t send_slice(struct sink *k, const struct chunk *c)
{
    if (!transport_takes_files(k->transport))
        return -EOPNOTSUPP; /* the policy was told so: no source should come to this */
    ssize_t n = transport_sendfile(k->transport, c->fd, c->offset, c->len);
    if (n > 0)
        k->sent += (uint64_t)n;
    return n;
}

/* One chunk. SINK_DONE: it went, perhaps in part; look again. */
static enum sink_result send_chunk(struct sink *k, struct text head, size_t *at, struct sink_body *body,
                                   const struct chunk *c)
{
    struct source *s = body->source;
    ssize_t n;

    if (c->data) {
        n = send_memory(k, head, at, c, (body->left > c->len || k->closing) && !body->open_ended);
    } else {
        if (*at < head.len) {
            enum sink_result r = sink_bytes(k, head, at, true);
            if (r != SINK_DONE)
                return r;
        }
        n = send_slice(k, c);
        if (n == 0) { /* sendfile at the end of the file: it has been truncated */
            s->error = -ENODATA;
            s->error_offset = c->offset;
            return SINK_SOURCE_FAILED;
        }
    }
    if (n < 0) {
        /* A mapping that was truncated away, or cannot be read, is EFAULT. */
        if (c->data ? n == -EFAULT : !is_of_socket((int)-n)) {
            s->error = (int)n;
            s->error_offset = c->offset;
            return SINK_SOURCE_FAILED;
        }
        return stopped(k, (int)-n);
    }
    if (n > 0) {
        s->ops->consumed(s, (size_t)n);
        body->left -= (uint64_t)n;
        body->sent += (uint64_t)n;
    }
    return SINK_DONE;
}

/* Bytes that went from the page cache to the transport's own memory. */
static size_t read_into(struct sink *k, struct sink_body *body, size_t want)
{
    size_t room = 0;
    char *to = transport_place(k->transport, &room);

    if (!to)
        return 0;
    size_t n = source_read(body->source, to, want < room ? want : room);
    if (n > 0) {
        k->transport->ops->placed(k->transport, n);
        k->sent += n;
        body->left -= n;
        body->sent += n;
    }
    return n;
}

enum sink_result sink_body(struct sink *k, struct text head, size_t *at, struct sink_body *body, uint64_t cap)
{
    uint64_t moved = 0;

    while (body->left > 0) {
        if (cap > 0 && moved >= cap)
            return SINK_TURN;
        uint64_t want = body->left < SENDFILE_MOST ? body->left : SENDFILE_MOST;
        if (cap > 0 && want > cap - moved)
            want = cap - moved;
        size_t placed = *at == head.len ? read_into(k, body, (size_t)want) : 0;
        moved += placed;
        if (placed > 0)
            continue;

        struct chunk c;
        enum pull p = body->source->ops->pull(body->source, (size_t)want, &c);
        if (p == PULL_WAIT_DISK)
            return SINK_WAIT_DISK;
        if (p == PULL_END && body->open_ended) {
            body->left = 0;
            break;
        }
        if (p != PULL_READY) {
            if (p == PULL_END) /* it promised more */
                body->source->error = -ENODATA;
            return SINK_SOURCE_FAILED;
        }
        uint64_t before = body->sent;
        enum sink_result r = send_chunk(k, head, at, body, &c);
        if (r != SINK_DONE)
            return r;
        moved += body->sent - before;
    }
    return sink_bytes(k, head, at, k->closing);
}
