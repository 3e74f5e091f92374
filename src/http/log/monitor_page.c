/* monitor_page.c - the status as a page for people: three constant texts, src/http/pages/monitor.*,
 * around the JSON. Called by monitor.c.
 *
 * What goes into the page is numbers and our version: nothing of what clients or files are
 * called. */
#include "http/log/monitor.h"

static const char style[] =
#include "http/log/pages/monitor.css.inc"
    ;
static const char body[] =
#include "http/log/pages/monitor.html.inc"
    ;
static const char script[] =
#include "http/log/pages/monitor.js.inc"
    ;

void monitor_print_page(const struct monitor_view *v, const char *nonce, struct buffer *out)
{
    buffer_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>sluice</title>\n"
                  "<link rel=\"icon\" href=\"data:,\">\n<style nonce=\"%s\">\n",
                  nonce);
    buffer_add(out, style, sizeof style - 1);
    buffer_add_str(out, "</style>\n</head>\n<body>\n");
    buffer_add(out, body, sizeof body - 1);
    buffer_printf(out, "<script nonce=\"%s\" type=\"application/json\" id=\"first\">", nonce);
    monitor_print_json(v, out);
    buffer_printf(out, "</script>\n<script nonce=\"%s\">\n", nonce);
    buffer_add(out, script, sizeof script - 1);
    buffer_add_str(out, "</script>\n</body>\n</html>\n");
}
