/* tls_context_none.c - stands in for tls_context.c where sluice is built without libssl. */
#include "net/tls/tls_context.h"

bool tls_available(void)
{
    return false;
}

const char *tls_library(void)
{
    return "without TLS";
}

const char *tls_context_create(struct tls_context **out, const struct tls_conf *conf, struct arena *arena)
{
    const struct tls_word *w = conf->certificates;
    *out = NULL;
    if (!w)
        return "TLS needs libssl, which this sluice was built without";
    const char *error = arena_printf(arena, "\"%s\" needs libssl, which this sluice was built without in %s:%u",
                                     w->directive, w->file, w->line);
    return error ? error : "no memory";
}

bool tls_context_covers(const struct tls_context *c, const char *host)
{
    (void)c, (void)host;
    return true;
}

void tls_context_own(struct tls_context *c, const void *owner)
{
    (void)c, (void)owner;
}

const void *tls_context_owner(const struct tls_context *c)
{
    (void)c;
    return NULL;
}

const struct tls_conf *tls_context_conf(const struct tls_context *c)
{
    (void)c;
    return NULL;
}

struct text tls_context_passwords(const struct tls_context *c)
{
    (void)c;
    return TEXT_NONE;
}

int64_t tls_context_not_after(const struct tls_context *c)
{
    (void)c;
    return 0;
}

void tls_context_acquire(struct tls_context *c)
{
    (void)c;
}

void tls_context_release(struct tls_context *c)
{
    (void)c;
}
