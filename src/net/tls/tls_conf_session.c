/* tls_conf_session.c - the setters of ssl_session_cache. See tls_conf.h. */
#include "net/tls/tls_conf_session.h"

#include "base/number.h"
#include "net/tls/tls_conf.h"

#include <unistd.h>

enum { BUILTIN_SESSIONS = 20480 }; /* libssl's own default, and nginx's */

/* The caches of the whole configuration are listed in the values of its outermost block with some. */
static struct tls_session_cache **caches_of(const struct conf *cf)
{
    const struct conf_block *block = cf->block;
    struct tls_conf *outermost = NULL;

    for (; block; block = block->parent)
        if (block->values[tls_module.index])
            outermost = block->values[tls_module.index];
    return &outermost->caches;
}

/* Of one name there is one memory, and it has one size. */
static const char *declare(struct conf *cf, const struct tls_session_cache *cache)
{
    struct tls_session_cache **at = caches_of(cf);

    for (; *at; at = &(*at)->next) {
        if (strcmp((*at)->name, cache->name) != 0)
            continue;
        if ((*at)->size == cache->size)
            return NULL;
        return conf_error(cf, "the size %lld of shared memory zone \"%s\" conflicts with already declared size %lld",
                          (long long)cache->size, cache->name, (long long)(*at)->size);
    }
    *at = arena_alloc(cf->arena, sizeof **at);
    if (!*at)
        return conf_error(cf, "no memory");
    **at = *cache;
    return NULL;
}

static const char *invalid(struct conf *cf, struct text word)
{
    return conf_error(cf, "invalid session cache \"%.*s\"", TEXT_ARG(word));
}

/* shared:NAME:SIZE */
static const char *set_shared(struct conf *cf, struct text word, struct tls_session_cache *cache)
{
    struct text rest = text_from(word, sizeof "shared:" - 1);
    size_t colon = text_find(rest, ':');
    uint64_t size;

    if (colon == 0 || colon == rest.len || number_parse_size(text_from(rest, colon + 1), &size) < 0)
        return invalid(cf, word);
    if (size < 8 * (uint64_t)sysconf(_SC_PAGESIZE))
        return conf_error(cf, "session cache \"%.*s\" is too small", TEXT_ARG(word));
    if (size > INT32_MAX)
        return conf_error(cf, "session cache \"%.*s\" is too large: at most 2g", TEXT_ARG(word));
    *cache = (struct tls_session_cache){
        .kind = TLS_CACHE_SHARED, .name = arena_copy(cf->arena, rest.at, colon), .size = (int64_t)size};
    return cache->name ? declare(cf, cache) : conf_error(cf, "no memory");
}

/* builtin[:SESSIONS] */
static const char *set_builtin(struct conf *cf, struct text word, struct tls_session_cache *cache)
{
    struct text rest = text_from(word, sizeof "builtin" - 1);
    uint64_t sessions = BUILTIN_SESSIONS;

    if (rest.len > 0 && (rest.at[0] != ':' || number_parse(text_from(rest, 1), &sessions) < 0 || sessions > INT32_MAX))
        return invalid(cf, word);
    if (cache->kind != TLS_CACHE_SHARED) /* `builtin shared:...`: the shared one has all */
        *cache = (struct tls_session_cache){.kind = TLS_CACHE_BUILTIN, .size = (int64_t)sessions};
    return NULL;
}

const char *tls_conf_set_session_cache(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct tls_session_cache *cache = slot;
    const char *error = NULL;

    (void)row;
    for (unsigned i = 1; i < cf->count && !error; i++) {
        struct text word = cf->args[i];
        if (text_equal(word, TEXT("off")))
            *cache = (struct tls_session_cache){.kind = TLS_CACHE_OFF};
        else if (text_equal(word, TEXT("none")))
            *cache = (struct tls_session_cache){.kind = TLS_CACHE_NONE};
        else if (text_starts(word, TEXT("shared:")))
            error = set_shared(cf, word, cache);
        else if (text_starts(word, TEXT("builtin")))
            error = set_builtin(cf, word, cache);
        else
            error = invalid(cf, word);
    }
    return error;
}
