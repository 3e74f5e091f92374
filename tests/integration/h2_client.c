/* h2_client.c - see h2_client.h; its texts are read in h2_script.c. */
#include "h2_client.h"
#include "transport_h2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 8000 }; /* milliseconds without progress that end a test */

void h2_open_over(struct h2_client *k, struct site_client *c)
{
    *k = (struct h2_client){.c = *c, .highest = (uint32_t)-1};
    h2_init(&k->h);
}

void h2_open(struct h2_client *k, int port)
{
    struct site_client c;
    client_open_h2(&c, port);
    h2_open_over(k, &c);
}

void h2_start(struct h2_client *k, int port)
{
    h2_open(k, port);
    h2_begin(&k->h);
    while (k->h.settings_frames == 0 || k->h.settings_acks == 0)
        ck_assert_msg(h2_pump(k), "the server ends the connection at its preface");
    h2_flush(k);
}

void h2_close(struct h2_client *k)
{
    client_close(&k->c);
    h2_fini(&k->h);
}

void h2_end(struct h2_client *k)
{
    client_reset(&k->c);
    h2_fini(&k->h);
}

/* ---- bytes ---- */

static void take_input(struct h2_client *k)
{
    h2_feed(&k->h, k->c.in, k->c.len);
    k->c.len = 0;
}

/* Input is taken while output waits: a server may wait for that. */
void h2_flush(struct h2_client *k)
{
    struct h2_bytes out = k->h.out;
    k->h.out = (struct h2_bytes){0};
    for (size_t at = 0; at < out.len;) {
        ssize_t n = k->c.channel.transport->send(&k->c.channel, out.at + at, out.len - at, false);
        if (n < 0 && errno != EAGAIN)
            break;
        at += n > 0 ? (size_t)n : 0;
        if (n < 0 && client_has_input(&k->c, 2))
            take_input(k);
    }
    free(out.at);
}

static bool pump(struct h2_client *k, bool arrived)
{
    if (arrived)
        take_input(k);
    k->ended = k->ended || k->c.eof;
    if (k->h.out.len > 0 && !k->ended)
        h2_flush(k);
    return arrived;
}

bool h2_pump_within(struct h2_client *k, int msec)
{
    h2_flush(k);
    return pump(k, client_has_input(&k->c, msec));
}

bool h2_pump(struct h2_client *k)
{
    h2_flush(k);
    if (k->ended)
        return false;
    bool arrived = client_has_input(&k->c, scaled(PATIENCE));
    if (!arrived && !k->c.eof)
        ck_abort_msg("nothing more comes: %s", h2_told(k));
    return pump(k, arrived);
}

/* ---- waiting ---- */

void h2_settle(struct h2_client *k)
{
    unsigned before = k->h.pings;
    h2_frame(&k->h, H2_PING, 0, 0, "settle!", 8);
    while (k->h.pings == before && h2_pump(k))
        ;
}

struct h2_stream *h2_await(struct h2_client *k, uint32_t stream)
{
    for (;;) {
        struct h2_stream *s = h2_stream(&k->h, stream);
        if (s && (s->ended || s->reset))
            return s;
        if (!h2_pump(k))
            return NULL;
    }
}

struct h2_stream *h2_await_head(struct h2_client *k, uint32_t stream)
{
    for (;;) {
        struct h2_stream *s = h2_stream(&k->h, stream);
        if (s && (s->status || s->reset))
            return s;
        if (!h2_pump(k))
            return NULL;
    }
}

void h2_await_end(struct h2_client *k)
{
    while (h2_pump(k))
        ;
}

/* ---- requests ---- */

uint32_t h2_get(struct h2_client *k, const char *path, const char *fields)
{
    k->highest = k->highest + 2;
    h2_request(&k->h, k->highest, true, "GET", path, fields);
    return k->highest;
}

void h2_expect_get(struct h2_client *k, const char *path, int status, const char *body)
{
    struct h2_stream *s = h2_await(k, h2_get(k, path, ""));
    ck_assert_msg(s, "%s: the connection ended, GOAWAY %s", path, h2_error_name(k->h.goaway_code));
    ck_assert_msg(!s->reset, "%s: RST_STREAM %s", path, h2_error_name(s->code));
    ck_assert_msg(s->status == status, "%s: %d, expected %d", path, s->status, status);
    if (body)
        ck_assert_msg(s->len == strlen(body) && (!s->len || !memcmp(s->body, body, s->len)), "%s: \"%s\"", path,
                      s->body ? s->body : "");
}

/* ---- tables ---- */

void h2_pages(void)
{
    site_write("html/content", "content");
    site_pattern("html/big", H2_BIG);
}

void h2_serve(const char *server)
{
    char *text;
    bool carried = site_transport()->is_http2; /* and the harness says so itself */
    const char *option = on_nginx() && !carried ? " http2" : "";
    ck_assert_int_ge(asprintf(&text, "server {\nlisten 127.0.0.1:@PORT@%s;\nroot @DIR@/html;\n%s%s\n}", option,
                              on_nginx() || carried ? "" : "http2 on;\n", server),
                     0);
    site_conf_http(text);
    free(text);
    site_start();
}

void h2_try(const struct h2_row *row, bool bare)
{
    struct h2_client k;
    if (bare)
        h2_open(&k, site_port(0));
    else
        h2_start(&k, site_port(0));
    k.row = row;
    h2_run(&k, row->script);
    const char *said = h2_check(&k, row->expected);
    ck_assert_msg(!said, "%s, %s: %s\n  %s", row->rule, row->what, said, row->script);
    h2_close(&k);
}
