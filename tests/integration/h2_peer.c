/* h2_peer.c - see h2_peer.h. */
#include "h2_peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char h2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum { WINDOW = 65535, FRAME_MOST = 16384 };

static const char *const errors[] = {"NO_ERROR",
                                     "PROTOCOL_ERROR",
                                     "INTERNAL_ERROR",
                                     "FLOW_CONTROL_ERROR",
                                     "SETTINGS_TIMEOUT",
                                     "STREAM_CLOSED",
                                     "FRAME_SIZE_ERROR",
                                     "REFUSED_STREAM",
                                     "CANCEL",
                                     "COMPRESSION_ERROR",
                                     "CONNECT_ERROR",
                                     "ENHANCE_YOUR_CALM",
                                     "INADEQUATE_SECURITY",
                                     "HTTP_1_1_REQUIRED",
                                     NULL};

const char *const *h2_error_names(void)
{
    return errors;
}

const char *h2_error_name(uint32_t code)
{
    return code < sizeof errors / sizeof *errors - 1 ? errors[code] : "(unknown)";
}

void h2_init(struct h2 *h)
{
    *h = (struct h2){.window = WINDOW,
                     .room = WINDOW,
                     .initial = WINDOW,
                     .initial_room = WINDOW,
                     .gives_back = true,
                     .answers = true};
    nghttp2_hd_inflater *inflater;
    nghttp2_hd_deflater *deflater;
    ck_assert_int_eq(nghttp2_hd_inflate_new(&inflater), 0);
    ck_assert_int_eq(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    h->inflater = inflater;
    h->deflater = deflater;
}

static void stream_free(struct h2_stream *s)
{
    free(s->head);
    free(s->trailers);
    free(s->body);
    free(s);
}

void h2_fini(struct h2 *h)
{
    for (size_t i = 0; i < h->count; i++)
        stream_free(h->streams[i]);
    free(h->streams);
    free(h->out.at);
    free(h->in.at);
    free(h->block.at);
    nghttp2_hd_inflate_del(h->inflater);
    nghttp2_hd_deflate_del(h->deflater);
    *h = (struct h2){0};
}

/* ---- bytes ---- */

void h2_put(struct h2_bytes *b, const void *bytes, size_t len)
{
    if (b->cap - b->len < len + 1) {
        b->cap = (b->len + len + 1) * 2;
        b->at = realloc(b->at, b->cap);
        ck_assert_ptr_nonnull(b->at);
    }
    if (len)
        memcpy(b->at + b->len, bytes, len);
    b->len += len;
    b->at[b->len] = '\0';
}

void h2_put_number(struct h2_bytes *b, uint64_t value, unsigned octets)
{
    while (octets-- > 0)
        h2_put(b, &(unsigned char){(unsigned char)(value >> 8 * octets)}, 1);
}

static void consume(struct h2_bytes *b, size_t len)
{
    b->len -= len;
    memmove(b->at, b->at + len, b->len);
}

static uint32_t number_at(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* RFC 7541, 5.1: seven bits of a prefix, of a string without Huffman coding. */
static void put_string(struct h2_bytes *b, const char *text)
{
    size_t len = strlen(text);
    if (len < 127) {
        h2_put_number(b, len, 1);
    } else {
        size_t rest = len - 127;
        h2_put_number(b, 127, 1);
        for (; rest >= 128; rest /= 128)
            h2_put_number(b, rest % 128 + 128, 1);
        h2_put_number(b, rest, 1);
    }
    h2_put(b, text, len);
}

void h2_put_field(struct h2_bytes *b, const char *name, const char *value, bool indexed)
{
    h2_put_number(b, indexed ? 0x40 : 0, 1);
    put_string(b, name);
    put_string(b, value);
}

/* ---- streams ---- */

struct h2_stream *h2_stream(struct h2 *h, uint32_t id)
{
    for (size_t i = h->count; i-- > 0;) {
        if (h->streams[i]->id == id)
            return h->streams[i];
    }
    return NULL;
}

static void stream_open(struct h2 *h, uint32_t id)
{
    if (id == 0 || h2_stream(h, id))
        return;
    if (h->count == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->streams = realloc(h->streams, h->cap * sizeof *h->streams);
        ck_assert_ptr_nonnull(h->streams);
    }
    struct h2_stream *s = calloc(1, sizeof *s);
    ck_assert_ptr_nonnull(s);
    *s = (struct h2_stream){.id = id, .window = h->initial, .room = h->initial_room};
    h->streams[h->count++] = s;
}

static void move_windows(struct h2 *h, int64_t initial)
{
    for (size_t i = 0; i < h->count; i++)
        h->streams[i]->window += initial - h->initial;
    h->initial = initial;
}

/* A larger window may be used once the server knows of it, a smaller one must be kept from its
 * acknowledgement on. */
static void note_settings(struct h2 *h, const unsigned char *rows, size_t len)
{
    struct h2_pending p = {-1, -1};
    for (; len >= 6; rows += 6, len -= 6) {
        if (rows[0] == 0 && rows[1] == H2_INITIAL_WINDOW)
            p.initial = number_at(rows + 2);
        if (rows[0] == 0 && rows[1] == H2_HEADER_TABLE_SIZE)
            p.table = number_at(rows + 2);
    }
    if (p.initial > h->initial) {
        move_windows(h, p.initial);
        p.initial = -1;
    }
    ck_assert_uint_lt(h->pending_count, 64);
    h->pending[(h->pending_first + h->pending_count++) % 64] = p;
}

static void note_acknowledgement(struct h2 *h)
{
    ck_assert_msg(h->pending_count > 0, "SETTINGS are acknowledged that nobody sent");
    struct h2_pending p = h->pending[h->pending_first];
    h->pending_first = (h->pending_first + 1) % 64;
    h->pending_count--;
    h->settings_acks++;
    if (p.initial >= 0)
        move_windows(h, p.initial);
    if (p.table >= 0)
        nghttp2_hd_inflate_change_table_size(h->inflater, (size_t)p.table);
}

static void note_sent(struct h2 *h, unsigned type, unsigned flags, uint32_t stream, const unsigned char *bytes,
                      size_t len)
{
    struct h2_stream *s = h2_stream(h, stream);
    if (type == H2_HEADERS)
        stream_open(h, stream);
    else if (type == H2_SETTINGS && !(flags & H2_ACK) && stream == 0 && len % 6 == 0)
        note_settings(h, bytes, len);
    else if (type == H2_WINDOW_UPDATE && len == 4 && stream == 0)
        h->window += number_at(bytes) & INT32_MAX;
    else if (type == H2_WINDOW_UPDATE && len == 4 && s)
        s->window += number_at(bytes) & INT32_MAX;
    else if (type == H2_RST_STREAM && s)
        s->given_up = true;
    if (type == H2_DATA && s) {
        h->room -= (int64_t)len;
        s->room -= (int64_t)len;
    }
}

/* ---- out ---- */

void h2_frame_lying(struct h2 *h, unsigned type, unsigned flags, uint32_t stream, const void *bytes, size_t len,
                    size_t length)
{
    note_sent(h, type, flags, stream & INT32_MAX, bytes, len);
    h2_put_number(&h->out, length, 3);
    h2_put_number(&h->out, type, 1);
    h2_put_number(&h->out, flags, 1);
    h2_put_number(&h->out, stream, 4);
    h2_put(&h->out, bytes, len);
}

void h2_frame(struct h2 *h, unsigned type, unsigned flags, uint32_t stream, const void *bytes, size_t len)
{
    h2_frame_lying(h, type, flags, stream, bytes, len, len);
}

void h2_setting(struct h2 *h, unsigned id, uint32_t value)
{
    unsigned char row[6] = {0, (unsigned char)id};
    memcpy(row + 2, &(uint32_t){htonl(value)}, 4);
    h2_frame(h, H2_SETTINGS, 0, 0, row, sizeof row);
}

void h2_window_update(struct h2 *h, uint32_t stream, uint32_t increment)
{
    uint32_t number = htonl(increment);
    h2_frame(h, H2_WINDOW_UPDATE, 0, stream, &number, 4);
}

void h2_reset(struct h2 *h, uint32_t stream, uint32_t code)
{
    uint32_t number = htonl(code);
    h2_frame(h, H2_RST_STREAM, 0, stream, &number, 4);
}

void h2_begin(struct h2 *h)
{
    h2_put(&h->out, h2_preface, H2_PREFACE);
    h2_frame(h, H2_SETTINGS, 0, 0, "", 0);
}

enum { FIELDS_MOST = 2048 };

/* The text is cut up where it stands. */
static size_t take_fields(char *text, nghttp2_nv fields[FIELDS_MOST])
{
    size_t count = 0;
    for (char *line = text, *next; *line; line = next) {
        char *end = line + strcspn(line, "\n"), *colon = strchr(line + 1, ':');
        next = *end ? end + 1 : end;
        *end = '\0';
        ck_assert_msg(colon && colon < end && count < FIELDS_MOST, "no field: %s", line);
        *colon = '\0';
        char *value = colon + 1 + strspn(colon + 1, " ");
        for (char *c = line; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        fields[count++] = (nghttp2_nv){(uint8_t *)line, (uint8_t *)value, strlen(line), strlen(value), 0};
    }
    return count;
}

void h2_request_of(struct h2 *h, uint32_t stream, bool ends, const char *text)
{
    static nghttp2_nv fields[FIELDS_MOST];
    char *copy = strdup(text);
    size_t count = take_fields(copy, fields), room = nghttp2_hd_deflate_bound(h->deflater, fields, count);
    unsigned char *block = malloc(room);
    ssize_t len = nghttp2_hd_deflate_hd(h->deflater, block, room, fields, count);
    ck_assert_int_ge(len, 0);
    for (size_t at = 0, n; at == 0 || at < (size_t)len; at += n) {
        n = (size_t)len - at < FRAME_MOST ? (size_t)len - at : FRAME_MOST;
        h2_frame(h, at == 0 ? H2_HEADERS : H2_CONTINUATION,
                 (at == 0 && ends ? H2_END_STREAM : 0) | (at + n == (size_t)len ? H2_END_HEADERS : 0), stream,
                 block + at, n);
    }
    h2_stream(h, stream)->no_body = strncmp(text, ":method: HEAD\n", 14) == 0;
    free(block);
    free(copy);
}

void h2_request(struct h2 *h, uint32_t stream, bool ends, const char *method, const char *path, const char *fields)
{
    char *text;
    ck_assert_int_ge(
        asprintf(&text, ":method: %s\n:scheme: http\n:authority: localhost\n:path: %s\n%s", method, path, fields), 0);
    h2_request_of(h, stream, ends, text);
    free(text);
}

/* ---- in: heads ---- */

const char *h2_field(const char *head, const char *name)
{
    static char values[8][2048];
    static unsigned turn;
    size_t len = strlen(name);
    for (const char *line = head; line && *line; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            char *value = values[turn++ % 8];
            snprintf(value, sizeof values[0], "%.*s", (int)strcspn(line + len + 2, "\n"), line + len + 2);
            return value;
        }
    }
    return NULL;
}

/* RFC 9113, 8.2 and 8.3.2: of a response. */
static void expect_good_field(const char *name, const char *value, bool first, bool is_trailer)
{
    static const char *const of_connections[] = {"connection", "proxy-connection", "keep-alive", "transfer-encoding",
                                                 "upgrade"};
    if (name[0] == ':')
        ck_assert_msg(!strcmp(name, ":status") && first && !is_trailer, "a field %s of a response", name);
    for (const char *c = name + (name[0] == ':'); *c; c++)
        ck_assert_msg((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f && *c != ':' && !(*c >= 'A' && *c <= 'Z'),
                      "a field's name \"%s\"", name);
    ck_assert_msg(!strpbrk(value, "\r\n") && value[0] != ' ' && value[0] != '\t' &&
                      (!*value || !strchr(" \t", value[strlen(value) - 1])),
                  "the value of %s: \"%s\"", name, value);
    for (size_t i = 0; i < sizeof of_connections / sizeof *of_connections; i++)
        ck_assert_msg(strcmp(name, of_connections[i]) != 0, "a field %s over HTTP/2", name);
}

static char *decode(struct h2 *h, bool is_trailer)
{
    struct h2_bytes text = {0};
    const uint8_t *at = (const uint8_t *)h->block.at;
    size_t left = h->block.len;
    bool first = true;
    h2_put(&text, "", 0);
    for (int flags = 0; !(flags & NGHTTP2_HD_INFLATE_FINAL);) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(h->inflater, &nv, &flags, at, left, 1);
        ck_assert_msg(n >= 0, "the server's header block cannot be decoded: %s", nghttp2_strerror((int)n));
        at += n;
        left -= (size_t)n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            ck_assert_uint_eq(strlen((char *)nv.name), nv.namelen);
            ck_assert_uint_eq(strlen((char *)nv.value), nv.valuelen);
            expect_good_field((char *)nv.name, (char *)nv.value, first, is_trailer);
            first = false;
            h2_put(&text, nv.name, nv.namelen);
            h2_put(&text, ": ", 2);
            h2_put(&text, nv.value, nv.valuelen);
            h2_put(&text, "\n", 1);
        }
    }
    nghttp2_hd_inflate_end_headers(h->inflater);
    ck_assert_uint_eq(left, 0);
    return text.at;
}

/* What content-length promises has come, where there is a body. */
static void stream_ends(struct h2 *h, struct h2_stream *s)
{
    const char *length = h2_field(s->head, "content-length");
    ck_assert_msg(s->status != 0, "stream %u ends without a head", s->id);
    s->ended = true;
    s->number = h->received;
    if (s->given_up)
        return;
    bool bodiless = s->no_body || s->status == 204 || s->status == 304;
    if (bodiless)
        ck_assert_msg(s->len == 0, "stream %u: a body of %zu bytes with status %d", s->id, s->len, s->status);
    else if (length)
        ck_assert_msg(strtoull(length, NULL, 10) == s->len, "stream %u ends after %zu bytes of %s", s->id, s->len,
                      length);
}

static void take_head(struct h2 *h, struct h2_stream *s)
{
    char *text = decode(h, s->status != 0);
    if (s->status == 0) {
        const char *status = h2_field(text, ":status");
        ck_assert_msg(status && strlen(status) == 3, "a head without :status: %s", text);
        int number = atoi(status);
        free(s->head);
        s->head = text;
        s->interim += number < 200;
        s->status = number < 200 ? 0 : number;
        ck_assert_msg(s->status || !h->block_ends_stream, "%d ends a stream", number);
    } else {
        ck_assert_msg(h->block_ends_stream && !s->trailers, "trailers do not end stream %u", s->id);
        s->trailers = text;
    }
    if (h->block_ends_stream)
        stream_ends(h, s);
}

/* ---- in: frames ---- */

struct frame {
    unsigned type, flags;
    uint32_t stream;
    const unsigned char *at;
    size_t len;
};

/* The stream that a frame of the server may be of. */
static struct h2_stream *stream_of(struct h2 *h, const struct frame *f)
{
    struct h2_stream *s = h2_stream(h, f->stream);
    ck_assert_msg(s, "a frame of type %u on stream %u, which is idle", f->type, f->stream);
    ck_assert_msg(!s->ended && !s->reset, "a frame of type %u on stream %u, which is closed", f->type, f->stream);
    return s;
}

static void give_back(struct h2 *h, struct h2_stream *s, size_t len)
{
    h->taken += (int64_t)len;
    s->taken += (int64_t)len;
    if (h->taken >= WINDOW / 2) {
        h2_window_update(h, 0, (uint32_t)h->taken);
        h->taken = 0;
    }
    if (s->taken >= h->initial / 2 && s->taken > 0 && !s->ended) {
        h2_window_update(h, s->id, (uint32_t)s->taken);
        s->taken = 0;
    }
}

static void without_padding(struct frame *f)
{
    if (!(f->flags & H2_PADDED))
        return;
    ck_assert_msg(f->len > 0 && f->at[0] < f->len, "padding of %u in a frame of %zu bytes", f->at[0], f->len);
    f->len -= 1u + f->at[0];
    f->at++;
}

static void on_data(struct h2 *h, struct frame *f)
{
    struct h2_stream *s = stream_of(h, f);
    size_t all = f->len;
    h->window -= (int64_t)all;
    s->window -= (int64_t)all;
    ck_assert_msg(all == 0 || (h->window >= 0 && s->window >= 0),
                  "%zu bytes of DATA on stream %u, %jd past the window of the %s", all, s->id,
                  (intmax_t)(h->window < s->window ? -h->window : -s->window),
                  h->window < s->window ? "connection" : "stream");
    ck_assert_msg(s->status || s->given_up, "DATA on stream %u before a head", s->id);
    without_padding(f);
    h->received += f->len;
    if (!h->on_data && !s->given_up) {
        struct h2_bytes body = {.at = s->body, .len = s->len, .cap = s->body ? s->len + 1 : 0};
        h2_put(&body, f->at, f->len);
        s->body = realloc(body.at, body.len + 1);
    } else if (h->on_data) {
        h->on_data(h, s, (const char *)f->at, f->len);
    }
    s->len += f->len;
    if (f->flags & H2_END_STREAM)
        stream_ends(h, s);
    if (h->gives_back)
        give_back(h, s, all);
}

static void end_block(struct h2 *h)
{
    struct h2_stream *s = h2_stream(h, h->block_stream);
    take_head(h, s);
    h->block_stream = 0;
    h->block.len = 0;
}

static void on_headers(struct h2 *h, struct frame *f)
{
    stream_of(h, f);
    without_padding(f);
    ck_assert_msg(!(f->flags & H2_PRIORITIZED), "a server that sends priorities");
    h->block_stream = f->stream;
    h->block_ends_stream = f->flags & H2_END_STREAM;
    h2_put(&h->block, f->at, f->len);
    if (f->flags & H2_END_HEADERS)
        end_block(h);
}

static void on_continuation(struct h2 *h, struct frame *f)
{
    h2_put(&h->block, f->at, f->len);
    if (f->flags & H2_END_HEADERS)
        end_block(h);
}

static void on_reset(struct h2 *h, struct frame *f)
{
    struct h2_stream *s = h2_stream(h, f->stream);
    ck_assert_msg(s && f->len == 4, "RST_STREAM of %zu bytes on stream %u", f->len, f->stream);
    ck_assert_msg(!s->reset, "RST_STREAM twice on stream %u", f->stream);
    s->reset = true;
    s->code = number_at(f->at);
    s->number = h->received;
}

static void on_settings(struct h2 *h, struct frame *f)
{
    ck_assert_uint_eq(f->stream, 0);
    if (f->flags & H2_ACK) {
        ck_assert_uint_eq(f->len, 0);
        note_acknowledgement(h);
        return;
    }
    ck_assert_uint_eq(f->len % 6, 0);
    h->settings_frames++;
    for (size_t i = 0; i < f->len; i += 6) {
        unsigned id = (unsigned)f->at[i] << 8 | f->at[i + 1];
        uint32_t value = number_at(f->at + i + 2);
        ck_assert_msg(id != H2_ENABLE_PUSH || value == 0, "a server with ENABLE_PUSH %u", value);
        ck_assert_msg(id != H2_INITIAL_WINDOW || value <= INT32_MAX, "INITIAL_WINDOW_SIZE %u", value);
        ck_assert_msg(id != H2_MAX_FRAME || (value >= FRAME_MOST && value < 1 << 24), "MAX_FRAME_SIZE %u", value);
        for (size_t k = 0; id == H2_INITIAL_WINDOW && k < h->count; k++)
            h->streams[k]->room += (int64_t)value - h->initial_room;
        if (id == H2_INITIAL_WINDOW)
            h->initial_room = value;
        if (id < H2_SETTINGS_KNOWN)
            h->settings[id] = value;
    }
    if (h->answers)
        h2_frame(h, H2_SETTINGS, H2_ACK, 0, "", 0);
}

static void on_ping(struct h2 *h, struct frame *f)
{
    ck_assert_msg(f->stream == 0 && f->len == 8, "PING of %zu bytes on stream %u", f->len, f->stream);
    if (f->flags & H2_ACK)
        h->pings++;
    else if (h->answers)
        h2_frame(h, H2_PING, H2_ACK, 0, f->at, 8);
}

static void on_goaway(struct h2 *h, struct frame *f)
{
    ck_assert_msg(f->stream == 0 && f->len >= 8, "GOAWAY of %zu bytes on stream %u", f->len, f->stream);
    uint32_t last = number_at(f->at) & INT32_MAX;
    ck_assert_msg(h->goaways == 0 || last <= h->goaway_last, "GOAWAY raises the last stream from %u to %u",
                  h->goaway_last, last);
    h->goaways++;
    h->goaway_last = last;
    h->goaway_code = number_at(f->at + 4);
}

static void on_window_update(struct h2 *h, struct frame *f)
{
    ck_assert_msg(f->len == 4 && (number_at(f->at) & INT32_MAX) > 0, "WINDOW_UPDATE of %zu bytes", f->len);
    struct h2_stream *s = h2_stream(h, f->stream);
    int64_t more = number_at(f->at) & INT32_MAX, *room = f->stream == 0 ? &h->room : s ? &s->room : NULL;
    ck_assert_msg(room, "WINDOW_UPDATE on stream %u, which is idle", f->stream);
    *room += more;
    ck_assert_msg(*room <= INT32_MAX, "WINDOW_UPDATE on stream %u makes a window of %jd", f->stream, (intmax_t)*room);
    h->updates += f->stream == 0 ? (uint64_t)more : 0;
}

static void on_frame(struct h2 *h, struct frame *f)
{
    static void (*const steps[])(struct h2 *, struct frame *) = {
        [H2_DATA] = on_data,
        [H2_HEADERS] = on_headers,
        [H2_RST_STREAM] = on_reset,
        [H2_SETTINGS] = on_settings,
        [H2_PING] = on_ping,
        [H2_GOAWAY] = on_goaway,
        [H2_CONTINUATION] = on_continuation,
        [H2_WINDOW_UPDATE] = on_window_update,
    };
    ck_assert_msg(h->settings_frames > 0 || (f->type == H2_SETTINGS && !(f->flags & H2_ACK)) || f->type == H2_GOAWAY,
                  "the server begins with a frame of type %u", f->type);
    ck_assert_msg(f->len <= FRAME_MOST, "a frame of %zu bytes", f->len);
    ck_assert_msg((f->type == H2_CONTINUATION) == (h->block_stream != 0) &&
                      (!h->block_stream || h->block_stream == f->stream),
                  "a frame of type %u on stream %u inside of, or without, a header block", f->type, f->stream);
    ck_assert_msg(f->type < sizeof steps / sizeof *steps && steps[f->type], "a frame of type %u from a server",
                  f->type);
    h->frames[f->type]++;
    steps[f->type](h, f);
}

void h2_feed(struct h2 *h, const void *bytes, size_t len)
{
    size_t at = 0;
    h2_put(&h->in, bytes, len);
    while (h->in.len - at >= H2_FRAME_HEAD) {
        const unsigned char *head = (unsigned char *)h->in.at + at;
        size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        struct frame f = {head[3], head[4], number_at(head + 5) & INT32_MAX, head + H2_FRAME_HEAD, size};
        if (h->in.len - at < H2_FRAME_HEAD + size) {
            ck_assert_msg(size <= FRAME_MOST, "a frame of %zu bytes", size);
            break;
        }
        on_frame(h, &f);
        at += H2_FRAME_HEAD + size;
    }
    consume(&h->in, at);
}
