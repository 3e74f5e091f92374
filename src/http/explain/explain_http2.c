/* explain_http2.c - the request as HTTP/2 would bring it, and its response head as fields of HTTP/2.
 * What else differs is the carrier's: explain.c. RFC 9113, 8.3 */
#include "explain_private.h"

#include "http/site/http2.h"

/* By ALPN the server that SNI names decides, without TLS the address's default. */
static bool is_on(const struct explain *e)
{
    const struct http_address *a = e->options->address;
    const struct server *s = a->tls ? e->request->server : a->dflt;

    return http2_available() && (a->http2 || s->base.http->http2);
}

bool explain_as_http2(struct explain *e)
{
    struct request *r = e->request;
    struct message *m = &r->msg;

    if (!e->options->http2 || e->client.plain_on_tls || !is_on(e))
        return false;
    const char *line = arena_printf(&r->arena, "%.*s %.*s HTTP/2.0", TEXT_ARG(m->method_name), TEXT_ARG(m->target));
    if (!line)
        return false;
    m->protocol = PROTOCOL_2;
    m->version = TEXT("HTTP/2.0");
    m->line = text_of(line);
    return true;
}

void explain_protocol(struct explain *e)
{
    if (!e->options->http2 || e->client.plain_on_tls)
        return;
    if (!http2_available())
        explain_say(e, "protocol", "HTTP/1.1: this sluice was built without HTTP/2");
    else if (e->is_http2)
        explain_say(e, "protocol", "HTTP/2, %s",
                    e->options->address->tls ? "by ALPN" : "by prior knowledge, without TLS (h2c)");
    else
        explain_say(e, "protocol", "HTTP/1.1: \"http2\" is not on %s",
                    e->options->address->tls ? "in this server" : "in the default server of this address");
}

/* Of the connection, not of the response (RFC 9113, 8.2.2). */
static bool is_of_connection(struct text line)
{
    static const struct text names[] = {TEXT("connection:"), TEXT("keep-alive:"), TEXT("transfer-encoding:")};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (line.len >= names[i].len && text_equal_nocase((struct text){line.at, names[i].len}, names[i]))
            return true;
    return false;
}

static void add_field(struct buffer *out, struct text line)
{
    size_t colon = text_find(line, ':');

    if (is_of_connection(line))
        return;
    for (size_t i = 0; i < colon; i++)
        buffer_add_char(out, text_lower(line.at[i]));
    buffer_add(out, line.at + colon, line.len - colon);
    buffer_add_str(out, "\r\n");
}

void explain_http2_head(struct text head, struct buffer *out)
{
    size_t end = text_find(head, '\n');

    buffer_printf(out, ":status: %.3s\r\n", head.at + sizeof "HTTP/1.1");
    for (head = text_from(head, end + 1); head.len > 0; head = text_from(head, end + 1)) {
        end = text_find(head, '\n');
        struct text line = {head.at, end > 0 ? end - 1 : 0};
        if (line.len == 0)
            break;
        add_field(out, line);
    }
    buffer_add_str(out, "\r\n");
}
