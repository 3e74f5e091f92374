/* zone.c - see zone.h.
 *
 * Locks are robust: when a process dies, the kernel hands those it held to the next one that asks,
 * with EOWNERDEAD. The same tells whether a tenant lives: each holds a lock of its own from its
 * first use on. */
#include "base/zone.h"

#include "base/list.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Workers of two generations at a reload, with room to spare. Index 0 is for those beyond: never
 * known to be dead. */
enum { TENANTS = 256, TENANT_ANY = 0 };

struct tenant {
    pthread_mutex_t alive; /* held as long as it is */
    uint32_t epoch;
};

/* At the beginning of the mapping; what the zone is for lies behind it. */
struct head {
    pthread_mutex_t lock;
    uint64_t secret[2];
    uint32_t generation;
    bool made; /* the content, by somebody who did not die over it */
    struct tenant tenants[TENANTS];
};

struct zone {
    struct list node;
    unsigned users;
    struct text name, key;
    size_t size;
    struct head *head;
    struct zone_tenant self; /* in this process */
    bool settled;            /* it has been found */
};

static struct list zones = {&zones, &zones};

enum { HEAD_SIZE = (sizeof(struct head) + 63) & ~(size_t)63 };

static int make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc != 0)
        return -rc;
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (rc == 0)
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (rc == 0)
        rc = pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return -rc;
}

static int make_head(struct head *head)
{
    int rc = make_lock(&head->lock);

    for (unsigned i = 0; rc == 0 && i < TENANTS; i++)
        rc = make_lock(&head->tenants[i].alive);
    if (rc == 0 && getrandom(head->secret, sizeof head->secret, 0) != (ssize_t)sizeof head->secret)
        rc = -EAGAIN;
    return rc;
}

static void unmap(struct zone *z)
{
    munmap(z->head, HEAD_SIZE + z->size);
}

static int create(struct zone **out, struct text name, size_t size, struct text key)
{
    if (size > SIZE_MAX / 2)
        return -ENOMEM;
    struct zone *z = calloc(1, sizeof *z + name.len + 1 + key.len + 1);
    if (!z)
        return -ENOMEM;
    char *to = (char *)(z + 1);
    z->name = (struct text){text_put(&to, name), name.len};
    z->key = (struct text){text_put(&to, key), key.len};
    z->size = size;
    z->users = 1;
    void *memory = mmap(NULL, HEAD_SIZE + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc = memory == MAP_FAILED ? -errno : 0;
    if (rc == 0) {
        z->head = memory;
        rc = make_head(z->head);
        if (rc < 0)
            unmap(z);
    }
    if (rc < 0) {
        free(z);
        return rc;
    }
    list_append(&zones, &z->node);
    *out = z;
    return 0;
}

int zone_acquire(struct zone **out, struct text name, size_t size, struct text key)
{
    list_each (&zones, node, next) {
        struct zone *z = container_of(node, struct zone, node);
        if (z->size != size || !text_equal(z->name, name))
            continue;
        *out = z;
        if (!text_equal(z->key, key))
            return -EEXIST;
        z->users++;
        return 0;
    }
    return create(out, name, size, key);
}

void zone_release(struct zone *z)
{
    if (!z || --z->users > 0)
        return;
    /* No lock may be held in memory that goes away: the kernel walks the list of them when the
     * process ends. */
    if (z->settled && z->self.index != TENANT_ANY)
        pthread_mutex_unlock(&z->head->tenants[z->self.index].alive);
    list_remove(&z->node);
    unmap(z);
    free(z);
}

struct text zone_key(const struct zone *z)
{
    return z->key;
}

size_t zone_size(const struct zone *z)
{
    return z->size;
}

void *zone_content(const struct zone *z)
{
    return (char *)z->head + HEAD_SIZE;
}

const uint64_t *zone_secret(const struct zone *z)
{
    return z->head->secret;
}

bool zone_lock(struct zone *z)
{
    struct head *head = z->head;

    if (pthread_mutex_lock(&head->lock) == EOWNERDEAD) {
        pthread_mutex_consistent(&head->lock);
        head->made = false;
    }
    if (head->made)
        return false;
    head->generation++;
    return true;
}

void zone_unlock(struct zone *z)
{
    z->head->made = true;
    pthread_mutex_unlock(&z->head->lock);
}

uint32_t zone_generation(const struct zone *z)
{
    return z->head->generation;
}

/* Takes the tenant's lock if nobody who lives has it. Whoever had it is gone then: what it left is
 * of an earlier epoch. */
static bool evict(struct tenant *t)
{
    int rc = pthread_mutex_trylock(&t->alive);

    if (rc == EOWNERDEAD)
        pthread_mutex_consistent(&t->alive);
    else if (rc != 0)
        return false;
    t->epoch++;
    return true;
}

struct zone_tenant zone_tenant(struct zone *z)
{
    if (z->settled)
        return z->self;
    z->settled = true;
    for (uint32_t i = TENANT_ANY + 1; i < TENANTS; i++)
        if (evict(&z->head->tenants[i])) {
            z->self = (struct zone_tenant){i, z->head->tenants[i].epoch};
            break;
        }
    return z->self;
}

bool zone_tenant_lives(struct zone *z, struct zone_tenant t)
{
    if (t.index == TENANT_ANY || (z->settled && t.index == z->self.index && t.epoch == z->self.epoch))
        return true;
    if (t.index >= TENANTS || z->head->tenants[t.index].epoch != t.epoch)
        return false;
    if (!evict(&z->head->tenants[t.index]))
        return true;
    pthread_mutex_unlock(&z->head->tenants[t.index].alive);
    return false;
}
