/* cache_conf.c - the rows of open_file_cache.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#open_file_cache */
#include "file/cache.h"

#include "base/number.h"

#include <unistd.h>

enum { INACTIVE_SEC = 60 };

/* Distinct within one configuration, small, and starting again with the next one. */
static unsigned next_id(const struct arena *arena)
{
    static const struct arena *last;
    static unsigned next;

    if (arena != last) {
        last = arena;
        next = 0;
    }
    return next++;
}

static const char *set_cache(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct file_cache_conf cache = {.max = 0, .inactive_sec = INACTIVE_SEC};
    bool off = false;

    for (unsigned i = 1; i < cf->count; i++) {
        struct text arg = cf->args[i];
        uint64_t max;
        int64_t inactive;
        if (text_starts(arg, TEXT("max=")) && number_parse(text_from(arg, 4), &max) == 0 && max > 0 && max <= INT32_MAX)
            cache.max = (int64_t)max;
        else if (text_starts(arg, TEXT("inactive=")) && number_parse_sec(text_from(arg, 9), &inactive) == 0 &&
                 inactive <= INT32_MAX)
            cache.inactive_sec = inactive;
        else if (text_equal(arg, TEXT("off")))
            off = true;
        else
            return conf_error(cf, "invalid \"%s\" parameter \"%.*s\"", row->name, TEXT_ARG(arg));
    }
    if (off) {
        *(struct file_cache_conf **)slot = NULL;
        return NULL;
    }
    if (cache.max == 0)
        return conf_error(cf, "\"%s\" must have the \"max\" parameter", row->name);
    struct file_cache_conf *kept = arena_alloc(cf->arena, sizeof *kept);
    if (!kept)
        return conf_error(cf, "no memory");
    cache.id = next_id(cf->arena);
    *kept = cache;
    *(struct file_cache_conf **)slot = kept;
    return NULL;
}

static uint64_t physical_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : INT64_MAX;
}

static const char *set_content(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct file_content_conf *content = slot;
    uint64_t bytes;

    *content = (struct file_content_conf){0, 0};
    if (cf->count == 2 && text_equal(cf->args[1], TEXT("off")))
        return NULL;
    content->cap = *(const int64_t *)row->extra;
    for (unsigned i = 1; i < cf->count; i++) {
        struct text arg = cf->args[i];
        bool is_cap = text_starts(arg, TEXT("cap="));
        if (number_parse_size(is_cap ? text_from(arg, 4) : arg, &bytes) < 0 || is_cap != (i == 2))
            return conf_error(cf, "invalid \"%s\" parameter \"%.*s\"", row->name, TEXT_ARG(arg));
        if (bytes == 0)
            return conf_error(cf, "\"%s\": \"%.*s\" keeps nothing; \"%s off\" says so", row->name, TEXT_ARG(arg),
                              row->name);
        if (bytes > physical_memory())
            return conf_error(cf, "\"%s\": \"%.*s\" is larger than this machine's memory", row->name, TEXT_ARG(arg));
        if (is_cap)
            content->cap = (int64_t)bytes;
        else
            content->most = (int64_t)bytes;
    }
    if (content->most > content->cap)
        return conf_error(cf, "\"%s\" keeps files of up to %lld bytes, but all of them may take only %lld", row->name,
                          (long long)content->most, (long long)content->cap);
    if (cf->count == 2 && conf_fit(cf, content->cap, 8) < content->cap) {
        int64_t fitting = conf_fit(cf, content->cap, 8);
        content->cap = fitting > content->most ? fitting : content->most;
    }
    return NULL;
}

static const int64_t content_cap = INT64_C(32) << 20, small_cap = INT64_C(16) << 20;

static const struct conf_row rows[] = {
    {"open_file_cache", CONF_HTTP_ALL, CONF_TAKE12, set_cache, CONF_SLOT(struct file_conf, cache), .dflt = "off",
     .help = "Keeps up to max files open per worker, with their size, time and validators; a file that was not used "
             "for the inactive time is closed. worker_rlimit_nofile is a bound, too: what it leaves beside "
             "worker_connections.",
     .syntax = "off | max=N [inactive=time]"},
    {"open_file_cache_valid", CONF_HTTP_ALL, CONF_TAKE1, conf_set_sec, CONF_SLOT(struct file_conf, valid_sec),
     .dflt = "60s", .help = "The time after which a cached entry is looked up again by its path."},
    {"open_file_cache_min_uses", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, CONF_SLOT(struct file_conf, min_uses),
     .dflt = "1", .help = "How many uses within the inactive time keep a file open in the cache."},
    {"open_file_cache_errors", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct file_conf, errors),
     .dflt = "off", .help = "Whether failed lookups are cached too.",
     .differs = "only what says something about the path is kept (not found, forbidden), never a lack of descriptors"},
    {"open_file_cache_content", CONF_HTTP_ALL, CONF_TAKE12, set_content, CONF_SLOT(struct file_conf, content),
     .extra = &content_cap, .dflt = "16k",
     .help = "With open_file_cache: the content of files up to this size is kept in memory while their entry is valid, "
             "up to cap bytes per worker and cache: 32m, or less, at most an eighth of a worker's share of the memory "
             "that its cgroup may use.",
     .syntax = "off | size [cap=size]", .differs = "nginx has no such directive"},
    {"small_file_cache", CONF_HTTP_ALL, CONF_TAKE12, set_content, CONF_SLOT(struct file_conf, small),
     .extra = &small_cap, .dflt = "16k",
     .help = "Where open_file_cache is off: the content of files up to this size that are asked for again is kept in "
             "memory, up to cap bytes per worker: 16m, or less, at most an eighth of a worker's share of the memory "
             "that its cgroup may use. Each request asks the file system whether the file is still the "
             "same (inode, size, times), so that no response is older than the file; no descriptor is kept. Files on "
             "FUSE and network file systems, and those that changed within the last two seconds, are not kept.",
     .syntax = "off | size [cap=size]", .differs = "nginx has no such directive"},
    {.name = NULL}};

struct conf_module file_module = {
    .name = "Open files", .rows = rows, .size = sizeof(struct file_conf), .levels = CONF_HTTP_ALL};
