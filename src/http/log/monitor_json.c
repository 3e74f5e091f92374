/* monitor_json.c - the counters as JSON, and in nginx's words. Called by monitor.c. */
#include "http/log/monitor.h"

#include "base/version.h"

typedef unsigned long long ull;

void monitor_print_stub(const struct counters *c, struct buffer *out)
{
    struct connections_now now = counters_connections(c);

    buffer_printf(out,
                  "Active connections: %llu \nserver accepts handled requests\n %llu %llu %llu \n"
                  "Reading: %llu Writing: %llu Waiting: %llu \n",
                  (ull)now.active, (ull)c->accepted, (ull)c->handled, (ull)c->requests, (ull)now.reading,
                  (ull)now.writing, (ull)now.waiting);
}

static void print_connections(const struct counters *c, struct buffer *out)
{
    struct connections_now now = counters_connections(c);

    buffer_printf(out,
                  "\"connections\":{\"accepted\":%llu,\"handled\":%llu,\"active\":%llu,\"reading\":%llu,"
                  "\"writing\":%llu,\"waiting\":%llu},\n",
                  (ull)c->accepted, (ull)c->handled, (ull)now.active, (ull)now.reading, (ull)now.writing,
                  (ull)now.waiting);
}

static void print_http(const struct counters *c, struct buffer *out)
{
    const uint64_t *n = c->statuses;

    buffer_printf(
        out,
        "\"http\":{\"requests\":%llu,\"received_bytes\":%llu,\"sent_bytes\":%llu,\"responses\":{\"none\":%llu,"
        "\"1xx\":%llu,\"2xx\":%llu,\"3xx\":%llu,\"4xx\":%llu,\"5xx\":%llu},\"cut\":%llu},\n",
        (ull)c->requests, (ull)c->received, (ull)c->sent, (ull)n[0], (ull)n[1], (ull)n[2], (ull)n[3], (ull)n[4],
        (ull)n[5], (ull)c->io.cut);
}

static void print_methods(const struct io_counters *io, struct buffer *out)
{
    buffer_add_str(out, "\"io\":{");
    for (int m = IO_NONE; m < IO_METHODS; m++)
        buffer_printf(out, "%s\"%s\":{\"responses\":%llu,\"bytes\":%llu}", m > IO_NONE ? "," : "",
                      m == IO_NONE ? "none" : io_method_name((enum io_method)m), (ull)io->responses[m],
                      (ull)io->bytes[m]);
    buffer_add_str(out, "},\n");
}

static void print_disk(const struct io_counters *io, struct buffer *out)
{
    buffer_printf(out,
                  "\"disk\":{\"reads\":%llu,\"read_bytes\":%llu,\"read_errors\":%llu,\"reads_in_flight\":%llu,"
                  "\"waits\":%llu,\"wait_seconds\":%llu.%03u},\n",
                  (ull)io->disk_reads, (ull)io->disk_bytes, (ull)io->disk_errors, (ull)io->reads_in_flight,
                  (ull)io->waits, (ull)(io->wait_msec / 1000), (unsigned)(io->wait_msec % 1000));
    buffer_printf(out,
                  "\"direct\":{\"fallbacks\":%llu,\"refusals\":%llu,\"buffers_bytes\":%llu,"
                  "\"buffers_limit_bytes\":%llu},\n",
                  (ull)io->fallbacks, (ull)io->direct_refused, (ull)io->buffers_lent, (ull)io->buffers_cap);
}

static void print_tls(const struct monitor_view *view, struct buffer *out)
{
    const struct tls_counters *tls = &view->counters.tls;

    buffer_add_str(out, "\"tls\":{\"handshakes\":{");
    for (enum tls_result r = 0; r < TLS_RESULTS; r++)
        buffer_printf(out, "%s\"%s\":%llu", r > 0 ? "," : "", tls_result_name(r), (ull)tls->handshakes[r]);
    buffer_add_str(out, "},\"protocols\":{");
    for (enum tls_version v = 0; v < TLS_VERSIONS; v++)
        buffer_printf(out, "%s\"%s\":%llu", v > 0 ? "," : "", tls_version_name(v), (ull)tls->versions[v]);
    buffer_printf(out, "},\"resumed\":%llu,\"records\":%llu,\"certificates\":{", (ull)tls->resumed, (ull)tls->records);
    monitor_print_certificates(view, "\"", "\":", ",", out);
    buffer_add_str(out, "}},\n");
}

void monitor_print_json(const struct monitor_view *v, struct buffer *out)
{
    const struct counters *c = &v->counters;

    buffer_printf(out, "{\"version\":\"%s\",\"started\":%lld,\"now\":%lld.%03d,\"workers\":%llu,\n", SLUICE_VERSION,
                  (long long)v->started, (long long)(v->now / 1000), (int)(v->now % 1000), (ull)c->workers);
    print_connections(c, out);
    print_http(c, out);
    print_methods(&c->io, out);
    print_disk(&c->io, out);
    buffer_printf(out,
                  "\"file_cache\":{\"hits\":%llu,\"misses\":%llu,\"evictions\":%llu,\"entries\":%llu,"
                  "\"content_bytes\":%llu},\n",
                  (ull)c->cache.hits, (ull)c->cache.misses, (ull)c->cache.evictions, (ull)c->cache.entries,
                  (ull)c->cache.content_bytes);
    const struct small_file_stats *small = &c->cache.small;
    buffer_printf(out,
                  "\"small_file_cache\":{\"hits\":%llu,\"misses\":%llu,\"evictions\":%llu,\"entries\":%llu,"
                  "\"bytes\":%llu},\n",
                  (ull)small->hits, (ull)small->misses, (ull)small->evictions, (ull)small->entries, (ull)small->bytes);
    buffer_printf(out, "\"gzip_cache\":{\"hits\":%llu,\"misses\":%llu,\"entries\":%llu,\"bytes\":%llu},\n",
                  (ull)c->gzip_cache.hits, (ull)c->gzip_cache.misses, (ull)c->gzip_cache.entries,
                  (ull)c->gzip_cache.bytes);
    print_tls(v, out);
    buffer_printf(out,
                  "\"http2\":{\"connections\":%llu,\"requests\":%llu,\"streams\":%llu,\"resets\":%llu,"
                  "\"refused\":%llu,\"calmed\":%llu},\n",
                  (ull)c->http2.connections, (ull)c->http2.requests, (ull)c->http2.streams, (ull)c->http2.resets,
                  (ull)c->http2.refused, (ull)c->http2.calmed);
    buffer_printf(out, "\"log\":{\"dropped_lines\":%llu}}\n", (ull)c->log_dropped);
}
