/* monitor_certificates.c - when the certificates of servers end, for monitor_metrics.c and
 * monitor_json.c. */
#include "http/log/monitor.h"

#include "http/site/site.h"
#include "http/syntax/log_escape.h"

#include <stdlib.h>

/* Of servers that have one name, the first end counts: a name is said once. 0: it has been said, or
 * there is no certificate. */
static int64_t end_of(const struct http_main *http, const struct server *server)
{
    int64_t first = server->tls_context ? tls_context_not_after(server->tls_context) : 0;
    bool before = true;

    if (first == 0)
        return 0;
    list_each (&http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);
        int64_t end = s->tls_context && text_equal(s->name, server->name) ? tls_context_not_after(s->tls_context) : 0;
        before = before && s != server;
        if (before && end > 0)
            return 0;
        first = end > 0 && end < first ? end : first;
    }
    return first;
}

static void add_name(struct text name, struct buffer *out)
{
    char *text = malloc(log_escaped_len(name, ESCAPE_JSON) + 1);

    if (text)
        buffer_add_text(out, text_span(text, log_put_escaped(text, name, ESCAPE_JSON)));
    else
        out->failed = true;
    free(text);
}

unsigned monitor_print_certificates(const struct monitor_view *v, const char *before, const char *after,
                                    const char *between, struct buffer *out)
{
    unsigned count = 0;

    if (!v->http)
        return 0;
    list_each (&v->http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);
        int64_t end = end_of(v->http, s);
        if (end == 0)
            continue;
        buffer_add_str(out, count++ > 0 ? between : "");
        buffer_add_str(out, before);
        add_name(s->name, out);
        buffer_printf(out, "%s%lld", after, (long long)end);
    }
    return count;
}
