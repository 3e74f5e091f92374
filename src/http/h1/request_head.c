/* request_head.c - see request_head.h. Called by connection_read.c and explain.c. */
#include "http/h1/request_head.h"

#include "http/core/target.h"
#include "http/h1/parse.h"
#include "http/request/request.h"

/* The limits of grow_input(), for a head that came so fast that it never had to ask. */
static int check_lines(const struct message *m, size_t head_len, const struct http_conf *h)
{
    size_t large = (size_t)h->large_client_header_buffers.size;

    if (head_len <= large)
        return 0;
    if (m->line.len > large)
        return 414;
    for (unsigned i = 0; i < m->count; i++) {
        const char *line = m->headers[i].name.at;
        const char *next = i + 1 < m->count ? m->headers[i + 1].name.at : m->line.at + head_len - 2;
        if ((size_t)(next - line) - 2 > large) /* without CRLF */
            return 431;
    }
    return head_len > large * (size_t)h->large_client_header_buffers.number ? 431 : 0;
}

/* Header names that other servers may normalise to a different field (X_Real_IP, X-Real-IP). None
 * of them is one that frames the message. */
static void leave_out_odd(struct request *r, bool underscores)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < r->msg.count; i++) {
        const struct header *h = &r->msg.headers[i];
        if (parse_name_is_plain(h->name, underscores))
            r->msg.headers[kept++] = *h;
        else
            request_log(r, LEVEL_INFO, 0, "client sent invalid header line: \"%.*s: %.*s\"", TEXT_ARG(h->name),
                        TEXT_ARG(h->value));
    }
    r->msg.count = kept;
}

size_t request_take_known(struct request *r, struct text bytes)
{
    const struct http_conf *h = r->location->http;
    size_t known = parse_known(&r->msg, bytes, (unsigned)h->max_headers, &r->arena);

    target_resolve(r);
    if (h->ignore_invalid_headers)
        leave_out_odd(r, h->underscores_in_headers);
    return known;
}

int request_take_head(struct request *r, struct framing *f, struct text head, bool odd_names)
{
    const struct http_conf *h = r->location->http;
    int status = parse_head(&r->msg, f, head.at, head.len, (unsigned)h->max_headers, &r->arena);

    if (status != 0) {
        request_take_known(r, head);
        return status;
    }
    r->head_only = r->msg.method == METHOD_HEAD;
    status = target_resolve(r);
    if (status == 0)
        status = check_lines(&r->msg, head.len, h);
    if (status == 0 && r->server != r->client->address->dflt)
        status = check_lines(&r->msg, head.len, r->location->http);
    if (odd_names && h->ignore_invalid_headers) /* after check_lines(), which measures from field to field */
        leave_out_odd(r, h->underscores_in_headers);
    return status == 0 ? target_check_method(r) : status;
}
