/* fuzz_h2.c - frames of a client of HTTP/2 through the whole service, up to the frames that come back.
 * RFC 9113.
 *
 * What comes back is a sequence of whole frames on streams that the client opened, no longer than allowed,
 * none behind the end of its stream; DATA is never more than the windows that the client gave; heads can
 * be decompressed; and what a response brings are the bytes of the file that it names.
 *
 * Input: a byte that seeds the cuts (its highest bit: there are none), and records, each a byte of type and
 * one each of flags, stream, and length, with so much of payload. The type's highest bit: as they
 * are, bytes without a frame around them; the next one: the payload follows the block of a request. */
#include "fuzz.h"
#include "world.h"

#include "base/number.h"

#include <nghttp2/nghttp2.h>

enum {
    MOST = 16 * 1024,
    HEAD = 9,
    STREAMS = 64, /* odd numbers, from 1 on */
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PUSH_PROMISE = 5,
    GOAWAY = 7,
    WINDOW_UPDATE = 8,
    CONTINUATION = 9,
    PRIORITY_UPDATE = 16
};
enum { END_STREAM = 1, END_HEADERS = 4, ACK = 1 };

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* ---- what the client says ---- */

static void put_head(struct buffer *b, size_t len, unsigned type, unsigned flags, uint32_t stream)
{
    const unsigned char head[HEAD] = {
        (unsigned char)(len >> 16),    (unsigned char)(len >> 8),    (unsigned char)len,
        (unsigned char)type,           (unsigned char)flags,         (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream,
    };

    buffer_add(b, head, sizeof head);
}

/* GET or POST of one of some paths, as literals. */
static void put_request(struct buffer *b, unsigned which)
{
    static const char *const paths[] = {"/small.txt", "/large.bin",        "/page.html",      "/d/",
                                        "/missing",   "/direct/large.bin", "/copy/page.html", "/trailer/page.html",
                                        "/silent",    "/zip/page.html",    "/cold/large.bin", "/go/x"};
    const char *path = paths[which % (sizeof paths / sizeof *paths)];

    buffer_add_char(b, which & 0x80 ? '\x83' : '\x82');
    buffer_add_str(b, "\x86\x01\x01"
                      "a"
                      "\x04");
    buffer_add_char(b, (char)strlen(path));
    buffer_add_str(b, path);
}

static void put_record(struct buffer *b, struct fuzz_input *in)
{
    struct buffer payload;
    unsigned op = fuzz_byte(in), flags = fuzz_byte(in), stream = fuzz_byte(in), len = fuzz_byte(in);
    unsigned type = (op & 15) == 15 ? PRIORITY_UPDATE : op & 15;

    len = len < in->left ? len : (unsigned)in->left;
    buffer_init(&payload);
    if (op & 0x40)
        put_request(&payload, fuzz_byte(in));
    len = len < in->left ? len : (unsigned)in->left;
    buffer_add(&payload, in->at, len);
    in->at += len;
    in->left -= len;
    if (!(op & 0x80))
        put_head(b, payload.len, type, flags, stream % (2 * STREAMS));
    buffer_add(b, payload.data, payload.len);
    buffer_fini(&payload);
}

/* ---- what it allows ---- */

struct stream {
    uint64_t window; /* that the client gave, at most */
    uint64_t data;   /* that came */
    struct text file;
    size_t at;
    uint64_t length;
    int status;
    bool opened, headed, ended, has_length, head_only, plain;
};

struct view {
    struct stream streams[STREAMS];
    uint64_t window, data, initial;
    nghttp2_hd_inflater *inflater;
    bool settings, away;
    uint32_t block; /* a header block of this stream goes on; 0: none */
    struct buffer fields;
};

struct frame {
    size_t len;
    unsigned type, flags;
    uint32_t stream;
    const unsigned char *payload;
};

static uint32_t number(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool next_frame(struct text *rest, struct frame *f)
{
    const unsigned char *at = (const unsigned char *)rest->at;

    if (rest->len < HEAD)
        return false;
    *f = (struct frame){(size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2], at[3], at[4], number(at + 5) & INT32_MAX,
                        at + HEAD};
    if (rest->len - HEAD < f->len)
        return false;
    *rest = text_from(*rest, HEAD + f->len);
    return true;
}

static struct stream *stream_of(struct view *v, uint32_t id)
{
    return id % 2 == 1 && id < 2 * STREAMS ? &v->streams[id / 2] : NULL;
}

/* An upper bound, whenever the server read it: the largest of all initial windows, and all increments. */
static void allow(struct view *v, struct text said)
{
    struct frame f;

    v->window = v->initial = 65535;
    while (next_frame(&said, &f)) {
        struct stream *s = stream_of(v, f.stream);
        if (f.type == HEADERS && s)
            s->opened = true;
        if (f.type == WINDOW_UPDATE && f.len == 4 && (s || f.stream == 0))
            *(s ? &s->window : &v->window) += number(f.payload) & INT32_MAX;
        for (size_t i = 0; f.type == SETTINGS && i + 6 <= f.len; i += 6)
            if (f.payload[i] == 0 && f.payload[i + 1] == 4 && number(f.payload + i + 2) > v->initial)
                v->initial = number(f.payload + i + 2);
    }
}

/* ---- what comes back ---- */

static struct text field(struct text fields, const char *name)
{
    struct text wanted = text_of(name);

    while (fields.len > 0) {
        struct text line = {fields.at, text_find(fields, '\n')};
        if (line.len > wanted.len && text_starts(line, wanted) && line.at[wanted.len] == '\t')
            return text_from(line, wanted.len + 1);
        fields = text_from(fields, line.len < fields.len ? line.len + 1 : line.len);
    }
    return TEXT_NONE;
}

static void take_fields(struct view *v, const struct frame *f)
{
    const unsigned char *at = f->payload;
    size_t left = f->len;
    bool last = f->flags & END_HEADERS;

    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(v->inflater, &nv, &flags, at, left, last);
        FUZZ_CHECK(n >= 0, "a head that cannot be decompressed: %s", nghttp2_strerror((int)n));
        at += n;
        left -= (size_t)n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            for (size_t i = 0; i < nv.namelen; i++)
                FUZZ_CHECK(nv.name[i] > ' ' && !(nv.name[i] >= 'A' && nv.name[i] <= 'Z'), "a name");
            for (size_t i = 0; i < nv.valuelen; i++)
                FUZZ_CHECK(nv.value[i] == '\t' || (nv.value[i] >= ' ' && nv.value[i] != 0x7f), "a value");
            buffer_add(&v->fields, nv.name, nv.namelen);
            buffer_add_char(&v->fields, '\t');
            buffer_add(&v->fields, nv.value, nv.valuelen);
            buffer_add_char(&v->fields, '\n');
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            nghttp2_hd_inflate_end_headers(v->inflater);
            break;
        }
        if (left == 0 && !(flags & NGHTTP2_HD_INFLATE_EMIT))
            break;
    }
}

