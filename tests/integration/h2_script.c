/* h2_script.c - what an HTTP/2 client does and expects, as texts. See h2_client.h. */
#include "h2_client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name {
    const char *text;
    uint32_t value;
};

static const struct name types[] = {
    {"DATA", H2_DATA},
    {"HEADERS", H2_HEADERS},
    {"PRIORITY", H2_PRIORITY},
    {"RST_STREAM", H2_RST_STREAM},
    {"SETTINGS", H2_SETTINGS},
    {"PUSH_PROMISE", H2_PUSH_PROMISE},
    {"PING", H2_PING},
    {"GOAWAY", H2_GOAWAY},
    {"WINDOW_UPDATE", H2_WINDOW_UPDATE},
    {"CONTINUATION", H2_CONTINUATION},
    {"PRIORITY_UPDATE", H2_PRIORITY_UPDATE},
    {NULL, 0},
};
static const struct name flag_names[] = {
    {"END_STREAM", H2_END_STREAM},
    {"ACK", H2_ACK},
    {"END_HEADERS", H2_END_HEADERS},
    {"PADDED", H2_PADDED},
    {"PRIORITIZED", H2_PRIORITIZED},
    {"ALL_OTHERS", 0xd2},
    {NULL, 0},
};
static const struct name settings[] = {
    {"HEADER_TABLE_SIZE", H2_HEADER_TABLE_SIZE},
    {"ENABLE_PUSH", H2_ENABLE_PUSH},
    {"MAX_CONCURRENT_STREAMS", H2_MAX_STREAMS},
    {"INITIAL_WINDOW_SIZE", H2_INITIAL_WINDOW},
    {"MAX_FRAME_SIZE", H2_MAX_FRAME},
    {"MAX_HEADER_LIST_SIZE", H2_MAX_LIST},
    {"ENABLE_CONNECT_PROTOCOL", 8},
    {"NO_RFC7540_PRIORITIES", 9},
    {"UNKNOWN", 0x1234},
    {NULL, 0},
};

static const struct name *named(const struct name *names, const char *text, size_t len)
{
    for (; names->text; names++) {
        if (strlen(names->text) == len && !memcmp(names->text, text, len))
            return names;
    }
    return NULL;
}

/* ---- reading ---- */

struct script {
    const char *all, *at;
};

static void skip_blanks(struct script *s)
{
    s->at += strspn(s->at, " \n");
}

/* Up to a blank, a brace or a quotation mark; false: the statement ends. */
static bool word(struct script *s, const char **at, size_t *len)
{
    skip_blanks(s);
    *at = s->at;
    if (*s->at == '\0' || *s->at == ';')
        return false;
    if (*s->at == '\'' || *s->at == '{') {
        const char *end = strchr(s->at + 1, *s->at == '{' ? '}' : '\'');
        ck_assert_msg(end, "\"%s\": what begins at \"%s\" has no end", s->all, s->at);
        s->at = end + 1;
    } else {
        s->at += strcspn(s->at, " \n;{'");
    }
    *len = (size_t)(s->at - *at);
    return true;
}

static unsigned long number(struct script *s)
{
    char *end;
    skip_blanks(s);
    unsigned long n = strtoul(s->at, &end, 0);
    ck_assert_msg(end != s->at, "\"%s\": a number is missing at \"%s\"", s->all, s->at);
    s->at = end;
    return n;
}

/* ---- parts of a payload ---- */

/* {name: value | +name: value} */
static void put_fields(struct h2_bytes *b, const char *at, size_t len)
{
    char text[8192], *save = NULL;
    ck_assert_uint_lt(len, sizeof text);
    memcpy(text, at, len);
    text[len] = '\0';
    for (char *field = strtok_r(text, "|", &save); field; field = strtok_r(NULL, "|", &save)) {
        field += strspn(field, " \n");
        bool indexed = *field == '+';
        char *name = field + indexed, *colon = *name ? strchr(name + 1, ':') : NULL;
        ck_assert_msg(colon, "no field: \"%s\"", field);
        *colon = '\0';
        char *value = colon + 1 + (colon[1] == ' ');
        size_t end = strlen(value);
        if (end > 0 && value[end - 1] == ' ') /* before the bar or the brace */
            value[end - 1] = '\0';
        h2_put_field(b, name, value, indexed);
    }
}

