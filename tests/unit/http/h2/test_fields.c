/* test_fields.c - header blocks to messages: what RFC 9113, section 8, says of them. */
#include "unit.h"

#include "http/h2/fields.h"

static const struct fields_limits usual = {.field = 100, .list = 600, .count = 8, .ignores = true};

/* Blocks are texts of lines "name: value"; the name of a pseudo-header begins with its colon. `answer`: 0,
 * a status, or -1: malformed. */
struct row {
    const char *block;
    int answer;
};

#define GET  ":method: GET\n:scheme: http\n:path: /a\n"
#define GETA GET ":authority: h\n"

static const struct row rows[] = {
    {GETA, 0},
    {GET "host: h\n", 0},
    {GETA "host: h\n", 0},
    {GETA "host: H\n", 0},
    {GETA "host: i\n", 400},
    {GET, 400}, /* no host at all */
    {GET ":authority: \n", 400},
    {GET ":authority: u@h\n", 400},
    {GET ":authority: h:99999\n", 400},
    {GET ":authority: h:80\n", 0},
    {GETA "host: h\nhost: h\n", 400},
    /* pseudo-headers */
    {":method: GET\n:scheme: http\n:authority: h\n", -1},
    {":method: GET\n:path: /\n:authority: h\n", -1},
    {":scheme: http\n:path: /\n:authority: h\n", -1},
    {":method: \n:scheme: http\n:path: /\n:authority: h\n", -1},
    {":method: G T\n:scheme: http\n:path: /\n:authority: h\n", -1},
    {":method: GET\n:scheme: \n:path: /\n:authority: h\n", -1},
    {":method: GET\n:scheme: 1a\n:path: /\n:authority: h\n", -1},
    {":method: GET\n:scheme: http\n:path: \n:authority: h\n", -1},
    {GETA ":path: /b\n", -1},
    {GETA ":method: GET\n", -1},
    {GETA ":authority: h\n", -1},
    {GETA ":status: 200\n", -1},
    {GETA ":what: x\n", -1},
    {GETA ":: x\n", -1},
    {GET "a: b\n:authority: h\n", -1},
    {":method: GET\n:scheme: http\n:path: /a b\n:authority: h\n", 400},
    {":method: GET\n:scheme: http\n:path: /a#b\n:authority: h\n", 400},
    {":method: GET\n:scheme: https\n:path: /\xc3\xa9\n:authority: h\n", 400},
    {":method: GET\n:scheme: http\n:path: http://h/a\n:authority: h\n", 400},
    {":method: GET\n:scheme: http\n:path: *\n:authority: h\n", 400},
    {":method: CONNECT\n:authority: h:80\n", 0},
    {":method: CONNECT\n:authority: h:80\n:path: /\n", -1},
    {":method: CONNECT\n:scheme: http\n:authority: h:80\n", -1},
    {":method: CONNECT\n", -1},
    {":method: OPTIONS\n:scheme: http\n:path: *\n:authority: h\n", 0},
    {":method: get\n:scheme: http\n:path: /\n:authority: h\n", 0},
    /* names and values */
    {GETA "A: b\n", -1},
    {GETA "aB: b\n", -1},
    {GETA "a b: c\n", -1},
    {GETA "a\x80: c\n", -1},
    {GETA "a\x7f: c\n", -1},
    {GETA "a(: c\n", -1},
    {GETA ": c\n", -1},
    {GETA "a:  b\n", -1},
    {GETA "a: b \n", -1},
    {GETA "a: b\t\n", -1},
    {GETA "a: \tb\n", -1},
    {GETA "a: b\rc\n", -1},
    {GETA "a: b\x01"
          "c\n",
     -1},
    {GETA "a: b\x7f\n", -1},
    {GETA "a: b\tc\n", 0},
    {GETA "a: \n", 0},
    {GETA "a: \xc3\xa9\n", 0},
    {GETA "a_b: c\n", 0},
    /* of the connection */
    {GETA "connection: close\n", -1},
    {GETA "connection: \n", -1},
    {GETA "proxy-connection: keep-alive\n", -1},
    {GETA "keep-alive: timeout=5\n", -1},
    {GETA "transfer-encoding: chunked\n", -1},
    {GETA "upgrade: h2c\n", -1},
    {GETA "te: gzip\n", -1},
    {GETA "te: trailers, gzip\n", -1},
    {GETA "te: trailers\n", 0},
    {GETA "te: Trailers\n", 0},
    /* lengths, and what comes once */
    {GETA "content-length: 5\n", 0},
    {GETA "content-length: 5x\n", 400},
    {GETA "content-length: +5\n", 400},
    {GETA "content-length: \n", 400},
    {GETA "content-length: 5\ncontent-length: 5\n", 400},
    {GETA "content-length: 99999999999999999999\n", 413},
    {GETA "content-length: 9223372036854775808\n", 413},
    {GETA "if-range: a\nif-range: a\n", 400},
    {GETA "cookie: a=1\ncookie: b=2\n", 0},
    {GETA "range: bytes=0-\nrange: bytes=1-\n", 0},
};

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row large[] = {
    {":method: GET\n:scheme: http\n:path: /" LONG "\n:authority: h\n", 414},
    {GETA "x: " LONG "\n", 431},
    {GETA LONG ": x\n", 431},
    {GETA "a: 1\nb: 1\nc: 1\nd: 1\n", 0},
    {GETA "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\n", 431}, /* eight, with the four pseudo-headers */
    {GETA "cookie: a\ncookie: b\ncookie: c\ncookie: d\ncookie: e\n", 431},
    {GETA "x: " LONG "\nConnection: close\n", 431}, /* what came first */
};

