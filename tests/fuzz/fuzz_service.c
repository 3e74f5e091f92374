/* fuzz_service.c - bytes of a client through the whole service, up to the bytes that come back:
 * heads, routing, files, listings, ranges, errors, over a real connection.
 *
 * What comes back is a sequence of well-formed responses, each whole; a file's bytes are that
 * file's; nothing from outside of the roots appears; and the same bytes cut into other reads get
 * the same responses.
 *
 * Input: one byte that chooses the address and seeds the cuts, then what the client sends. */
#include "fuzz.h"
#include "world.h"

#include "base/number.h"

enum { MOST = 8 * 1024 };

struct answer {
    int status;
    struct text head;   /* status line to empty line */
    struct text fields; /* without the status line and the empty line */
    struct text body;
    bool closes, head_only;
};

/* The value of a field that the service sent, absent: none. */
static struct text field(const struct answer *a, const char *name)
{
    struct text rest = a->fields, wanted = text_of(name);

    while (rest.len > 0) {
        struct text line = {rest.at, text_find(rest, '\r')};
        if (line.len > wanted.len && text_starts(line, wanted) && line.at[wanted.len] == ':')
            return text_from(line, line.len > wanted.len + 1 ? wanted.len + 2 : wanted.len + 1);
        rest = text_from(rest, line.len + 2);
    }
    return TEXT_NONE;
}

static uint64_t number_of(struct text t)
{
    uint64_t value = 0;

    FUZZ_CHECK(number_parse(t, &value) == 0, "no number: %.*s", TEXT_ARG(t));
    return value;
}

static bool is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* It answers HEAD. The line of a request that was refused for its control bytes is escaped as a
 * whole, and then looks like that of a method with that name: it is the last one, so that `rest`
 * tells. */
static bool is_head_only(const struct answer *a, struct text rest)
{
    struct text request = field(a, "X-Request");

    return text_starts(request, TEXT("HEAD ")) || (text_starts(request, TEXT("HEAD%20")) && rest.len == 0);
}

/* "HTTP/1.1 200 OK", then "Name: value" lines, nothing that another reader could take for an end of
 * a line. */
static void check_head(const struct answer *a)
{
    struct text rest = a->fields;
    unsigned lengths = 0;

    FUZZ_CHECK(a->status >= 100 && a->status <= 599, "status %d", a->status);
    for (size_t i = 0; i < a->head.len; i++) {
        unsigned char c = (unsigned char)a->head.at[i];
        bool ends = c == '\r' && a->head.at[i + 1] == '\n', ended = c == '\n' && i > 0 && a->head.at[i - 1] == '\r';
        FUZZ_CHECK(ends || ended || c == '\t' || (c >= ' ' && c != 0x7f), "byte %02x in a head:\n%.*s", c,
                   TEXT_ARG(a->head));
    }
    while (rest.len > 0) {
        struct text line = {rest.at, text_find(rest, '\r')};
        size_t colon = text_find(line, ':');
        FUZZ_CHECK(colon > 0 && colon + 1 < line.len && line.at[colon + 1] == ' ', "a field: %.*s", TEXT_ARG(line));
        lengths += text_equal_nocase((struct text){line.at, colon}, TEXT("content-length"));
        rest = text_from(rest, line.len + 2);
    }
    unsigned chunked = field(a, "Transfer-Encoding").at != NULL;
    FUZZ_CHECK(lengths + chunked <= 1, "two lengths:\n%.*s", TEXT_ARG(a->head));
    FUZZ_CHECK(lengths + chunked == 0 || !is_bodiless(a->status), "a length of nothing:\n%.*s", TEXT_ARG(a->head));
}

/* Takes a line that ends with CRLF. */
static struct text take_line(struct text *rest)
{
    const char *end = memmem(rest->at, rest->len, "\r\n", 2);

    FUZZ_CHECK(end, "cut within chunks");
    struct text line = text_span(rest->at, end);
    *rest = text_from(*rest, line.len + 2);
    return line;
}

/* Takes chunks and trailers off `rest`; what the chunks held is joined in the place of the first.
 * RFC 9112, 7.1. */
static struct text take_chunks(struct text *rest)
{
    char *start = (char *)(uintptr_t)rest->at, *to = start; /* the buffer is ours */