static void put_hexadecimal(struct h2_bytes *b, const char *at, size_t len)
{
    ck_assert_msg(len % 2 == 0, "\"%.*s\" is no part of a payload", (int)len, at);
    for (size_t i = 0; i < len; i += 2) {
        unsigned octet;
        ck_assert_msg(sscanf((char[]){at[i], at[i + 1], '\0'}, "%2x", &octet) == 1 && isxdigit(at[i + 1]),
                      "\"%.*s\" is no part of a payload", (int)len, at);
        h2_put_number(b, octet, 1);
    }
}

static void put_part(struct h2_bytes *b, const char *at, size_t len)
{
    const char *equals = memchr(at, '=', len), *star = memchr(at, '*', len);
    const struct name *setting = equals ? named(settings, at, (size_t)(equals - at)) : NULL;
    if (*at == '\'') {
        h2_put(b, at + 1, len - 2);
    } else if (*at == '{') {
        put_fields(b, at + 1, len - 2);
    } else if (*at == '=') {
        h2_put_number(b, strtoul(at + 1, NULL, 0), 4);
    } else if (*at == '#') {
        h2_put_number(b, strtoul(at + 1, NULL, 0), 2);
    } else if (setting) {
        h2_put_number(b, setting->value, 2);
        h2_put_number(b, strtoul(equals + 1, NULL, 0), 4);
    } else if (star) {
        for (unsigned long n = strtoul(at, NULL, 10); n > 0; n--)
            put_hexadecimal(b, star + 1, len - (size_t)(star + 1 - at));
    } else {
        put_hexadecimal(b, at, len);
    }
}

/* ---- statements ---- */

static void note_request(struct h2_client *k, uint32_t stream)
{
    if (k->highest == (uint32_t)-1 || stream > k->highest)
        k->highest = stream;
}

static void say_frame(struct h2_client *k, struct script *s, unsigned type)
{
    struct h2_bytes payload = {0};
    uint32_t stream = (uint32_t)number(s);
    unsigned flags = 0;
    size_t len, length = (size_t)-1;
    h2_put(&payload, "", 0);
    for (const char *at; word(s, &at, &len);) {
        const struct name *flag = named(flag_names, at, len);
        if (flag)
            flags |= flag->value;
        else if (len > 7 && !memcmp(at, "length=", 7))
            length = strtoul(at + 7, NULL, 0);
        else
            put_part(&payload, at, len);
    }
    if (type == H2_HEADERS)
        note_request(k, stream & INT32_MAX);
    h2_frame_lying(&k->h, type, flags, stream, payload.at, payload.len, length == (size_t)-1 ? payload.len : length);
    free(payload.at);
}

static void say_request(struct h2_client *k, struct script *s, const char *method)
{
    struct h2_bytes block = {0};
    uint32_t stream = (uint32_t)number(s);
    const char *at;
    char path[1024];
    size_t len;
    ck_assert(word(s, &at, &len));
    snprintf(path, sizeof path, "%.*s", (int)len, at);
    h2_put_field(&block, ":method", method, false);
    h2_put_field(&block, ":scheme", "http", false);
    h2_put_field(&block, ":authority", "localhost", false);
    h2_put_field(&block, ":path", path, false);
    while (word(s, &at, &len))
        put_part(&block, at, len);
    note_request(k, stream);
    unsigned ends = strcmp(method, "POST") && strcmp(method, "PUT") ? H2_END_STREAM : 0;
    h2_frame(&k->h, H2_HEADERS, ends | H2_END_HEADERS, stream, block.at, block.len);
    h2_stream(&k->h, stream)->no_body = !strcmp(method, "HEAD");
    free(block.at);
}

static void say_bytes(struct h2_client *k, struct script *s)
{
    const char *at;
    for (size_t len; word(s, &at, &len);)
        put_part(&k->h.out, at, len);
}

/* Everything is given back, at once. */
static void drain(struct h2_client *k)
{
    k->h.gives_back = true;
    h2_window_update(&k->h, 0, 1 << 24);
    for (size_t i = 0; i < k->h.count; i++) {
        if (!k->h.streams[i]->ended && !k->h.streams[i]->reset)
            h2_window_update(&k->h, k->h.streams[i]->id, 1 << 24);
    }
}

