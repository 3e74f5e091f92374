/* test_io_conf.c - the rows of file/ and io/: defaults, inheritance, and the words of each
 * error. */
#include "conf/parse.h"
#include "file/cache.h"
#include "io/policy.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

static const char *set_block(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conf_block *block;
    (void)slot;
    return conf_block(cf, !strcmp(row->name, "http") ? CONF_HTTP : CONF_SERVER, NULL, &block, NULL);
}

static const struct conf_row block_rows[] = {
    {"http", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_block, .help = ""},
    {"server", CONF_HTTP, CONF_TAKE0 | CONF_BLOCK | CONF_REPEAT, set_block, .help = ""},
    {.name = NULL}};
static struct conf_module blocks = {.name = "blocks", .rows = block_rows};
static struct conf_module *const modules[] = {&blocks, &file_module, &io_main_module, &io_module, NULL};

static struct arena arena;
static struct conf_result result;

static void read_text(const char *text)
{
    struct conf_input input = {.bytes = text_of(text), .name = "test.conf", .prefix = "/p/", .modules = modules};
    arena_init(&arena, 4096);
    memset(&result, 0, sizeof result);
    (void)conf_read(&input, &arena, &result);
}

static struct conf_block *http_block(void)
{
    ck_assert_msg(result.error == NULL, "%s", result.error);
    return container_of(result.root->children.next, struct conf_block, node);
}

START_TEST(test_defaults)
{
    read_text("http { }");
    struct io_conf *io = conf_values(http_block(), &io_module);
    ck_assert(io->sendfile);
    ck_assert_int_eq(io->sendfile_max_chunk, 2 << 20);
    ck_assert_int_eq(io->aio.mode, AIO_ON);
    ck_assert_ptr_null(io->aio.pool.at);
    ck_assert_int_eq(io->directio, -1);
    ck_assert_int_eq(io->directio_alignment, 512);
    ck_assert_int_eq(io->output_buffers.number, 4);
    ck_assert_int_eq(io->output_buffers.size, 2 << 20);
    ck_assert_int_eq(io->read_ahead, 0);
    ck_assert_int_eq(io->postpone_output, 1460);
    ck_assert_int_eq(io->method, IO_AUTO);
    struct io_main_conf *main_conf = conf_values(result.root, &io_main_module);
    ck_assert_int_eq(main_conf->directio_memory, 64 << 20);
    ck_assert(list_empty(&main_conf->pools));
    struct file_conf *file = conf_values(http_block(), &file_module);
    ck_assert_ptr_null(file->cache);
    ck_assert_int_eq(file->valid_sec, 60);
    ck_assert_int_eq(file->min_uses, 1);
    ck_assert(!file->errors);
    ck_assert_int_eq(file->content.most, 16384);
    ck_assert_int_eq(file->content.cap, 32 << 20);
    arena_fini(&arena);
}
END_TEST

START_TEST(test_values)
{
    read_text("thread_pool fast threads=4; thread_pool slow threads=2 max_queue=10; directio_memory 16m;"
              "http { open_file_cache max=10 inactive=5m; open_file_cache_content 4k cap=1m; aio threads=slow;"
              " directio 4m; server { aio io_uring; open_file_cache off; io_method direct; }"
              " server { open_file_cache max=20; open_file_cache_content off; output_buffers 2 32k; aio_write on; } }");
    struct conf_block *http = http_block();
    struct conf_block *one = container_of(http->children.next, struct conf_block, node);
    struct conf_block *two = container_of(http->children.prev, struct conf_block, node);
    struct io_conf *io = conf_values(http, &io_module), *io_one = conf_values(one, &io_module);
    struct io_conf *io_two = conf_values(two, &io_module);
    ck_assert_int_eq(io->aio.mode, AIO_THREADS);
    ck_assert(text_equal(io->aio.pool, TEXT("slow")));
    ck_assert_int_eq(io_one->aio.mode, AIO_URING);
    ck_assert_int_eq(io_two->aio.mode, AIO_THREADS);
    ck_assert_int_eq(io_one->method, IO_DIRECT);
    ck_assert_int_eq(io_two->directio, 4 << 20);
    ck_assert_int_eq(io_two->output_buffers.size, 32768);

    struct file_conf *file = conf_values(http, &file_module), *file_one = conf_values(one, &file_module);
    struct file_conf *file_two = conf_values(two, &file_module);
    ck_assert_int_eq(file->cache->max, 10);
    ck_assert_int_eq(file->cache->inactive_sec, 300);
    ck_assert_ptr_null(file_one->cache);
    ck_assert_int_eq(file_two->cache->max, 20);
    ck_assert_int_eq(file_two->cache->inactive_sec, 60);
    ck_assert_uint_ne(file->cache->id, file_two->cache->id);
    ck_assert_int_eq(file->content.most, 4096);
    ck_assert_int_eq(file->content.cap, 1 << 20);
    ck_assert_int_eq(file_two->content.most, 0);

    struct io_main_conf *main_conf = conf_values(result.root, &io_main_module);
    ck_assert_int_eq(main_conf->directio_memory, 16 << 20);
    struct thread_pool_conf *pool = container_of(main_conf->pools.next, struct thread_pool_conf, node);
    ck_assert(text_equal(pool->name, TEXT("fast")));
    ck_assert_int_eq(pool->threads, 4);
    ck_assert_int_eq(pool->max_queue, 65536);
    arena_fini(&arena);
}
END_TEST

