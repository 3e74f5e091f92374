/* certificate_cache.h - certificates with their keys in memory, by the names of their files. */
#ifndef HTTP_TLS_CERTIFICATE_CACHE_H
#define HTTP_TLS_CERTIFICATE_CACHE_H

#include "base/list.h"
#include "http/tls/certificate_conf.h"
#include "net/tls/tls_pair.h"

#include <sys/stat.h>

/* What files of a pair were when they were read. */
struct pair_marks {
    struct stat certificate, key;
};

struct kept_pair {
    struct list by_use;     /* of its cache, the latest first */
    struct kept_pair *next; /* in its bucket */
    struct tls_pair *pair;
    struct pair_marks marks;
    int64_t used_sec, checked_sec; /* clock_now.sec */
    struct text certificate, key;
    char names[];
};

struct certificate_cache;

struct certificate_cache *certificate_cache_create(const struct certificate_cache_conf *conf); /* NULL: no memory */
void certificate_cache_destroy(struct certificate_cache *c);                                   /* NULL is legal */

const struct certificate_cache_conf *certificate_cache_conf_of(const struct certificate_cache *c);
int64_t certificate_cache_count(const struct certificate_cache *c);

/* Now the one used last. NULL: it is not there. Valid until the next call. */
struct kept_pair *certificate_cache_find(struct certificate_cache *c, struct text certificate, struct text key,
                                         int64_t now_sec);

/* In the place of what it has by these names. Without memory, nothing is kept. */
void certificate_cache_put(struct certificate_cache *c, struct text certificate, struct text key, struct tls_pair *pair,
                           const struct pair_marks *marks, int64_t now_sec);

#endif