    for (;;) {
        struct text line = take_line(rest);
        size_t len = 0;
        FUZZ_CHECK(line.len > 0 && line.len <= 8, "a chunk size: %.*s", TEXT_ARG(line));
        for (size_t i = 0; i < line.len; i++) {
            const char *digit = strchr("0123456789abcdef", text_lower(line.at[i]));
            FUZZ_CHECK(digit && *digit, "a chunk size: %.*s", TEXT_ARG(line));
            len = len * 16 + (size_t)(digit - "0123456789abcdef");
        }
        if (len == 0)
            break;
        FUZZ_CHECK(len <= rest->len, "cut within a chunk");
        memmove(to, rest->at, len);
        to += len;
        *rest = text_from(*rest, len);
        FUZZ_CHECK(take_line(rest).len == 0, "a chunk is longer than its size");
    }
    for (struct text line; (line = take_line(rest)).len > 0;)
        FUZZ_CHECK(text_find(line, ':') > 0 && text_find(line, ':') < line.len, "a trailer: %.*s", TEXT_ARG(line));
    return text_span(start, to);
}

/* The body that belongs to the head. */
static struct text take_body(const struct answer *a, struct text *rest)
{
    bool chunked = field(a, "Transfer-Encoding").at;
    uint64_t len = field(a, "Content-Length").at ? number_of(field(a, "Content-Length")) : 0;

    if (a->head_only || is_bodiless(a->status))
        return (struct text){rest->at, 0};
    if (chunked)
        return take_chunks(rest);
    if (!field(a, "Content-Length").at) { /* to the end of the connection */
        FUZZ_CHECK(a->closes, "a body without an end:\n%.*s", TEXT_ARG(a->head));
        len = rest->len;
    }
    FUZZ_CHECK(len <= rest->len, "a body of %ju bytes is cut after %zu:\n%.*s", (uintmax_t)len, rest->len,
               TEXT_ARG(a->head));
    struct text body = {rest->at, (size_t)len};
    *rest = text_from(*rest, body.len);
    return body;
}

/* Takes the next response off `rest`. */
static struct answer take_answer(struct text *rest)
{
    struct answer a = {0};
    const char *end = memmem(rest->at, rest->len, "\r\n\r\n", 4);
    size_t line = text_find(*rest, '\r');

    FUZZ_CHECK(end && rest->len > 16 && text_starts(*rest, TEXT("HTTP/1.1 ")), "no response: %.*s", TEXT_ARG(*rest));
    a.head = text_span(rest->at, end + 4);
    a.status = (int)number_of((struct text){rest->at + 9, 3});
    a.fields = line + 2 < a.head.len - 2 ? text_span(rest->at + line + 2, end + 2) : TEXT("");
    check_head(&a);
    *rest = text_from(*rest, a.head.len);
    a.closes = text_equal(field(&a, "Connection"), TEXT("close"));
    a.head_only = is_head_only(&a, *rest);
    a.body = take_body(&a, rest);
    return a;
}

/* ---- bodies ---- */

/* "bytes 0-99/1000" of a file: the part of it; a property that does not hold aborts. */
static struct text part_of(struct text file, struct text range)
{
    size_t dash = text_find(range, '-'), slash = text_find(range, '/');

    FUZZ_CHECK(text_starts(range, TEXT("bytes ")) && dash < slash && slash < range.len, "%.*s", TEXT_ARG(range));
    uint64_t first = number_of((struct text){range.at + 6, dash - 6});
    uint64_t last = number_of((struct text){range.at + dash + 1, slash - dash - 1});
    FUZZ_CHECK(first <= last && last < file.len && number_of(text_from(range, slash + 1)) == file.len,
               "%.*s of %zu bytes", TEXT_ARG(range), file.len);
    return (struct text){file.at + first, last - first + 1};
}

static void check_parts(struct text body, struct text boundary, struct text file)
{
    static const char name[] = "Content-Range: ";

    for (;;) {
        FUZZ_CHECK(text_starts(body, TEXT("\r\n--")) && text_starts(text_from(body, 4), boundary), "no boundary");
        body = text_from(body, 4 + boundary.len);
        if (text_equal(body, TEXT("--\r\n")))
            return;
        const char *range = memmem(body.at, body.len, name, sizeof name - 1);
        const char *end = memmem(body.at, body.len, "\r\n\r\n", 4);
        FUZZ_CHECK(range && end && range < end, "no range in a part");
        struct text part = part_of(file, text_span(range + sizeof name - 1, end));
        body = text_span(end + 4, body.at + body.len);
        FUZZ_CHECK(text_starts(body, part), "a part has other bytes than the file");
        body = text_from(body, part.len);
    }
}

