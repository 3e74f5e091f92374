/* ticket_keys.c - see ticket_keys.h.
 *
 * One writer at a time, held apart by a lock of fcntl(2), which dies with its holder. Readers do
 * not wait for it: each slot has a version that is odd while the slot is written (for good, if the
 * writer was killed over it: the next one that comes to the slot writes it anew). */
#include "net/tls/ticket_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A day of hourly keys, the one in use, and room for turns that come late. */
enum { SLOTS = 32, IN_A_LIFE = 24 };

#define MAGIC 0x316b63746563756cULL
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct slot {
    _Atomic uint32_t version;
    uint32_t used; /* 0: empty */
    int64_t made;
    struct ticket_key key;
};

struct ring {
    uint64_t magic;
    uint32_t size; /* of all of it: another version of this file may have another */
    _Atomic uint32_t newest;
    struct slot slots[SLOTS];
};

struct ticket_keys {
    int fd;
    struct ring *ring;
};

int64_t ticket_keys_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec;
}

/* ---- the memory ---- */

/* NULL with errno. */
static struct ticket_keys *map(int fd)
{
    struct ticket_keys *k = malloc(sizeof *k);
    if (!k)
        return NULL;
    void *memory = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        free(k);
        errno = error;
        return NULL;
    }
    /* Neither swap nor a core file is a place for keys; where the limits do not permit it, so be it. */
    (void)mlock(memory, sizeof(struct ring));
    (void)madvise(memory, sizeof(struct ring), MADV_DONTDUMP);
    *k = (struct ticket_keys){fd, memory};
    return k;
}

int ticket_keys_create(struct ticket_keys **out)
{
    struct ticket_keys *k = NULL;
    int fd = memfd_create("ticket keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && ftruncate(fd, sizeof(struct ring)) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        k = map(fd);
    if (!k) {
        int rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    k->ring->magic = MAGIC;
    k->ring->size = sizeof(struct ring);
    *out = k;
    return 0;
}

int ticket_keys_adopt(struct ticket_keys **out, int fd)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    /* Sealed, so that it cannot become shorter under the mapping. */
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 || st.st_size != sizeof(struct ring))
        return -EINVAL;
    struct ticket_keys *k = map(fd);
    if (!k)
        return -errno;
    if (k->ring->magic != MAGIC || k->ring->size != sizeof(struct ring)) {
        munmap(k->ring, sizeof(struct ring));
        free(k);
        return -EINVAL;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    *out = k;
    return 0;
}

void ticket_keys_destroy(struct ticket_keys *k)
{
    if (!k)
        return;
    munmap(k->ring, sizeof(struct ring));
    close(k->fd);
    free(k);
}

int ticket_keys_fd(const struct ticket_keys *k)
{
    return k->fd;
}

/* ---- writing ---- */

static bool lock(const struct ticket_keys *k, short type)
{
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(k->fd, F_SETLK, &whole) == 0;
}

/* A key, or nothing where `key` is NULL. */
static void write_slot(struct slot *s, const struct ticket_key *key, int64_t now)
{
    uint32_t version = atomic_load_explicit(&s->version, memory_order_relaxed) | 1;

    atomic_store_explicit(&s->version, version, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    explicit_bzero(&s->key, sizeof s->key);
    s->used = key != NULL;
    s->made = now;
    if (key)
        s->key = *key;
    atomic_store_explicit(&s->version, version + 1, memory_order_release);
}

static bool make_key(struct ticket_key *key)
{
    memset(key, 0, sizeof *key);
    key->len = TICKET_SECRET;
    return getrandom(key->name, sizeof key->name, 0) == sizeof key->name &&
           getrandom(key->cipher, sizeof key->cipher, 0) == sizeof key->cipher &&
           getrandom(key->mac, sizeof key->mac, 0) == sizeof key->mac;
}

static bool usable(const struct slot *s)
{
    return s->used && (atomic_load_explicit(&s->version, memory_order_acquire) & 1) == 0;
}

static void add_key(struct ring *ring, int64_t now)
{
    uint32_t next = (atomic_load_explicit(&ring->newest, memory_order_relaxed) + 1) % SLOTS;
    struct ticket_key key;

    if (make_key(&key)) {
        write_slot(&ring->slots[next], &key, now);
        atomic_store_explicit(&ring->newest, next, memory_order_release);
    }
    explicit_bzero(&key, sizeof key);
}

/* A key made its last ticket when the next one came. */
static int64_t wipe_old(struct ring *ring, uint32_t newest, int64_t now, int64_t longest, int64_t next)
{
    int64_t succeeded = ring->slots[newest].made;

    for (uint32_t i = 1; i < SLOTS; i++) {
        struct slot *s = &ring->slots[(newest + SLOTS - i) % SLOTS];
        int64_t left = succeeded + longest - now;
        if (!usable(s))
            continue;
        succeeded = s->made;
        if (left <= 0)
            write_slot(s, NULL, 0);
        else if (left < next)
            next = left;
    }
    return next;
}

int64_t ticket_keys_turn(struct ticket_keys *k, int64_t now, int64_t longest)
{
    struct ring *ring = k->ring;
    int64_t interval = longest / IN_A_LIFE > TICKET_KEY_HOUR ? longest / IN_A_LIFE : TICKET_KEY_HOUR, left;

    if (!lock(k, F_WRLCK))
        return 1; /* somebody else is at it */
    uint32_t newest = atomic_load_explicit(&ring->newest, memory_order_relaxed) % SLOTS;
    if (!usable(&ring->slots[newest]) || now - ring->slots[newest].made >= interval) {
        add_key(ring, now);
        newest = atomic_load_explicit(&ring->newest, memory_order_relaxed) % SLOTS;
    }
    left = wipe_old(ring, newest, now, longest, ring->slots[newest].made + interval - now);
    lock(k, F_UNLCK);
    return left > 0 ? left : 1;
}

/* ---- reading ---- */

/* False: empty, or being written. */
static bool read_slot(const struct slot *s, struct ticket_key *out)
{
    uint32_t version = atomic_load_explicit(&s->version, memory_order_acquire);
    bool used = s->used;

    *out = s->key;
    atomic_thread_fence(memory_order_acquire);
    return used && (version & 1) == 0 && atomic_load_explicit(&s->version, memory_order_relaxed) == version;
}

static uint32_t newest_of(const struct ring *ring)
{
    return atomic_load_explicit(&ring->newest, memory_order_acquire) % SLOTS;
}

bool ticket_keys_newest(const struct ticket_keys *k, struct ticket_key *out)
{
    return read_slot(&k->ring->slots[newest_of(k->ring)], out);
}

bool ticket_keys_find(const struct ticket_keys *k, const unsigned char name[TICKET_NAME], struct ticket_key *out,
                      bool *newest)
{
    uint32_t at = newest_of(k->ring);

    for (uint32_t i = 0; i < SLOTS; i++) {
        const struct slot *s = &k->ring->slots[(at + SLOTS - i) % SLOTS];
        if (memcmp(s->key.name, name, TICKET_NAME) != 0 || !read_slot(s, out))
            continue;
        *newest = i == 0;
        if (memcmp(out->name, name, TICKET_NAME) == 0)
            return true;
    }
    explicit_bzero(out, sizeof *out);
    return false;
}