/* "bytes 0-99/1000" of a file: the part of it. */
static struct text part_of(struct text file, struct text range)
{
    size_t dash = text_find(range, '-'), slash = text_find(range, '/');
    uint64_t first = 0, last = 0;

    FUZZ_CHECK(text_starts(range, TEXT("bytes ")) && dash < slash && slash < range.len, "%.*s", TEXT_ARG(range));
    FUZZ_CHECK(number_parse((struct text){range.at + 6, dash - 6}, &first) == 0 &&
                   number_parse((struct text){range.at + dash + 1, slash - dash - 1}, &last) == 0 && first <= last &&
                   last < file.len,
               "%.*s", TEXT_ARG(range));
    return (struct text){file.at + first, last - first + 1};
}

static void take_head(struct view *v, struct stream *s, bool ends)
{
    struct text fields = {v->fields.data, v->fields.len}, status = field(fields, ":status");
    struct text length = field(fields, "content-length"), file = world_file(field(fields, "x-file"));
    uint64_t code = 0;

    if (s->headed) { /* trailers */
        FUZZ_CHECK(!status.at && ends, "a second head");
        return;
    }
    FUZZ_CHECK(number_parse(status, &code) == 0 && code >= 100 && code <= 599, "a status");
    if (code < 200) {
        FUZZ_CHECK(!ends, "the end of a stream that has no response");
        return;
    }
    s->headed = true;
    s->status = (int)code;
    s->has_length = length.at;
    FUZZ_CHECK(!length.at || number_parse(length, &s->length) == 0, "a length");
    s->head_only = ends && s->data == 0; /* HEAD, 304, 204 */
    s->plain = file.at && !field(fields, "content-encoding").at &&
               (code == 200 || (code == 206 && !text_starts(field(fields, "content-type"), TEXT("multipart/"))));
    if (s->plain)
        s->file = code == 206 ? part_of(file, field(fields, "content-range")) : file;
}

