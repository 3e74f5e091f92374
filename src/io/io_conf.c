/* io_conf.c - the rows of what policy.c and the sources are told: sendfile, aio, directio and their
 * like. */
#include "base/number.h"
#include "io/policy.h"
#include "io_private.h"

#include <unistd.h>

static int64_t physical_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (int64_t)pages * page : INT64_MAX;
}

static const char *set_aio(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct aio_conf *aio = slot;
    struct text value = cf->args[1];

    (void)row;
    *aio = (struct aio_conf){.mode = AIO_ON, .file = cf->file, .line = cf->line};
    if (text_equal(value, TEXT("on")))
        return NULL;
    if (text_equal(value, TEXT("off"))) {
        aio->mode = AIO_OFF;
    } else if (text_equal(value, TEXT("io_uring"))) {
        aio->mode = AIO_URING;
    } else if (text_equal(value, TEXT("libaio"))) {
        aio->mode = AIO_LIBAIO;
    } else if (text_equal(value, TEXT("threads"))) {
        aio->mode = AIO_THREADS;
    } else if (text_starts(value, TEXT("threads=")) && value.len > 8) {
        aio->mode = AIO_THREADS;
        aio->pool = text_from(value, 8);
        if (text_find(aio->pool, '$') < aio->pool.len)
            return conf_error(cf, "variables are not supported in \"aio threads=\": \"%.*s\"", TEXT_ARG(value));
    } else {
        return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(value));
    }
    return NULL;
}

static const char *set_directio(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct io_conf *conf = container_of(slot, struct io_conf, directio);
    struct text value = cf->args[1];
    uint64_t bytes = DIRECTIO_AUTO_LEAST;

    conf->directio_auto = false;
    if (text_starts(value, TEXT("auto="))) {
        if (number_parse_size(text_from(value, 5), &bytes) < 0 || bytes == 0 || bytes > INT64_MAX)
            return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(value));
    } else if (!text_equal(value, TEXT("auto"))) {
        return conf_set_size_or_off(cf, row, slot);
    }
    conf->directio = (int64_t)bytes;
    conf->directio_auto = true;
    return NULL;
}

static const char *set_output_buffers(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_bufs *bufs = slot;
    const char *error = conf_set_bufs(cf, row, slot);

    if (error || bufs->number > IO_BUFFERS_MOST || bufs->size > IO_BUFFER_SIZE_MOST)
        return conf_error(
            cf,
            "invalid value \"%.*s %.*s\" in \"%s\" directive, it must be a number of buffers (1 to %d) and "
            "the size of each (1 to 1g)",
            TEXT_ARG(cf->args[1]), TEXT_ARG(cf->args[2]), row->name, IO_BUFFERS_MOST);
    if (bufs->size > physical_memory() / bufs->number)
        return conf_error(cf, "\"%s\": %lld buffers of %lld bytes are larger than this machine's memory", row->name,
                          (long long)bufs->number, (long long)bufs->size);
    return NULL;
}

enum { MEMORY_AUTO = 64 << 20 }; /* directio_memory auto, where there is room */

static const char *set_memory(struct conf *cf, const struct conf_row *row, void *slot)
{
    int64_t *bytes = slot;
    struct io_main_conf *conf = container_of(bytes, struct io_main_conf, directio_memory);
    const char *error;

    conf->memory_auto = text_equal(cf->args[1], TEXT("auto"));
    if (conf->memory_auto) {
        int64_t fitting = conf_fit(cf, MEMORY_AUTO, 4);
        *bytes = fitting > IO_MEMORY_LEAST ? fitting : IO_MEMORY_LEAST;
        return NULL;
    }
    error = conf_set_size(cf, row, slot);

    if (!error && *bytes < IO_MEMORY_LEAST)
        return conf_error(cf, "\"%s\" must be at least %d bytes", row->name, IO_MEMORY_LEAST);
    if (!error && *bytes > physical_memory())
        return conf_error(cf, "\"%s\" of %lld bytes is larger than this machine's memory", row->name,
                          (long long)*bytes);
    return error;
}

static const struct conf_enum methods[] = {{"auto", IO_AUTO}, {"memory", IO_MEMORY}, {"sendfile", IO_SENDFILE},
                                           {"mmap", IO_MMAP}, {"direct", IO_DIRECT}, {"buffered", IO_BUFFERED},
                                           {NULL, 0}};
static const struct conf_bounds alignments = {.least = 512, .most = 1024 * 1024, .power_of_two = true};

