/* fuzz_head.c - request heads and bodies: the pre-scan, llhttp, framing. However the bytes are cut
 * into reads, the result is the same; and what was understood is what a simple reader of lines
 * finds.
 *
 * Input: one byte that seeds the cuts, then bytes as a client would send them. */
#include "fuzz.h"

#include "base/arena.h"
#include "http/h1/parse.h"
#include "http/syntax/uri.h"

static struct framing framing; /* of the head at hand */

enum { HEADERS_MOST = 64 };

/* Lengths of successive reads: 1 to 16 bytes, from a small generator. */
static size_t next_cut(uint32_t *seed, size_t left)
{
    *seed = *seed * 1664525u + 1013904223u;
    size_t n = 1 + (*seed >> 28);
    return n < left ? n : left;
}

/* ---- the pre-scan ---- */

/* As the connection does it: an empty line is taken off before the scan begins. Each read is seen
 * in a copy of its own. */
static enum scan_result scan_in_pieces(const char *bytes, size_t len, uint32_t seed, size_t *start, size_t *end)
{
    struct scan scan = {0};
    enum scan_result result = SCAN_MORE;
    size_t have = 0, skipped = 0;

    while (have < len && result == SCAN_MORE) {
        have += next_cut(&seed, len - have);
        char *copy = fuzz_copy(bytes + skipped, have - skipped);
        size_t skip = parse_skip_empty(&scan, copy, have - skipped);
        if (skip > 0) {
            memmove(copy, copy + skip, have - skipped - skip);
            skipped += skip;
        }
        if (have > skipped)
            result = parse_scan(&scan, copy, have - skipped);
        free(copy);
    }
    *start = skipped;
    *end = skipped + scan.at;
    return result;
}

/* ---- the head ---- */

static void check_value(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        FUZZ_CHECK(((unsigned char)t.at[i] >= ' ' && t.at[i] != 0x7f) || t.at[i] == '\t', "control byte in a value");
    FUZZ_CHECK(text_equal(text_trim(t), t), "white space around a value");
}

/* Field by field, beside a reader that knows nothing but CRLF and the first colon. */
static void check_fields(const struct message *m, const char *head, size_t len)
{
    struct text rest = {head, len};
    size_t end = text_find(rest, '\n');
    unsigned count = 0, hosts = 0;

    FUZZ_CHECK(end < len && text_equal(m->line, (struct text){head, end - 1}), "the request line differs");
    for (rest = text_from(rest, end + 1); rest.len > 2; rest = text_from(rest, end + 1)) {
        end = text_find(rest, '\n');
        struct text line = {rest.at, end - 1};
        size_t colon = text_find(line, ':');
        FUZZ_CHECK(count < m->count && colon < line.len, "a field was lost");
        const struct header *h = &m->headers[count++];
        FUZZ_CHECK(text_equal(h->name, (struct text){line.at, colon}), "another name: %.*s", TEXT_ARG(h->name));
        FUZZ_CHECK(text_equal(h->value, text_trim(text_from(line, colon + 1))), "another value: %.*s",
                   TEXT_ARG(h->value));
        check_value(h->value);
        hosts += text_equal_nocase(h->name, TEXT("host"));
    }
    FUZZ_CHECK(count == m->count, "%u fields, not %u", m->count, count);
    FUZZ_CHECK(hosts == 1 || (hosts == 0 && m->protocol == PROTOCOL_1_0), "%u Host fields", hosts);
}

static void check_framing(const struct message *m)
{
    unsigned lengths = 0, codings = 0;

    for (unsigned i = 0; i < m->count; i++) {
        lengths += text_equal_nocase(m->headers[i].name, TEXT("content-length"));
        codings += text_equal_nocase(m->headers[i].name, TEXT("transfer-encoding"));
    }
    FUZZ_CHECK(lengths + codings <= 1, "two answers to how long the body is");
    FUZZ_CHECK(framing.chunked == (codings == 1) && m->has_length == (lengths == 1), "framing was not seen");
    FUZZ_CHECK(!framing.chunked || m->protocol == PROTOCOL_1_1, "chunked on HTTP/1.0");
    for (size_t i = 0; m->has_length && i < m->fields[FIELD_CONTENT_LENGTH].len; i++)
        FUZZ_CHECK(m->fields[FIELD_CONTENT_LENGTH].at[i] >= '0' && m->fields[FIELD_CONTENT_LENGTH].at[i] <= '9',
                   "a length with other bytes than digits");
}

