/* session_shared.c - what the connections of a worker share: callbacks and options of nghttp2, buffers,
 * pools. See session_private.h. */
#include "http/h2/library.h"
#include "http/h2/session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    RESETS_NEVER = 1 << 30, /* nghttp2's own limit, which knows no player that seeks: ours is in budget.c */
    ANSWERS_MOST = 1000     /* answers to PING and SETTINGS that wait for the client to read */
};

static void free_pool(struct spares *pool)
{
    while (pool->first) {
        struct spare *b = pool->first;
        pool->first = b->next;
        spare_free(b);
    }
}

static void end(struct worker_part *p)
{
    struct h2_worker *s = container_of(p, struct h2_worker, part);

    s->worker->h2 = NULL;
    free_pool(&s->outputs);
    free_pool(&s->streams);
    h2_memory_fini(&s->memory);
    nghttp2_session_callbacks_del(s->callbacks);
    nghttp2_option_del(s->option);
    free(s->input);
    free(s);
}

/* What a request may look like is checked in fields.c, and what came too often in budget.c. */
static void set_options(nghttp2_option *o)
{
    nghttp2_option_set_no_http_messaging(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_outbound_ack(o, ANSWERS_MOST);
    nghttp2_option_set_stream_reset_rate_limit(o, RESETS_NEVER, RESETS_NEVER);
    nghttp2_option_set_builtin_recv_extension_type(o, NGHTTP2_PRIORITY_UPDATE);
}

/* Half of the descriptors; the others are for connections, logs and open_file_cache. */
static size_t streams_most(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return (size_t)limit.rlim_cur / 2;
}

struct h2_worker *h2_worker_of(struct worker *w, const struct http_address *a)
{
    if (w->h2)
        return w->h2;
    const struct h2_conf *conf = conf_values(a->dflt->http->block, &h2_module);
    struct h2_worker *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->input_size = (size_t)conf->recv_buffer;
    s->input = malloc(s->input_size);
    s->outputs.usual = H2_OUT_SIZE;
    s->streams.usual = sizeof(struct h2_stream);
    if (!s->input || nghttp2_session_callbacks_new(&s->callbacks) != 0 || nghttp2_option_new(&s->option) != 0) {
        nghttp2_session_callbacks_del(s->callbacks);
        free(s->input);
        free(s);
        return NULL;
    }
    s->worker = w;
    s->streams_most = streams_most();
    h2_memory_init(&s->memory);
    set_options(s->option);
    h2_set_receive_callbacks(s->callbacks);
    h2_set_send_callbacks(s->callbacks);
    w->h2 = s;
    worker_keep(w, &s->part, end);
    return s;
}

const char *h2_library(void)
{
    static char text[64];

    snprintf(text, sizeof text, "nghttp2 %s", nghttp2_version(0)->version_str);
    return text;
}