static const struct conf_row rows[] = {
    {"sendfile", CONF_HTTP_ALL | CONF_IF, CONF_FLAG, conf_set_flag, CONF_SLOT(struct io_conf, sendfile), .dflt = "on",
     .help = "Sends files smaller than directio from the page cache without copying them into user space. Of 8k "
             "and less, reading them behind the head and sending both at once costs less: $io_method is buffered then.",
     .differs = "on by default; a part that is not in the page cache is read asynchronously first, unless aio is off; "
                "little is read, unless io_method says sendfile"},
    {"sendfile_max_chunk", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct io_conf, sendfile_max_chunk),
     .dflt = "2m", .help = "The bytes that one connection may send before others have their turn; 0: no limit."},
    {"aio", CONF_HTTP_ALL, CONF_TAKE1, set_aio, CONF_SLOT(struct io_conf, aio), .dflt = "on",
     .help = "How files are read without blocking the worker: on chooses the best reader that works here (io_uring, "
             "Linux AIO, threads). io_uring also waits for cold small files that sendfile sends; other reads through "
             "the page cache are done by threads.",
     .syntax = "on | off | threads[=pool] | io_uring | libaio",
     .differs =
         "on by default, and means io_uring where that works; io_uring and libaio can be asked for; the name of a "
         "pool takes no variables"},
    {"aio_write", CONF_HTTP_ALL, CONF_FLAG, conf_set_accepted, .help = "Accepted: sluice writes no files it serves."},
    /* Both fields are one value: inherited together. */
    {"directio", CONF_HTTP_ALL, CONF_TAKE1, set_directio, .offset = offsetof(struct io_conf, directio),
     .size = offsetof(struct io_conf, directio_auto) + sizeof(bool) - offsetof(struct io_conf, directio), .dflt = "off",
     .help = "Reads files of this size or larger with O_DIRECT, past the page cache, several windows ahead of the "
             "client; auto (from 4m, or the size given): only files that are not in the page cache, unless they are "
             "requested again and again (summed over all workers) and memory has room for them. What was learnt "
             "survives reloads; a new binary starts without it.",
     .syntax = "size | auto[=size] | off",
     .differs = "auto; unaligned starts and ends of ranges are read past the page cache too"},
    {"directio_alignment", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct io_conf, directio_alignment),
     .extra = &alignments, .dflt = "512",
     .help = "The alignment of O_DIRECT reads where the kernel does not report it (before Linux 6.1).",
     .differs = "what the kernel says comes first; must be a power of two"},
    {"output_buffers", CONF_HTTP_ALL, CONF_TAKE2, set_output_buffers, CONF_SLOT(struct io_conf, output_buffers),
     .dflt = IO_OUTPUT_BUFFERS,
     .help =
         "The most buffers that one response may read ahead into, and the size of each; a slow client gets fewer and "
         "smaller ones.",
     .differs = "the default is larger than 2 32k, and the buffers come from the memory that directio_memory limits"},
    {"read_ahead", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct io_conf, read_ahead), .dflt = "0",
     .help = "Other than 0: tells the kernel that files over 128k are read from the beginning to the end."},
    {"postpone_output", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, CONF_SLOT(struct io_conf, postpone_output),
     .dflt = "1460",
     .help = "Accepted: a head always leaves with what follows it, and small answers to a pipeline leave together."},
    {"io_method", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, CONF_SLOT(struct io_conf, method), .extra = methods,
     .dflt = "auto", .help = "Forces one method of sending files, where that method is possible.",
     .syntax = "auto | memory | sendfile | mmap | buffered | direct", .differs = "nginx has no such directive"},
    {.name = NULL}};

static const struct thread_pool_conf *find_pool(const struct io_main_conf *conf, struct text name)
{
    list_each (&conf->pools, node, next) {
        struct thread_pool_conf *pool = container_of(node, struct thread_pool_conf, node);
        if (text_equal(pool->name, name))
            return pool;
    }
    return NULL;
}

/* By the reader of `aio`, rather than by sendfile and its threads. */
static bool reads_disks(const struct io_conf *conf)
{
    return conf->directio >= 0 || !conf->sendfile || conf->method == IO_DIRECT || conf->method == IO_BUFFERED;
}