static void check_message(const struct message *m, const char *head, size_t len)
{
    struct uri uri;

    FUZZ_CHECK(m->count <= HEADERS_MOST && m->protocol <= PROTOCOL_1_1, "%u fields", m->count);
    for (unsigned i = 0; i < m->count; i++) {
        fuzz_inside(m->headers[i].name, head, len);
        fuzz_inside(m->headers[i].value, head, len);
    }
    for (int i = 0; i < FIELD_COUNT; i++)
        fuzz_inside(m->fields[i], head, len);
    fuzz_inside(m->target, head, len);
    check_fields(m, head, len);
    check_framing(m);
    if (uri_split(m->target, &uri) == 0) {
        fuzz_inside(uri.host, head, len);
        fuzz_inside(uri.args, head, len);
    }
}

/* The same head elsewhere in memory: the answer depends on the bytes alone. */
static void check_again(const struct message *m, int status, const char *bytes, size_t len)
{
    struct arena arena;
    struct message other;
    struct framing again;
    char *copy = fuzz_copy(bytes, len);

    arena_init(&arena, 512);
    FUZZ_CHECK(parse_head(&other, &again, copy, len, HEADERS_MOST, &arena) == status, "another status");
    FUZZ_CHECK(other.count == m->count && other.length == m->length && again.keep_alive == framing.keep_alive &&
                   other.method == m->method,
               "another message");
    arena_fini(&arena);
    free(copy);
}

/* ---- the body ---- */

struct taken {
    bool failed, done;
    size_t bytes;
    uint64_t seen;
};

static struct taken take_body(const struct message *m, const char *bytes, size_t len, uint32_t seed, bool whole)
{
    struct taken t = {0};
    struct arena arena;
    struct body body;

    arena_init(&arena, 512);
    if (body_begin(&body, m, &framing, &arena) < 0)
        abort();
    while (!t.failed && !body.done && t.bytes < len) {
        size_t n = whole ? len - t.bytes : next_cut(&seed, len - t.bytes);
        char *copy = fuzz_copy(bytes + t.bytes, n);
        ssize_t took = body_take(&body, copy, n);
        t.failed = took < 0;
        FUZZ_CHECK(took < 0 || body.done ? took <= (ssize_t)n : took == (ssize_t)n, "took %zd of %zu", took, n);
        t.bytes += took > 0 ? (size_t)took : 0;
        free(copy);
    }
    t.done = body.done;
    t.seen = body.seen;
    FUZZ_CHECK(t.failed || t.seen <= t.bytes, "more body than bytes");
    FUZZ_CHECK(!t.done || framing.chunked || t.bytes == m->length, "a body of another length");
    arena_fini(&arena);
    return t;
}

static void check_body(const struct message *m, const char *bytes, size_t len, uint32_t seed)
{
    struct taken whole = take_body(m, bytes, len, seed, true);
    struct taken pieces = take_body(m, bytes, len, seed, false);

    FUZZ_CHECK(whole.failed == pieces.failed && whole.done == pieces.done, "cut into reads: another end");
    if (!whole.failed)
        FUZZ_CHECK(whole.bytes == pieces.bytes && whole.seen == pieces.seen, "cut into reads: another length");
}

/* Whatever it is, the log may ask what is known of it. */
static void check_known(const char *bytes, size_t len)
{
    struct arena arena;
    struct message m;
    char *copy = fuzz_copy(bytes, len);

    arena_init(&arena, 512);
    size_t known = parse_known(&m, (struct text){copy, len}, HEADERS_MOST, &arena);
    FUZZ_CHECK(known <= len && m.count <= HEADERS_MOST, "more is known than there is");
    FUZZ_CHECK(known > 0 || m.count == 0, "fields without a request line");
    arena_fini(&arena);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t seed = fuzz_byte(&in);
    char *bytes = fuzz_copy(in.at, in.left);
    size_t len = in.left, start, pieces_start, pieces_end;
    struct scan scan = {0};
    struct arena arena;
    struct message m;

    start = parse_skip_empty(&scan, bytes, len);
    enum scan_result result = start < len ? parse_scan(&scan, bytes + start, len - start) : SCAN_MORE;
    FUZZ_CHECK(scan_in_pieces(bytes, len, seed, &pieces_start, &pieces_end) == result, "cut into reads: another end");
    check_known(bytes + start, len - start);
    if (result == SCAN_COMPLETE) {
        FUZZ_CHECK(pieces_start == start && pieces_end == start + scan.at, "cut into reads: another length");
        char *head = fuzz_copy(bytes + start, scan.at);
        arena_init(&arena, 512);
        int status = parse_head(&m, &framing, head, scan.at, HEADERS_MOST, &arena);
        FUZZ_CHECK(status == 0 || status == 400 || status == 413 || status == 431 || status == 501 || status == 505,
                   "status %d", status);
        FUZZ_CHECK(m.line.at == head && m.method_name.at == head, "no request line for the log");
        check_again(&m, status, head, scan.at);
        if (status == 0) {
            check_message(&m, head, scan.at);
            check_body(&m, bytes + start + scan.at, len - start - scan.at, seed);
        }
        arena_fini(&arena);
        free(head);
    }
    free(bytes);
    return 0;
}
