/* scripted.c - see scripted.h. */
#include "http/request/scripted.h"

#include "http/content/content.h"
#include "http/core/route.h"
#include "http/core/target.h"
#include "http/handle/file_response.h"
#include "http/handle/steps.h"
#include "http/handle/turn.h"
#include "http/log/account.h"
#include "http/respond/respond.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { GUARD_MSEC = 15000 };

/* ---- the transport ---- */

static struct stream *stream_of(struct transport *t)
{
    return container_of(t, struct stream, transport);
}

/* Bytes that the client takes of `len` more. */
static size_t room_for(const struct stream *st, size_t len)
{
    size_t room = st->window > 0 ? st->window - st->taken : len;

    return room < len ? room : len;
}

static ssize_t took(struct stream *st, size_t len)
{
    st->taken += len;
    buffer_add_char(&st->scene->order, st->letter);
    return (ssize_t)len;
}

static ssize_t scripted_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    struct stream *st = stream_of(t);
    size_t total = 0;

    (void)more;
    for (int i = 0; i < count; i++) {
        size_t len = room_for(st, total + pieces[i].iov_len) - total;
        buffer_add(&st->got, pieces[i].iov_base, len);
        total += len;
        if (len < pieces[i].iov_len)
            break;
    }
    return total > 0 ? took(st, total) : -EAGAIN;
}

static ssize_t scripted_sendfile(struct transport *t, int fd, off_t at, size_t len)
{
    struct stream *st = stream_of(t);
    char bytes[16384];

    len = room_for(st, len < sizeof bytes ? len : sizeof bytes);
    if (len == 0)
        return -EAGAIN;
    ssize_t n = pread(fd, bytes, len, at);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    buffer_add(&st->got, bytes, (size_t)n);
    return took(st, (size_t)n);
}

static const struct transport_ops transport_ops = {.send = scripted_send, .sendfile = scripted_sendfile};
static const struct transport_ops memory_ops = {.send = scripted_send};

/* ---- the carrier ---- */

static void go_on(struct scene *s)
{
    loop_defer(s->loop, &s->next_turn);
}

static void resume(struct request *r)
{
    struct stream *st = container_of(r->carrier, struct stream, carrier);

    ck_assert_ptr_eq(st->request, r);
    st->resumed++;
    st->waits = false;
    go_on(st->scene);
    stream_step(st); /* at once: it may be its turn */
}