static void statement(struct h2_client *k, struct script *s, const char *verb, size_t len)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
    const struct name *type = named(types, verb, len);
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)len, verb);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!strcmp(text, methods[i])) {
            say_request(k, s, methods[i]);
            return;
        }
    }
    if (type)
        say_frame(k, s, type->value);
    else if (!strncmp(text, "0x", 2))
        say_frame(k, s, (unsigned)strtoul(text, NULL, 16));
    else if (!strcmp(text, "await"))
        h2_await(k, (uint32_t)number(s));
    else if (!strcmp(text, "head"))
        h2_await_head(k, (uint32_t)number(s));
    else if (!strcmp(text, "settle"))
        h2_settle(k);
    else if (!strcmp(text, "bytes"))
        say_bytes(k, s);
    else if (!strcmp(text, "stall"))
        k->h.gives_back = false;
    else if (!strcmp(text, "drain"))
        drain(k);
    else if (!strcmp(text, "shut"))
        h2_flush(k), client_end_sending(&k->c);
    else
        ck_abort_msg("\"%s\": what is \"%s\"?", s->all, text);
}

void h2_run(struct h2_client *k, const char *script)
{
    struct script s = {script, script};
    const char *at;
    for (size_t len; *s.at;) {
        if (word(&s, &at, &len))
            statement(k, &s, at, len);
        skip_blanks(&s);
        ck_assert_msg(!*s.at || *s.at == ';', "\"%s\": a semicolon is missing at \"%s\"", script, s.at);
        s.at += *s.at == ';';
    }
    h2_flush(k);
}

/* ---- what is expected ---- */

static char wrong[1000];

#define WRONG(...) (snprintf(wrong, sizeof wrong, __VA_ARGS__), wrong)

/* One of the names between bars. */
static bool is_code(uint32_t code, const char *names)
{
    const char *name = h2_error_name(code);
    size_t len = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at += len) {
        if ((at == names || at[-1] == '|' || at[-1] == ' ') && (at[len] == '|' || at[len] == '\0' || at[len] == ' '))
            return true;
    }
    return false;
}

static const char *told(const struct h2_client *k, const struct h2_stream *s)
{
    static char text[400];
    int len = snprintf(text, sizeof text, "it is");
    if (s)
        len += snprintf(text + len, sizeof text - (size_t)len, " stream %u: %d, %zu bytes \"%.60s\"%s%s%s", s->id,
                        s->status, s->len, s->body ? s->body : "", s->ended ? ", whole" : "", s->reset ? ", RST " : "",
                        s->reset ? h2_error_name(s->code) : "");
    if (k->h.goaways)
        len += snprintf(text + len, sizeof text - (size_t)len, ", GOAWAY %s, last stream %u",
                        h2_error_name(k->h.goaway_code), k->h.goaway_last);
    if (k->ended)
        snprintf(text + len, sizeof text - (size_t)len, ", closed");
    return text;
}

const char *h2_told(const struct h2_client *k)
{
    static char text[1600];
    int len = snprintf(text, sizeof text, "%s", told(k, NULL));
    for (size_t i = 0; i < k->h.count && i < 3; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "; %s", told(k, k->h.streams[i]));
    if (k->row)
        snprintf(text + len, sizeof text - (size_t)len, "\n  %s, %s: expected %s\n  %.400s", k->row->rule, k->row->what,
                 k->row->expected, k->row->script);
    return text;
}

static const char *check_answer(struct h2_client *k, uint32_t stream, const char *text)
{
    int status = 0, at = 0;
    struct h2_stream *s = h2_await(k, stream);
    if (!s || !s->ended || sscanf(text, "%d %n", &status, &at) != 1 || s->status != status)
        return WRONG("expected %u: %s; %s", stream, text, told(k, s ? s : h2_stream(&k->h, stream)));
    text += at;
    size_t len = strtoul(text, NULL, 10);
    if (*text == '\'' ? s->len != strlen(text) - 2 || (s->len && memcmp(s->body, text + 1, s->len))
                      : *text && s->len != len)
        return WRONG("expected of stream %u: %s; %s", stream, text, told(k, s));
    return NULL;
}

