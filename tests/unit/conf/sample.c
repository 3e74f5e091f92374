/* sample.c - the tables of sample.h. */
#include "sample.h"
#include "unit.h"

#include <stdio.h>

char sample_types[1024], sample_finishes[256];

static struct arena arena;
static struct conf_result result;

static const char *begin(struct conf *cf, struct conf_block *child)
{
    (void)cf;
    return child->owner == &arena ? NULL : "wrong owner";
}

static const char *set_block(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_block *child = NULL;
    const char *name = cf->args[0].at;
    unsigned line = cf->line;
    (void)slot;
    const char *error = conf_block(cf, (enum conf_context)(uintptr_t)row->extra, &arena, &child, begin);
    if (error)
        return error;
    ck_assert_ptr_nonnull(child);
    ck_assert_ptr_eq(cf->args[0].at, name); /* as before the block */
    ck_assert_uint_eq(cf->line, line);
    if (cf->count == 2 && text_equal(cf->args[1], TEXT("/bad")))
        return conf_error(cf, "bad location");
    return NULL;
}

static const char *add_type(struct conf *cf, void *arg)
{
    size_t at = strlen(sample_types);
    ck_assert_ptr_eq(arg, sample_types);
    for (unsigned i = 0; i < cf->count; i++)
        at += (size_t)snprintf(sample_types + at, sizeof sample_types - at, "%s%s", cf->args[i].at,
                               i + 1 < cf->count ? " " : ";");
    return cf->count < 2 ? conf_error(cf, "type without extension") : NULL;
}

static const char *set_types(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    (void)slot;
    return conf_lines(cf, add_type, sample_types);
}

static const char *set_unread(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)cf;
    (void)row;
    (void)slot;
    return NULL;
}

static const char *set_repeat(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)cf;
    (void)row;
    ++*(unsigned *)slot;
    return NULL;
}

static const char *set_if(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)slot;
    return conf_error(cf, "this is the `if` of a %s", (const char *)row->extra);
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct sample_http *v = values;
    size_t at = strlen(sample_finishes);
    (void)cf;
    v->finished++;
    snprintf(sample_finishes + at, sizeof sample_finishes - at, "%c",
             block->context == CONF_HTTP     ? 'h'
             : block->context == CONF_SERVER ? 's'
                                             : 'l');
    return v->requests == 666 ? conf_error(cf, "666 cannot be") : NULL;
}

static const struct conf_bounds alignment_bounds = {512, 65536, true};
static const struct conf_bounds requests_bounds = {1, INT64_MAX, false};
static const struct conf_bounds chunk_bounds = {1024, 1048576, false};
static const struct conf_enum tokens_enum[] = {{"off", 0}, {"on", 1}, {"build", 2}, {NULL, 0}};

#define BLOCK_OF(context) .extra = (const void *)(uintptr_t)(context)

static const struct conf_row main_rows[] = {
    {"events", CONF_MAIN, CONF_BLOCK | CONF_TAKE0, set_block, BLOCK_OF(CONF_EVENTS)},
    {"http", CONF_MAIN, CONF_BLOCK | CONF_TAKE0, set_block, BLOCK_OF(CONF_HTTP)},
    {"worker_processes", CONF_MAIN, CONF_TAKE1, conf_set_number, CONF_SLOT(struct sample_main, processes), .dflt = "1",
     .help = "how many workers", .differs = "1 is enough"},
    {"worker_connections", CONF_EVENTS, CONF_TAKE1, conf_set_number, CONF_SLOT(struct sample_main, connections),
     .dflt = "512"},
    {"user", CONF_MAIN, CONF_TAKE12, conf_set_text, CONF_SLOT(struct sample_main, user), .dflt = "'no body'"},
    {.name = NULL},
};