/* The main block is finished before those inside it. */
static const char *finish_io(struct conf *cf, struct conf_block *block, void *values)
{
    struct io_conf *conf = values;
    struct conf_block *top = block;

    while (top->parent)
        top = top->parent;
    struct io_main_conf *main_conf = conf_values(top, &io_main_module);
    if (conf->aio.pool.at && !text_equal(conf->aio.pool, IO_DEFAULT_POOL) && !find_pool(main_conf, conf->aio.pool)) {
        cf->file = conf->aio.file;
        cf->line = conf->aio.line;
        return conf_error(cf, "unknown thread pool \"%.*s\"", TEXT_ARG(conf->aio.pool));
    }
    if (main_conf->memory_auto && conf->output_buffers.size > main_conf->directio_memory &&
        conf->output_buffers.size <= MEMORY_AUTO)
        main_conf->directio_memory = conf->output_buffers.size;
    if (conf->output_buffers.size > main_conf->directio_memory)
        return conf_error(cf,
                          "one of the \"output_buffers\" (%lld bytes) is larger than \"directio_memory\" (%lld bytes)",
                          (long long)conf->output_buffers.size, (long long)main_conf->directio_memory);
    if (block->context != CONF_HTTP)
        main_conf->readers |= 1U << conf->aio.mode;
    if (block->context != CONF_HTTP && reads_disks(conf))
        main_conf->needed |= 1U << conf->aio.mode;
    return NULL;
}

struct conf_module io_module = {.name = "I/O",
                                .rows = rows,
                                .size = sizeof(struct io_conf),
                                .levels = CONF_HTTP_ALL | CONF_IF,
                                .finish = finish_io};

static const char *set_pool_argument(struct conf *cf, struct thread_pool_conf *pool, struct text arg)
{
    uint64_t n;

    if (text_starts(arg, TEXT("threads="))) {
        if (number_parse(text_from(arg, 8), &n) < 0 || n == 0 || n > IO_THREADS_MOST)
            return conf_error(cf, "invalid threads value \"%.*s\"", TEXT_ARG(arg));
        pool->threads = (int64_t)n;
    } else if (text_starts(arg, TEXT("max_queue="))) {
        if (number_parse(text_from(arg, 10), &n) < 0 || n > INT32_MAX)
            return conf_error(cf, "invalid max_queue value \"%.*s\"", TEXT_ARG(arg));
        pool->max_queue = (int64_t)n;
    } else {
        return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(arg));
    }
    return NULL;
}

static const char *set_thread_pool(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct io_main_conf *conf = conf_values(cf->block, &io_main_module);

    (void)slot;
    if (!conf->pools.next)
        list_init(&conf->pools);
    if (find_pool(conf, cf->args[1]))
        return conf_error(cf, "duplicate thread pool \"%.*s\"", TEXT_ARG(cf->args[1]));
    struct thread_pool_conf *pool = arena_zalloc(cf->arena, sizeof *pool);
    if (!pool)
        return conf_error(cf, "no memory");
    pool->name = cf->args[1];
    pool->max_queue = IO_DEFAULT_QUEUE;
    for (unsigned i = 2; i < cf->count; i++) {
        const char *error = set_pool_argument(cf, pool, cf->args[i]);
        if (error)
            return error;
    }
    if (pool->threads == 0)
        return conf_error(cf, "\"%s\" must have \"threads\" parameter", row->name);
    list_append(&conf->pools, &pool->node);
    return NULL;
}

static const char *finish_main(struct conf *cf, struct conf_block *block, void *values)
{
    struct io_main_conf *conf = values;

    (void)cf;
    (void)block;
    if (!conf->pools.next)
        list_init(&conf->pools);
    return NULL;
}

static const struct conf_row main_rows[] = {
    {"thread_pool", CONF_MAIN, CONF_TAKE2 | CONF_TAKE3 | CONF_REPEAT, set_thread_pool,
     .help =
         "Names a pool of threads for aio threads=name; the pool default, which also opens cold files, has 32 threads "
         "unless it is set here.",
     .syntax = "name threads=N [max_queue=N]", .differs = "a full queue delays the request; it never fails it"},
    {"directio_memory", CONF_MAIN, CONF_TAKE1, set_memory, CONF_SLOT(struct io_main_conf, directio_memory),
     .dflt = "auto",
     .help = "The bytes that all output buffers of a worker may take; past that, responses take turns. `auto`: 64m, or "
             "less, at most a quarter of a worker's share of the memory that its cgroup may use, but room for one of "
             "the `output_buffers`.",
     .syntax = "size | auto", .differs = "nginx has no such directive"},
    {.name = NULL}};

struct conf_module io_main_module = {.name = "I/O of a worker",
                                     .rows = main_rows,
                                     .size = sizeof(struct io_main_conf),
                                     .levels = CONF_MAIN,
                                     .finish = finish_main};