/* Those of this world hold other bytes than the file that they stand beside; the tag says that they were decoded. */
static bool is_of_side_file(const struct answer *a)
{
    struct text tag = field(a, "ETag");

    return field(a, "Content-Encoding").at || (tag.at && memmem(tag.at, tag.len, "-un", 3));
}

static void check_body(const struct answer *a)
{
    struct text file = world_file(field(a, "X-File")), type = field(a, "Content-Type");
    static const char multipart[] = "multipart/byteranges; boundary=";

    FUZZ_CHECK(!memmem(a->body.at, a->body.len, world_secret().at, world_secret().len), "a file outside of the root");
    if (a->status == 206)
        FUZZ_CHECK(file.at, "206 of no file");
    if (!file.at || a->head_only || is_of_side_file(a))
        return;
    if (a->status == 200)
        FUZZ_CHECK(text_equal(a->body, file), "other bytes than the file:\n%.*s", TEXT_ARG(a->head));
    if (a->status == 206 && text_starts(type, TEXT(multipart)))
        check_parts(a->body, text_from(type, sizeof multipart - 1), file);
    else if (a->status == 206)
        FUZZ_CHECK(text_equal(a->body, part_of(file, field(a, "Content-Range"))), "other bytes than the range");
}

/* ---- the whole answer ---- */

static void add_without(struct buffer *out, struct text t, struct text boundary)
{
    while (t.len > 0) {
        const char *hit = boundary.len > 0 ? memmem(t.at, t.len, boundary.at, boundary.len) : NULL;
        size_t before = hit ? (size_t)(hit - t.at) : t.len;
        buffer_add(out, t.at, before);
        t = text_from(t, before + (hit ? boundary.len : 0));
    }
}

/* The connection ends with it. Of several things that are wrong, the first one that is seen is
 * named; and a line that is too long may be refused before the rest of the head comes, or not if
 * the rest never does. */
static bool is_refusal(const struct answer *a)
{
    static const int statuses[] = {400, 413, 414, 431, 501, 505};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (a->closes && a->status == statuses[i])
            return true;
    return false;
}

/* What must be the same however the request came: without the date, the boundary (a counter), how
 * much of a bad request was understood, and 100 Continue, which is for clients that have not sent
 * the body yet. */
static void add_comparable(struct buffer *out, const struct answer *a)
{
    struct text type = field(a, "Content-Type"), boundary = TEXT_NONE, rest = a->fields;
    size_t equals = text_find(type, '=');

    if (a->status == 100 || is_refusal(a))
        return;
    if (equals < type.len)
        boundary = text_from(type, equals + 1);
    buffer_printf(out, "%d\n", a->status);
    while (rest.len > 0) {
        struct text line = {rest.at, text_find(rest, '\r')};
        if (!text_starts(line, TEXT("Date: ")) && !text_starts(line, TEXT("X-Request: ")) &&
            !text_starts(line, TEXT("X-File: ")))
            add_without(out, line, boundary);
        buffer_add_char(out, '\n');
        rest = text_from(rest, line.len + 2);
    }
    if (!field(a, "Content-Encoding").at) /* compressed blocks may end elsewhere */
        add_without(out, a->body, boundary);
}

static void exchange(struct text bytes, unsigned address, bool cut, uint32_t seed, struct buffer *comparable)
{
    const struct client_script script = {.bytes = bytes, .address = address, .cut = cut, .seed = seed};
    struct buffer answer;
    bool closed = false;

    buffer_init(&answer);
    world_exchange(&script, &answer);
    for (struct text rest = {answer.data, answer.len}; rest.len > 0;) {
        FUZZ_CHECK(!closed, "a response after Connection: close");
        struct answer a = take_answer(&rest);
        check_body(&a);
        add_comparable(comparable, &a);
        closed = a.closes;
    }
    buffer_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t seed = fuzz_byte(&in);
    struct text bytes = {(const char *)in.at, in.left};
    struct buffer whole, cut;

    if (size > MOST)
        return 0;
    buffer_init(&whole);
    buffer_init(&cut);
    exchange(bytes, seed % WORLD_HTTP1, false, 0, &whole);
    exchange(bytes, seed % WORLD_HTTP1, true, seed, &cut);
    FUZZ_CHECK(text_equal((struct text){whole.data, whole.len}, (struct text){cut.data, cut.len}),
               "cut into reads: other responses\nwhole: %.*s\ncut: %.*s", (int)whole.len, whole.data, (int)cut.len,
               cut.data);
    buffer_fini(&whole);
    buffer_fini(&cut);
    return 0;
}
