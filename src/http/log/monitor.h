/* monitor.h - what the workers count, for people and programs: `stub_status` and `status`.
 * https://nginx.org/en/docs/http/ngx_http_stub_status_module.html */
#ifndef HTTP_LOG_MONITOR_H
#define HTTP_LOG_MONITOR_H

#include "base/buffer.h"
#include "conf/directive.h"
#include "http/variable/variable.h"
#include "http/worker/scoreboard.h"

struct http_main;

extern struct conf_module monitor_module; /* stub_status, status */

/* What is shown. */
struct monitor_view {
    struct counters counters;
    int64_t started;              /* seconds since the epoch */
    int64_t now;                  /* milliseconds since the epoch */
    const struct http_main *http; /* whose certificates are shown; NULL: none */
};

enum monitor_format { MONITOR_PROMETHEUS, MONITOR_HTML, MONITOR_JSON, MONITOR_OPENMETRICS, MONITOR_FORMATS };

void monitor_print_stub(const struct counters *c, struct buffer *out); /* to the byte as nginx */

/* Prometheus' text format 0.0.4, or OpenMetrics 1.0.0. */
void monitor_print_metrics(const struct monitor_view *v, bool openmetrics, struct buffer *out);
void monitor_print_json(const struct monitor_view *v, struct buffer *out);

/* A page that shows the JSON, and asks for more of it. `nonce`: of its scripts and styles. */
void monitor_print_page(const struct monitor_view *v, const char *nonce, struct buffer *out);

/* For each name of a server that has a certificate: `before` NAME `after` END, with `between` them;
 * the end is in seconds since the epoch. How many there are. */
unsigned monitor_print_certificates(const struct monitor_view *v, const char *before, const char *after,
                                    const char *between, struct buffer *out);

/* What Accept (absent or empty: anything) prefers, RFC 9110, 12.5.1: the first of `offered` among
 * equals; MONITOR_FORMATS where it takes none. `offered` ends with MONITOR_FORMATS. */
enum monitor_format monitor_negotiate(struct text accept, const enum monitor_format *offered);

extern const struct variable_row monitor_variables[]; /* $connections_active ... */

#endif