static const struct {
    const char *text, *error;
} errors[] = {
    {"http {\naio fast; }", "invalid value \"fast\" in test.conf:2"},
    {"http {\n\naio threads=x; }", "unknown thread pool \"x\" in test.conf:3"},
    {"http { aio threads=$host; }",
     "variables are not supported in \"aio threads=\": \"threads=$host\" in test.conf:1"},
    {"http { directio_alignment 1000; }", "power of two"},
    {"http { directio_alignment 0; }", "in test.conf:1"},
    {"http { directio_alignment 256; }", "in test.conf:1"},
    {"http { directio many; }", "in test.conf:1"},
    {"http { output_buffers 0 32k; }", "must be a number of buffers (1 to 1024) and the size of each (1 to 1g)"},
    {"http { output_buffers 2 0; }", "must be a number of buffers (1 to 1024) and the size of each (1 to 1g)"},
    {"http { output_buffers 2 2g; }", "must be a number of buffers (1 to 1024) and the size of each (1 to 1g)"},
    {"http { output_buffers 2 900000g; }", "in test.conf:1"},
    {"http { output_buffers 2 1000m; }", "is larger than \"directio_memory\" (67108864 bytes)"},
    {"http { output_buffers 5000 1k; }", "invalid value \"5000 1k\" in \"output_buffers\" directive"},
    {"http { output_buffers 1024 1g; }", "are larger than this machine's memory"},
    {"directio_memory 10k;", "must be at least 4194304 bytes in test.conf:1"},
    {"directio_memory 900000g;", "is larger than this machine's memory in test.conf:1"},
    {"http { io_method fast; }", "in test.conf:1"},
    {"thread_pool a max_queue=1;", "\"thread_pool\" must have \"threads\" parameter in test.conf:1"},
    {"thread_pool a threads=0;", "invalid threads value \"threads=0\" in test.conf:1"},
    {"thread_pool a threads=1 max_queue=x;", "invalid max_queue value \"max_queue=x\" in test.conf:1"},
    {"thread_pool a threads=1 queue=1;", "invalid parameter \"queue=1\" in test.conf:1"},
    {"thread_pool a threads=1; thread_pool a threads=1;", "duplicate thread pool \"a\" in test.conf:1"},
    {"http { open_file_cache inactive=1; }", "\"open_file_cache\" must have the \"max\" parameter in test.conf:1"},
    {"http { open_file_cache max=0; }", "invalid \"open_file_cache\" parameter \"max=0\" in test.conf:1"},
    {"http { open_file_cache on; }", "invalid \"open_file_cache\" parameter \"on\" in test.conf:1"},
    {"http { open_file_cache_content 0; }", "\"0\" keeps nothing; \"open_file_cache_content off\" says so"},
    {"http { open_file_cache_content 8k cap=0; }", "\"cap=0\" keeps nothing"},
    {"http { open_file_cache_content x; }", "invalid \"open_file_cache_content\" parameter \"x\" in test.conf:1"},
    {"http { open_file_cache_content 8k cap=900000g; }", "\"cap=900000g\" is larger than this machine's memory"},
    {"http { open_file_cache_content 8k size=1m; }", "invalid \"open_file_cache_content\" parameter \"size=1m\""},
    {"http { open_file_cache_content 8k cap=1k; }",
     "keeps files of up to 8192 bytes, but all of them may take only 1024"},
};

START_TEST(test_errors)
{
    read_text(errors[_i].text);
    ck_assert_msg(result.error && strstr(result.error, errors[_i].error), "%s: %s", errors[_i].text,
                  result.error ? result.error : "no error");
    arena_fini(&arena);
}
END_TEST

Suite *suite_io_io_conf(void)
{
    Suite *s = suite_create("io/io_conf");
    TCase *t = tcase_create("io_conf");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_values);
    tcase_add_loop_test(t, test_errors, 0, sizeof errors / sizeof errors[0]);
    suite_add_tcase(s, t);
    return s;
}
