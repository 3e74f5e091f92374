/* monitor_metrics.c - the counters as Prometheus and OpenMetrics read them. Called by monitor.c.
 * https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://prometheus.io/docs/specs/om/open_metrics_spec/ */
#include "http/log/monitor.h"

#include "base/version.h"

enum kind { COUNTER, GAUGE };

/* One metric without labels. `name` is without the _total of counters. */
struct metric {
    const char *name, *help;
    enum kind kind;
    size_t offset;   /* in struct counters */
    bool thousandth; /* counted in milliseconds, shown in seconds */
};

#define AT(field) offsetof(struct counters, field)

static const struct metric before_methods[] = {
    {"sluice_workers", "Worker processes, those that drain included.", GAUGE, AT(workers), false},
    {"sluice_connections_accepted", "Connections accepted.", COUNTER, AT(accepted), false},
    {"sluice_connections_handled", "Connections accepted and served.", COUNTER, AT(handled), false},
    {"sluice_http_requests", "Requests begun.", COUNTER, AT(requests), false},
    {"sluice_http_received_bytes", "Bytes of requests.", COUNTER, AT(received), false},
    {"sluice_http_sent_bytes", "Bytes of responses, heads included.", COUNTER, AT(sent), false},
};

static const struct metric after_methods[] = {
    {"sluice_responses_cut", "Responses that ended early, for a failed read or a file that became shorter.", COUNTER,
     AT(io.cut), false},
    {"sluice_disk_reads", "Asynchronous reads that were done.", COUNTER, AT(io.disk_reads), false},
    {"sluice_disk_read_bytes", "Bytes that they brought.", COUNTER, AT(io.disk_bytes), false},
    {"sluice_disk_read_errors", "Asynchronous reads that failed.", COUNTER, AT(io.disk_errors), false},
    {"sluice_disk_reads_in_flight", "Asynchronous reads under way or in line.", GAUGE, AT(io.reads_in_flight), false},
    {"sluice_disk_waits", "Responses that had to wait for a disk.", COUNTER, AT(io.waits), false},
    {"sluice_disk_wait_seconds", "Time that responses waited for a disk.", COUNTER, AT(io.wait_msec), true},
    {"sluice_direct_fallbacks", "Responses read through the page cache where O_DIRECT was meant.", COUNTER,
     AT(io.fallbacks), false},
    {"sluice_direct_refusals", "Filesystems found to refuse O_DIRECT.", COUNTER, AT(io.direct_refused), false},
    {"sluice_direct_buffers_bytes", "Memory that read buffers take up now.", GAUGE, AT(io.buffers_lent), false},
    {"sluice_direct_buffers_limit_bytes", "The most that they may take: directio_memory of all workers.", GAUGE,
     AT(io.buffers_cap), false},
    {"sluice_file_cache_hits", "Lookups in open_file_cache answered without a system call.", COUNTER, AT(cache.hits),
     false},
    {"sluice_file_cache_misses", "Lookups in open_file_cache that looked at the path.", COUNTER, AT(cache.misses),
     false},
    {"sluice_file_cache_evictions", "Entries that left open_file_cache.", COUNTER, AT(cache.evictions), false},
    {"sluice_file_cache_entries", "Entries in open_file_cache.", GAUGE, AT(cache.entries), false},
    {"sluice_file_cache_content_bytes", "Content of files kept in memory with their entries.", GAUGE,
     AT(cache.content_bytes), false},
    {"sluice_small_file_cache_hits", "Lookups in small_file_cache answered by one look at the path.", COUNTER,
     AT(cache.small.hits), false},
    {"sluice_small_file_cache_misses", "Lookups in small_file_cache that opened the path.", COUNTER,
     AT(cache.small.misses), false},
    {"sluice_small_file_cache_evictions", "Files that left small_file_cache unused, or for others.", COUNTER,
     AT(cache.small.evictions), false},
    {"sluice_small_file_cache_entries", "Files and folders in small_file_cache.", GAUGE, AT(cache.small.entries),
     false},
    {"sluice_small_file_cache_bytes", "Memory that they take.", GAUGE, AT(cache.small.bytes), false},
    {"sluice_gzip_cache_hits", "Responses from gzip_cache: compressed, unpacked or recoded before.", COUNTER,
     AT(gzip_cache.hits), false},
    {"sluice_gzip_cache_misses", "Responses that gzip_cache did not have.", COUNTER, AT(gzip_cache.misses), false},
    {"sluice_gzip_cache_entries", "Files in gzip_cache as they were compressed, unpacked or recoded.", GAUGE,
     AT(gzip_cache.entries), false},
    {"sluice_gzip_cache_bytes", "Memory that they take.", GAUGE, AT(gzip_cache.bytes), false},
    {"sluice_log_dropped_lines", "Log lines lost because a log could not be written fast enough.", COUNTER,
     AT(log_dropped), false},
};

static const struct metric of_tls[] = {
    {"sluice_tls_sessions_resumed", "Handshakes that took up an earlier session.", COUNTER, AT(tls.resumed), false},
    {"sluice_tls_records", "Records of TLS with bytes of responses.", COUNTER, AT(tls.records), false},
};

static const struct metric of_http2[] = {
    {"sluice_http2_connections", "Connections that came to speak HTTP/2.", COUNTER, AT(http2.connections), false},
    {"sluice_http2_requests", "Requests by HTTP/2, which are among all requests.", COUNTER, AT(http2.requests), false},
    {"sluice_http2_streams", "Streams of HTTP/2 now.", GAUGE, AT(http2.streams), false},
    {"sluice_http2_resets", "Streams that ended before their response was complete.", COUNTER, AT(http2.resets), false},
    {"sluice_http2_refused_streams", "Streams that were refused, for their number or memory.", COUNTER,
     AT(http2.refused), false},
    {"sluice_http2_calmed_connections", "Connections ended with ENHANCE_YOUR_CALM.", COUNTER, AT(http2.calmed), false},
};