static const struct conf_row http_rows[] = {
    {"server", CONF_HTTP, CONF_BLOCK | CONF_TAKE0 | CONF_REPEAT, set_block, BLOCK_OF(CONF_SERVER)},
    {"location", CONF_SERVER | CONF_LOCATION, CONF_BLOCK | CONF_TAKE12 | CONF_REPEAT, set_block,
     BLOCK_OF(CONF_LOCATION)},
    {"types", CONF_HTTP_ALL, CONF_BLOCK | CONF_TAKE0, set_types, .help = "Types."},
    {"unread", CONF_HTTP, CONF_BLOCK | CONF_TAKE0, set_unread, .help = NULL},
    {"if", CONF_SERVER, CONF_1MORE, set_if, .extra = "server"},
    {"if", CONF_LOCATION, CONF_1MORE, set_if, .extra = "location"},
    {"sendfile", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct sample_http, sendfile), .dflt = "on"},
    {"chunk", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct sample_http, chunk), .extra = &chunk_bounds,
     .dflt = "2k"},
    {"directio", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size_or_off, CONF_SLOT(struct sample_http, directio),
     .dflt = "off"},
    {"alignment", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct sample_http, alignment),
     .extra = &alignment_bounds, .dflt = "512"},
    {"timeout", CONF_HTTP_ALL, CONF_TAKE1, conf_set_msec, CONF_SLOT(struct sample_http, timeout), .dflt = "60s"},
    {"expires", CONF_HTTP_ALL, CONF_TAKE1, conf_set_sec, CONF_SLOT(struct sample_http, expires)},
    {"requests", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, CONF_SLOT(struct sample_http, requests),
     .extra = &requests_bounds, .dflt = "100"},
    {"bufs", CONF_HTTP_ALL, CONF_TAKE2, conf_set_bufs, CONF_SLOT(struct sample_http, bufs), .dflt = "2 32k"},
    {"type", CONF_HTTP_ALL, CONF_TAKE1, conf_set_text, CONF_SLOT(struct sample_http, type), .dflt = "\"\""},
    {"root", CONF_HTTP_ALL, CONF_TAKE1, conf_set_path, CONF_SLOT(struct sample_http, root), .dflt = "html"},
    {"alias", CONF_LOCATION, CONF_TAKE1, conf_set_path, CONF_SLOT(struct sample_http, root)},
    {"tokens", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, CONF_SLOT(struct sample_http, tokens), .extra = tokens_enum,
     .dflt = "on"},
    {"repeat", CONF_HTTP_ALL, CONF_TAKE0 | CONF_REPEAT, set_repeat, CONF_SLOT(struct sample_http, repeats)},
    {"types_hash_max_size", CONF_HTTP_ALL, CONF_TAKE1, conf_set_accepted, .help = NULL},
    {.name = NULL},
};

struct conf_module sample_main_module = {"Main", main_rows, sizeof(struct sample_main), CONF_MAIN, 0, NULL};
struct conf_module sample_http_module = {"HTTP", http_rows, sizeof(struct sample_http), CONF_HTTP_ALL, 0, finish};
struct conf_module *const sample_modules[] = {&sample_main_module, &sample_http_module, NULL};

static const struct conf_foreign foreign[] = {{"proxy_pass", "it serves files"}, {NULL, NULL}};

static struct conf_result *read_input(struct conf_input input)
{
    sample_done();
    arena_init(&arena, 4096);
    input.prefix = "/p/";
    input.modules = sample_modules;
    input.foreign = foreign;
    sample_types[0] = sample_finishes[0] = '\0';
    int rc = conf_read(&input, &arena, &result);
    ck_assert_int_eq(rc == 0, result.error == NULL);
    ck_assert_int_eq(rc == 0, result.root != NULL);
    return &result;
}

struct conf_result *sample_read(const char *bytes)
{
    return read_input((struct conf_input){.bytes = text_of(bytes), .name = "t.conf"});
}

struct conf_result *sample_read_file(const char *path, const char *globals)
{
    return read_input((struct conf_input){.file = path, .globals = text_of(globals)});
}

void sample_done(void)
{
    arena_fini(&arena);
}

static struct conf_block *nth(struct conf_block *block, enum conf_context context, unsigned *n)
{
    if (block->context == context && (*n)-- == 0)
        return block;
    list_each (&block->children, node, tmp) {
        struct conf_block *found = nth(container_of(node, struct conf_block, node), context, n);
        if (found)
            return found;
    }
    return NULL;
}

struct conf_block *sample_block(struct conf_block *from, enum conf_context context, unsigned n)
{
    return nth(from, context, &n);
}

struct sample_http *sample_values(enum conf_context context, unsigned n)
{
    struct conf_block *block = sample_block(result.root, context, n);
    ck_assert_ptr_nonnull(block);
    return conf_values(block, &sample_http_module);
}
