/* certificate_cache.c - see certificate_cache.h. A table with chains, and a list by use. Used by
 * certificate.c, in the loop alone. */
#include "http/tls/certificate_cache.h"

#include "base/siphash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BUCKETS_MOST = 65536 };

struct certificate_cache {
    const struct certificate_cache_conf *conf;
    uint64_t secret[2];
    struct list by_use;
    int64_t count;
    size_t mask;
    struct kept_pair *buckets[];
};

struct certificate_cache *certificate_cache_create(const struct certificate_cache_conf *conf)
{
    size_t buckets = 16;

    while ((int64_t)buckets < conf->max && buckets < BUCKETS_MOST)
        buckets *= 2;
    struct certificate_cache *c = calloc(1, sizeof *c + buckets * sizeof *c->buckets);
    if (!c)
        return NULL;
    c->conf = conf;
    c->mask = buckets - 1;
    list_init(&c->by_use);
    if (getrandom(c->secret, sizeof c->secret, 0) == sizeof c->secret)
        return c;
    free(c);
    return NULL;
}

static struct kept_pair **place_of(struct certificate_cache *c, struct text certificate, struct text key)
{
    uint64_t hash = siphash(c->secret, certificate).half[0] ^ siphash(c->secret, key).half[1];
    struct kept_pair **at = &c->buckets[hash & c->mask];

    while (*at && !(text_equal((*at)->certificate, certificate) && text_equal((*at)->key, key)))
        at = &(*at)->next;
    return at;
}

static void drop(struct certificate_cache *c, struct kept_pair *k)
{
    *place_of(c, k->certificate, k->key) = k->next;
    list_remove(&k->by_use);
    tls_pair_release(k->pair);
    free(k);
    c->count--;
}

static struct kept_pair *oldest(const struct certificate_cache *c)
{
    return list_empty(&c->by_use) ? NULL : container_of(c->by_use.prev, struct kept_pair, by_use);
}

static void drop_inactive(struct certificate_cache *c, int64_t now_sec)
{
    for (struct kept_pair *k = oldest(c); k && now_sec - k->used_sec >= c->conf->inactive_sec; k = oldest(c))
        drop(c, k);
}

void certificate_cache_destroy(struct certificate_cache *c)
{
    for (struct kept_pair *k; c && (k = oldest(c));)
        drop(c, k);
    free(c);
}

const struct certificate_cache_conf *certificate_cache_conf_of(const struct certificate_cache *c)
{
    return c->conf;
}

int64_t certificate_cache_count(const struct certificate_cache *c)
{
    return c->count;
}

struct kept_pair *certificate_cache_find(struct certificate_cache *c, struct text certificate, struct text key,
                                         int64_t now_sec)
{
    drop_inactive(c, now_sec);
    struct kept_pair *k = *place_of(c, certificate, key);
    if (!k)
        return NULL;
    k->used_sec = now_sec;
    list_remove(&k->by_use);
    list_prepend(&c->by_use, &k->by_use);
    return k;
}

void certificate_cache_put(struct certificate_cache *c, struct text certificate, struct text key, struct tls_pair *pair,
                           const struct pair_marks *marks, int64_t now_sec)
{
    struct kept_pair *before = *place_of(c, certificate, key);
    struct kept_pair *k = malloc(sizeof *k + certificate.len + key.len + 2);

    if (before)
        drop(c, before);
    drop_inactive(c, now_sec);
    if (!k)
        return;
    if (c->count >= c->conf->max)
        drop(c, oldest(c));
    *k = (struct kept_pair){.pair = pair, .marks = *marks, .used_sec = now_sec, .checked_sec = now_sec};
    char *to = k->names;
    k->certificate = (struct text){text_put(&to, certificate), certificate.len};
    k->key = (struct text){text_put(&to, key), key.len};
    tls_pair_acquire(pair);
    struct kept_pair **place = place_of(c, certificate, key);
    k->next = NULL;
    *place = k;
    list_prepend(&c->by_use, &k->by_use);
    c->count++;
}