static void take_block(struct view *v, const struct frame *f)
{
    struct stream *s = stream_of(v, f->stream);

    FUZZ_CHECK(f->type == HEADERS ? v->block == 0 : v->block == f->stream, "a block within a block");
    FUZZ_CHECK(!(f->flags & 0x28), "padding or a priority");
    if (f->type == HEADERS)
        v->fields.len = 0;
    take_fields(v, f);
    v->block = f->flags & END_HEADERS ? 0 : f->stream;
    if (f->type == HEADERS)
        s->ended = f->flags & END_STREAM;
    if (v->block == 0)
        take_head(v, s, s->ended);
}

static void check_end(const struct stream *s)
{
    FUZZ_CHECK(s->headed, "an end without a head");
    if (s->has_length && !s->head_only)
        FUZZ_CHECK(s->data == s->length, "%ju bytes, content-length %ju", (uintmax_t)s->data, (uintmax_t)s->length);
    if (s->plain && !s->head_only)
        FUZZ_CHECK(s->data == s->file.len, "%ju bytes of %zu", (uintmax_t)s->data, s->file.len);
}

static void take_data(struct view *v, struct stream *s, const struct frame *f)
{
    struct text bytes = {(const char *)f->payload, f->len};

    FUZZ_CHECK(s->headed && !(f->flags & 8), "DATA before the head, or padded");
    FUZZ_CHECK(!memmem(bytes.at, bytes.len, world_secret().at, world_secret().len), "a file outside of the root");
    if (s->plain)
        FUZZ_CHECK(bytes.len <= s->file.len - s->data && memcmp(bytes.at, s->file.at + s->data, bytes.len) == 0,
                   "other bytes than the file's");
    s->data += f->len;
    v->data += f->len;
    FUZZ_CHECK(v->data <= v->window && s->data <= v->initial + s->window, "more than the windows");
    s->ended = f->flags & END_STREAM;
}

static void take_frame(struct view *v, const struct frame *f)
{
    struct stream *s = stream_of(v, f->stream);

    FUZZ_CHECK(f->len <= 16384, "a frame of %zu bytes", f->len);
    FUZZ_CHECK(v->settings || (f->type == SETTINGS && !(f->flags & ACK)), "the first frame is of type %u", f->type);
    v->settings = true;
    FUZZ_CHECK(!v->away, "a frame of type %u after the last one", f->type);
    FUZZ_CHECK(v->block == 0 || f->type == CONTINUATION, "a frame of type %u in a block", f->type);
    FUZZ_CHECK(f->type != PUSH_PROMISE && f->type <= CONTINUATION, "type %u", f->type);
    if (f->stream == 0) {
        FUZZ_CHECK(f->type == SETTINGS || f->type == 6 || f->type == GOAWAY || f->type == WINDOW_UPDATE, "type %u",
                   f->type);
        v->away = f->type == GOAWAY && number(f->payload + 4) != 0;
        return;
    }
    FUZZ_CHECK(s && s->opened, "stream %u, which the client did not open", f->stream);
    FUZZ_CHECK(!s->ended || f->type == RST_STREAM || f->type == WINDOW_UPDATE || f->type == CONTINUATION,
               "a frame of type %u after the end", f->type);
    if (f->type == DATA)
        take_data(v, s, f);
    else if (f->type == HEADERS || f->type == CONTINUATION)
        take_block(v, f);
    else if (f->type == RST_STREAM)
        s->ended = true;
    if ((f->type == DATA || f->type == HEADERS) && s->ended && v->block == 0)
        check_end(s);
}

static void exchange(struct text said, uint32_t seed)
{
    const struct client_script script = {.bytes = said, .address = WORLD_HTTP2, .cut = !(seed & 0x80), .seed = seed};
    struct view v = {0};
    struct buffer answer;
    struct frame f;

    buffer_init(&answer);
    buffer_init(&v.fields);
    if (nghttp2_hd_inflate_new(&v.inflater) != 0)
        abort();
    allow(&v, text_from(said, sizeof PREFACE - 1));
    world_exchange(&script, &answer);
    struct text rest = {answer.data, answer.len};
    while (next_frame(&rest, &f))
        take_frame(&v, &f);
    FUZZ_CHECK(rest.len == 0, "%zu bytes of a frame", rest.len);
    nghttp2_hd_inflate_del(v.inflater);
    buffer_fini(&v.fields);
    buffer_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t seed = fuzz_byte(&in);
    struct buffer said;

    if (size > MOST)
        return 0;
    buffer_init(&said);
    buffer_add(&said, PREFACE, sizeof PREFACE - 1);
    while (in.left > 0)
        put_record(&said, &in);
    exchange((struct text){said.data, said.len}, seed);
    buffer_fini(&said);
    return 0;
}