static const char *check_reset(struct h2_client *k, uint32_t stream, const char *codes)
{
    struct h2_stream *s = h2_stream(&k->h, stream);
    h2_settle(k);
    if (!s || !s->reset || !is_code(s->code, codes))
        return WRONG("expected RST_STREAM on %u with %s; %s", stream, codes, told(k, s));
    return NULL;
}

/* So many bytes, and no more. */
static const char *check_open(struct h2_client *k, uint32_t stream, size_t len)
{
    struct h2_stream *s = h2_await_head(k, stream);
    while (s && s->len < len && !s->ended && !s->reset && h2_pump(k))
        ;
    h2_settle(k);
    if (!s || s->len != len || s->ended || s->reset)
        return WRONG("expected of stream %u: %zu bytes, and to go on; %s", stream, len, told(k, s));
    return NULL;
}

static const char *check_nothing(struct h2_client *k, uint32_t stream)
{
    h2_settle(k);
    struct h2_stream *s = h2_stream(&k->h, stream);
    return s && (s->status || s->ended || s->reset) ? WRONG("expected nothing; %s", told(k, s)) : NULL;
}

static const char *check_end(struct h2_client *k, const char *codes)
{
    unsigned before = k->h.pings;
    h2_settle(k);
    if (k->h.pings == before || k->h.goaways)
        h2_await_end(k);
    bool good = k->ended && (!codes || (k->h.goaways > 0 && is_code(k->h.goaway_code, codes)));
    return good ? NULL : WRONG("expected the end, GOAWAY %s; %s", codes ? codes : "or not", told(k, NULL));
}

static const char *check_clause(struct h2_client *k, const char *clause, bool *ends)
{
    unsigned stream;
    int at;
    if (!strncmp(clause, "GOAWAY ", 7) || !strcmp(clause, "CLOSED")) {
        *ends = true;
        return check_end(k, clause[0] == 'G' ? clause + 7 : NULL);
    }
    if (!strcmp(clause, "goes on")) {
        h2_settle(k);
        return NULL;
    }
    ck_assert_msg(sscanf(clause, "%u: %n", &stream, &at) == 1, "what is expected by \"%s\"?", clause);
    clause += at;
    if (!strncmp(clause, "RST ", 4))
        return check_reset(k, stream, clause + 4);
    if (!strncmp(clause, "open ", 5))
        return check_open(k, stream, strtoul(clause + 5, NULL, 10));
    if (!strcmp(clause, "nothing"))
        return check_nothing(k, stream);
    return check_answer(k, stream, clause);
}

/* What is open is given up, and there is room. */
static const char *check_next(struct h2_client *k)
{
    for (size_t i = 0; i < k->h.count; i++) {
        if (!k->h.streams[i]->ended && !k->h.streams[i]->reset && !k->h.streams[i]->given_up)
            h2_reset(&k->h, k->h.streams[i]->id, 8);
    }
    if (k->h.window < 1000)
        h2_window_update(&k->h, 0, 1000);
    if (k->h.initial < 1000)
        h2_setting(&k->h, H2_INITIAL_WINDOW, 1000);
    struct h2_stream *s = h2_await(k, h2_get(k, "/content", ""));
    if (!s || s->status != 200 || k->h.goaways)
        return WRONG("the next request is not answered: %s", told(k, s));
    return NULL;
}

static const char *check_one(struct h2_client *k, const char *expected, size_t len)
{
    char text[1000], *save = NULL;
    bool ends = false;
    snprintf(text, sizeof text, "%.*s", (int)len, expected);
    for (char *clause = strtok_r(text, ";", &save); clause; clause = strtok_r(NULL, ";", &save)) {
        const char *said = check_clause(k, clause + strspn(clause, " \n"), &ends);
        if (said)
            return said;
    }
    return ends ? NULL : check_next(k);
}

const char *h2_check(struct h2_client *k, const char *expected)
{
    for (const char *at = expected;; at += 4) {
        const char * or = strstr(at, " or ");
        const char *said = check_one(k, at, or ? (size_t)(or -at) : strlen(at));
        if (!said || ! or)
            return said;
        at = or ;
    }
}