static struct fields block_of(const char *block, const struct fields_limits *limits, struct arena *arena, bool trailers)
{
    struct fields f = {.arena = arena, .limits = limits, .trailers = trailers};
    struct text rest = text_of(block);

    while (rest.len > 0) {
        struct text line = {rest.at, text_find(rest, '\n')};
        rest = text_from(rest, line.len + 1);
        size_t colon = 1 + text_find(text_from(line, 1), ':');
        if (line.at[0] == ':' && line.at[1] == ' ')
            colon = 0;
        fields_add(&f, (struct text){line.at, colon}, text_from(line, colon + 2));
    }
    return f;
}

static void check_rows(const struct row *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct message m;

        arena_init(&arena, 4096);
        struct fields f = block_of(all[i].block, &usual, &arena, false);
        int status = fields_finish(&f, &m);
        ck_assert_msg((f.malformed ? -1 : status) == all[i].answer, "%s: %d, not %d", all[i].block,
                      f.malformed ? -1 : status, all[i].answer);
        arena_fini(&arena);
    }
}

START_TEST(blocks)
{
    check_rows(rows, sizeof rows / sizeof *rows);
}
END_TEST

START_TEST(too_large)
{
    check_rows(large, sizeof large / sizeof *large);
}
END_TEST

START_TEST(message)
{
    struct arena arena;
    struct message m;

    arena_init(&arena, 4096);
    struct fields f =
        block_of(":method: POST\n:scheme: https\n:path: /x?y\n:authority: example.org:8443\nrange: bytes=1-\n"
                 "a_b: left out\npriority: u=1\ncontent-length: 12\n",
                 &usual, &arena, false);
    ck_assert_int_eq(fields_finish(&f, &m), 0);
    ck_assert(text_equal(m.line, TEXT("POST /x?y HTTP/2.0")));
    ck_assert(text_equal(m.target, TEXT("/x?y")));
    ck_assert(text_equal(m.version, TEXT("HTTP/2.0")));
    ck_assert(text_equal(m.method_name, TEXT("POST")));
    ck_assert_int_eq(m.method, METHOD_POST);
    ck_assert_int_eq(m.protocol, PROTOCOL_2);
    ck_assert(text_equal(m.host, TEXT("example.org")));
    ck_assert(text_equal(m.fields[FIELD_HOST], TEXT("example.org:8443")));
    ck_assert(text_equal(m.fields[FIELD_RANGE], TEXT("bytes=1-")));
    ck_assert(m.has_length);
    ck_assert_uint_eq(m.length, 12);
    ck_assert_uint_eq(m.count, 4); /* and Host */
    ck_assert(f.odd);
    ck_assert(text_equal(f.odd_name, TEXT("a_b")));
    ck_assert(text_equal(f.priority, TEXT("u=1")));
    arena_fini(&arena);
}
END_TEST

START_TEST(trailers)
{
    struct arena arena;

    arena_init(&arena, 4096);
    ck_assert(!block_of("a: b\n", &usual, &arena, true).malformed);
    ck_assert(block_of(":path: /\n", &usual, &arena, true).malformed);
    ck_assert(block_of("connection: x\n", &usual, &arena, true).malformed);
    ck_assert(block_of("A: x\n", &usual, &arena, true).malformed);
    ck_assert_uint_eq(block_of("a: b\n", &usual, &arena, true).count, 0);
    arena_fini(&arena);
}
END_TEST

/* Each byte at each place of values shorter and longer than a word. */
START_TEST(controls)
{
    for (size_t len = 1; len < 20; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                struct arena a;
                char value[20];
                arena_init(&a, 4096);
                struct fields f = {.arena = &a, .limits = &usual};
                memset(value, at % 2 ? 'a' : '\xff', len);
                value[at] = (char)c;
                fields_add(&f, TEXT("x"), (struct text){value, len});
                bool blank = c == ' ' || c == '\t', inside = at > 0 && at < len - 1;
                ck_assert_int_eq(f.malformed, blank ? !inside : c < ' ' || c == 127);
                arena_fini(&a);
            }
}
END_TEST

Suite *suite_http_fields(void)
{
    Suite *s = suite_create("http_fields");
    TCase *t = tcase_create("fields");

    tcase_add_test(t, blocks);
    tcase_add_test(t, too_large);
    tcase_add_test(t, message);
    tcase_add_test(t, trailers);
    tcase_add_test(t, controls);
    suite_add_tcase(s, t);
    return s;
}