static int no_address(const struct request *r, struct address *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

/* As if it were sent, so that a test sees which stream was asked. */
static struct text field(struct request *r, struct text name)
{
    struct stream *st = container_of(r->carrier, struct stream, carrier);
    char *text = arena_printf(&r->arena, "%c", st->letter);

    return text_equal(name, TEXT("stream")) ? text_of(text) : TEXT_NONE;
}

static int no_tcp_info(const struct request *r, struct tcp_info *out)
{
    (void)r, (void)out;
    return -ENOTCONN;
}

static const struct carrier_ops carrier_ops = {resume, no_address, field, no_tcp_info};

static void end(struct stream *st)
{
    struct request *r = st->request;

    st->status = r->out.status;
    st->request = NULL;
    steps_abandon(r);
    request_destroy(r);
    list_remove(&st->node);
}

void stream_cut(struct stream *st)
{
    account_cut(st->request, 499);
    end(st);
}

static void complete(struct stream *st)
{
    account_complete(st->request);
    end(st);
}

static void begin_body(struct stream *st)
{
    struct request *r = st->request;

    ck_assert_int_eq(content_begin(r), 0);
    ck_assert_int_eq(response_open_body(r, 0), 0);
    st->sends = true;
    if (!r->out.file.source)
        complete(st);
}

static void send_some(struct stream *st)
{
    struct request *r = st->request;
    uint64_t cap = 0;
    size_t none = 0;

    st->waits = !turn_begin(r, &cap);
    if (st->waits)
        return;
    st->taken = 0;
    switch (turn_send(r, &st->sink, TEXT(""), &none, cap)) {
    case SINK_DONE:
        complete(st);
        return;
    case SINK_BLOCKED:
        source_rest(r->out.file.source);
        return;
    case SINK_TURN:
        st->waits = turn_queue(r);
        return;
    case SINK_WAIT_DISK:
        st->waits = true;
        return;
    case SINK_SOURCE_FAILED:
        turn_log_failure(r);
        st->failed = true;
        stream_cut(st);
        return;
    case SINK_FAILED:
        break;
    }
    ck_abort_msg("stream %c failed", st->letter);
}

void stream_step(struct stream *st)
{
    struct request *r = st->request;

    ck_assert(r && !st->waits);
    if (r->step != STEP_READY)
        st->waits = !steps_one(r);
    else if (!st->sends)
        begin_body(st);
    else
        send_some(st);
}

/* ---- what a client asks for ---- */

static const struct {
    const char *name;
    enum field field;
} known[] = {
    {"host", FIELD_HOST},
    {"range", FIELD_RANGE},
    {"user-agent", FIELD_USER_AGENT},
    {"authorization", FIELD_AUTHORIZATION},
};

static void add_field(struct stream *st, const char *name, const char *value)
{
    struct message *m = &st->request->msg;

    ck_assert_uint_lt(m->count, FIELDS_MOST);
    st->headers[m->count++] = (struct header){text_of(name), text_of(value)};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            m->fields[known[i].field] = text_of(value);
}

static void fill_message(struct stream *st, const char *target, va_list fields)
{
    struct message *m = &st->request->msg;

    m->method = METHOD_GET;
    m->method_name = TEXT("GET");
    m->target = text_of(target);
    m->version = TEXT("HTTP/2.0");
    m->protocol = PROTOCOL_1_1;
    m->line = text_of(arena_printf(&st->request->arena, "GET %s HTTP/2.0", target));
    m->headers = st->headers;
    m->host = TEXT("h");
    add_field(st, "host", "h");
    for (const char *name; (name = va_arg(fields, const char *)) != NULL;)
        add_field(st, name, va_arg(fields, const char *));
}

void stream_begin(struct scene *s, struct stream *st, const char *target, ...)
{
    va_list fields;

    *st = (struct stream){.scene = s, .letter = (char)('A' + s->begun)};
    st->carrier.ops = &carrier_ops;
    st->transport.ops = s->memory_only ? &memory_ops : &transport_ops;
    st->carrier.takes_files = transport_takes_files(&st->transport);
    st->sink.transport = &st->transport;
    buffer_init(&st->got);
    list_append(&s->streams, &st->node);
    struct request *r = st->request = request_create(&s->worker, &st->carrier, &s->client);
    ck_assert_ptr_nonnull(r);
    route_begin(r);
    r->ordinal = ++s->begun;
    r->start_msec = clock_now.msec;
    va_start(fields, target);
    fill_message(st, target, fields);
    va_end(fields);
    ck_assert_int_eq(target_resolve(r), 0);
}

void stream_free(struct stream *st)
{
    ck_assert_ptr_null(st->request);
    buffer_fini(&st->got);
}

/* ---- the scene ---- */

void streams_step(struct stream *a, struct stream *b)
{
    bool moved;

    do {
        moved = false;
        for (int i = 0; i < 2; i++) {
            struct stream *st = i == 0 ? a : b;
            if (!st->request || st->waits)
                continue;
            stream_step(st);
            moved = true;
        }
    } while (moved);
}

static void on_next_turn(void *arg)
{
    struct scene *s = arg;
    bool more = false;

    list_each (&s->streams, node, next) {
        struct stream *st = container_of(node, struct stream, node);
        if (!st->waits)
            stream_step(st);
    }
    list_each (&s->streams, node, next)
        more |= !container_of(node, struct stream, node)->waits;
    if (more)
        go_on(s);
}

static void on_turn_end(void *arg)
{
    struct scene *s = arg;

    if (list_empty(&s->streams) || s->one_turn)
        loop_stop(s->loop);
}

static void on_guard(void *arg)
{
    struct scene *s = arg;

    list_each (&s->streams, node, next) {
        struct stream *st = container_of(node, struct stream, node);
        ck_abort_msg("stream %c waits in step %d for what does not come", st->letter, (int)st->request->step);
    }
}

void scene_run(struct scene *s)
{
    timer_set(s->guard, GUARD_MSEC);
    go_on(s);
    loop_run(s->loop);
    timer_clear(s->guard);
}

void scene_turn(struct scene *s)
{
    s->one_turn = true;
    scene_run(s);
    s->one_turn = false;
}

const char *scene_text(const char *text)
{
    static char out[8192];
    const char *disk = unit_disk_dir() ? unit_disk_dir() : unit_dir();
    size_t len = 0;

    for (; *text; text++) {
        const char *part = *text == '@' ? unit_dir() : *text == '%' ? disk : NULL;
        int n = part ? snprintf(out + len, sizeof out - len, "%s", part)
                     : snprintf(out + len, sizeof out - len, "%c", *text);
        len += (size_t)n;
        ck_assert_uint_lt(len, sizeof out);
    }
    return out;
}

void scene_open(struct scene *s, const char *conf)
{
    struct worker_options options = {.aio_requests = 32, .request_size = REQUEST_SPACE};

    *s = (struct scene){0};
    char whole[8192];
    snprintf(whole, sizeof whole, "http { %s }", scene_text(conf));
    configure(&s->conf, whole);
    ck_assert_msg(s->conf.http != NULL, "%s", s->conf.result.error);
    ck_assert_int_eq(loop_create(&s->loop), 0);
    options.loop = s->loop;
    options.io = conf_values(s->conf.result.root, &io_main_module);
    ck_assert_int_eq(worker_init(&s->worker, &options), 0);
    s->client = (struct client){.address = &s->conf.http->addresses[0], .scheme = &scheme_http, .number = 7};
    s->client.peer.in4.sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.1", &s->client.peer.in4.sin_addr);
    s->as_it_was = s->client;
    s->guard = loop_timer(s->loop, on_guard, s);
    deferred_init(&s->next_turn, on_next_turn, s);
    deferred_init(&s->turn_end, on_turn_end, s);
    loop_at_turn_end(s->loop, &s->turn_end);
    list_init(&s->streams);
    buffer_init(&s->order);
}

void scene_close(struct scene *s)
{
    ck_assert(list_empty(&s->streams));
    ck_assert_mem_eq(&s->client, &s->as_it_was, sizeof s->client);
    deferred_clear(&s->next_turn);
    deferred_clear(&s->turn_end);
    timer_destroy(s->guard);
    worker_fini(&s->worker);
    loop_destroy(s->loop);
    unconfigure(&s->conf);
    buffer_fini(&s->order);
}

/* ---- what is written and found ---- */

void scene_write(const char *name, off_t size)
{
    unit_write_pattern(scene_text(name), size);
}

void stream_check(const struct stream *st, size_t size)
{
    ck_assert_uint_eq(st->got.len, size);
    assert_pattern(st->got.data, size, 0);
}

void scene_check_file(const char *name, const char *part)
{
    char *log = unit_read(unit_path(name), NULL);

    ck_assert_msg(strstr(log, part) != NULL, "\"%s\" is not in:\n%s", part, log);
    free(log);
}

void scene_check_logged(const char *part)
{
    scene_check_file("log", part);
}

unsigned scene_lines_logged(void)
{
    char *log = unit_read(unit_path("log"), NULL);
    unsigned count = 0;

    for (const char *at = log; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    free(log);
    return count;
}