struct printer {
    const struct monitor_view *view;
    struct buffer *out;
    bool openmetrics;
};

/* Prometheus' own format names counters as their samples are, OpenMetrics without _total. */
static void head(const struct printer *p, const char *name, enum kind kind, const char *help)
{
    const char *total = kind == COUNTER && !p->openmetrics ? "_total" : "";

    buffer_printf(p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name, total,
                  kind == COUNTER ? "counter" : "gauge");
}

static void sample(const struct printer *p, const char *name, enum kind kind, uint64_t value)
{
    buffer_printf(p->out, "%s%s %llu\n", name, kind == COUNTER ? "_total" : "", (unsigned long long)value);
}

static void labelled(const struct printer *p, const char *name, enum kind kind, const char *label, const char *of,
                     uint64_t value)
{
    buffer_printf(p->out, "%s%s{%s=\"%s\"} %llu\n", name, kind == COUNTER ? "_total" : "", label, of,
                  (unsigned long long)value);
}

static void print_plain(const struct printer *p, const struct metric *m, size_t count)
{
    for (const struct metric *end = m + count; m < end; m++) {
        const char *field = (const char *)&p->view->counters + m->offset;
        uint64_t value = *(const uint64_t *)(const void *)field;

        head(p, m->name, m->kind, m->help);
        if (m->thousandth)
            buffer_printf(p->out, "%s_total %llu.%03u\n", m->name, (unsigned long long)(value / 1000),
                          (unsigned)(value % 1000));
        else
            sample(p, m->name, m->kind, value);
    }
}

static void print_connections(const struct printer *p)
{
    struct connections_now now = counters_connections(&p->view->counters);

    head(p, "sluice_connections", GAUGE, "Connections now: a request is read, answered, or waited for.");
    labelled(p, "sluice_connections", GAUGE, "state", "reading", now.reading);
    labelled(p, "sluice_connections", GAUGE, "state", "writing", now.writing);
    labelled(p, "sluice_connections", GAUGE, "state", "waiting", now.waiting);
}

static void print_statuses(const struct printer *p)
{
    static const char *const classes[STATUS_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

    head(p, "sluice_http_responses", COUNTER, "Responses by class of status; none: closed without one (return 444).");
    for (unsigned i = 0; i < STATUS_CLASSES; i++)
        labelled(p, "sluice_http_responses", COUNTER, "class", classes[i], p->view->counters.statuses[i]);
}

static void print_handshakes(const struct printer *p)
{
    const struct tls_counters *tls = &p->view->counters.tls;

    head(p, "sluice_tls_handshakes", COUNTER, "Handshakes of TLS by how they ended; closed: the client went away.");
    for (enum tls_result r = 0; r < TLS_RESULTS; r++)
        labelled(p, "sluice_tls_handshakes", COUNTER, "result", tls_result_name(r), tls->handshakes[r]);
    head(p, "sluice_tls_connections", COUNTER, "Connections by the version of TLS that was agreed on.");
    for (enum tls_version v = 0; v < TLS_VERSIONS; v++)
        labelled(p, "sluice_tls_connections", COUNTER, "protocol", tls_version_name(v), tls->versions[v]);
}

static void print_certificates(const struct printer *p)
{
    static const char name[] = "sluice_tls_certificate_not_after_seconds";

    head(p, name, GAUGE, "When the first of the server's certificates ends, since the epoch.");
    if (monitor_print_certificates(p->view, "sluice_tls_certificate_not_after_seconds{server=\"", "\"} ", "\n",
                                   p->out) > 0)
        buffer_add_char(p->out, '\n');
}

static void print_by_method(const struct printer *p, const char *name, const char *help, const uint64_t *values)
{
    head(p, name, COUNTER, help);
    for (int m = IO_NONE; m < IO_METHODS; m++)
        labelled(p, name, COUNTER, "method", m == IO_NONE ? "none" : io_method_name((enum io_method)m), values[m]);
}

void monitor_print_metrics(const struct monitor_view *v, bool openmetrics, struct buffer *out)
{
    const struct printer p = {v, out, openmetrics};

    head(&p, "sluice_build_info", GAUGE, "Always 1; the version is in the label.");
    buffer_add_str(out, "sluice_build_info{version=\"" SLUICE_VERSION "\"} 1\n");
    head(&p, "sluice_start_time_seconds", GAUGE, "When the server started, since the epoch.");
    sample(&p, "sluice_start_time_seconds", GAUGE, (uint64_t)v->started);
    print_plain(&p, before_methods, sizeof before_methods / sizeof *before_methods);
    print_connections(&p);
    print_statuses(&p);
    print_by_method(&p, "sluice_io_responses", "Responses by the way that the file's bytes moved.",
                    v->counters.io.responses);
    print_by_method(&p, "sluice_io_bytes", "Bytes of bodies by the way that they moved.", v->counters.io.bytes);
    print_plain(&p, after_methods, sizeof after_methods / sizeof *after_methods);
    print_handshakes(&p);
    print_plain(&p, of_tls, sizeof of_tls / sizeof *of_tls);
    print_certificates(&p);
    print_plain(&p, of_http2, sizeof of_http2 / sizeof *of_http2);
    if (openmetrics)
        buffer_add_str(out, "# EOF\n");
}
