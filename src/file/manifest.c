/* manifest.c - a list of digests in memory: read, sorted, found. See manifest.h; used by identity.c.
 *
 * No name is kept: 128 bits of a keyed hash stand for it, which nobody can make another name have. So
 * an entry takes 72 bytes, however long its name. The first bits of the key are where to look. */
#include "file/manifest.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_LEAST = 512, BITS_MOST = 24, PER_BUCKET = 4 };

/* ---- keys ---- */

static uint64_t secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
    if (getrandom(secret, sizeof secret, 0) != sizeof secret) {
        secret[0] = (uint64_t)(uintptr_t)&secret;
        secret[1] = (uint64_t)getpid();
    }
}

struct siphash manifest_key(struct text name)
{
    pthread_once(&secret_once, make_secret);
    return siphash(secret, name);
}

static int compare(const struct manifest_entry *a, const struct siphash *key, uint32_t line)
{
    for (unsigned i = 0; i < 2; i++)
        if (a->key.half[i] != key->half[i])
            return a->key.half[i] < key->half[i] ? -1 : 1;
    return a->line < line ? -1 : a->line > line;
}

static size_t bucket_of(const struct manifest *m, const struct siphash *key)
{
    return m->bits == 0 ? 0 : (size_t)(key->half[0] >> (64 - m->bits));
}

/* ---- memory ---- */

static void *map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static int grow(struct manifest *m)
{
    size_t size = m->entries_size * 2;
    void *at = mremap(m->entries, m->entries_size, size, MREMAP_MAYMOVE);

    if (at == MAP_FAILED)
        return -ENOMEM;
    m->entries = at;
    m->entries_size = size;
    return 0;
}

/* ---- reading ---- */

struct adding {
    struct manifest *m;
    struct text prefix;
    struct manifest_line facts; /* for the next line; kind MANIFEST_COMMENT: none */
    char name[2 * MANIFEST_LINE_MOST];
};

static struct siphash key_below(struct adding *a, struct text name)
{
    if (a->prefix.len == 0)
        return manifest_key(name);
    memcpy(a->name, a->prefix.at, a->prefix.len);
    a->name[a->prefix.len] = '/';
    memcpy(a->name + a->prefix.len + 1, name.at, name.len);
    return manifest_key((struct text){a->name, a->prefix.len + 1 + name.len});
}

static int add_entry(struct adding *a, uint32_t number, const struct manifest_line *line)
{
    struct manifest *m = a->m;
    bool told = a->facts.kind == MANIFEST_FACTS;

    if ((m->count + 1) * sizeof *m->entries > m->entries_size && grow(m) < 0)
        return -ENOMEM;
    struct manifest_entry *e = &m->entries[m->count++];
    *e = (struct manifest_entry){.key = key_below(a, line->name), .size = -1, .line = number};
    memcpy(e->digest, line->digest, DIGEST_LEN);
    if (told) {
        e->size = a->facts.size;
        e->mtime_sec = a->facts.mtime_sec;
        e->mtime_nsec = a->facts.mtime_nsec;
    }
    a->facts.kind = MANIFEST_COMMENT;
    return 0;
}

static int on_line(void *arg, uint32_t number, const struct manifest_line *line)
{
    struct adding *a = arg;

    if (line && line->kind == MANIFEST_ENTRY)
        return add_entry(a, number, line);
    a->facts.kind = MANIFEST_COMMENT;
    if (line && line->kind == MANIFEST_FACTS)
        a->facts = *line;
    else if (!line || line->kind == MANIFEST_OTHER) {
        if (a->m->ignored++ == 0)
            a->m->first_ignored = number;
    }
    return 0;
}

static int read_entries(struct manifest *m, int fd, struct text prefix)
{
    struct adding *a = calloc(1, sizeof *a);
    int rc = -ENOMEM;

    if (!a)
        return rc;
    a->m = m;
    a->prefix = prefix;
    a->facts.kind = MANIFEST_COMMENT;
    m->entries_size = ENTRIES_LEAST * sizeof *m->entries;
    m->entries = map(m->entries_size);
    if (m->entries)
        rc = manifest_read_lines(fd, on_line, a);
    free(a);
    return rc == 0 && m->count == 0 && m->ignored > 0 ? -EINVAL : rc;
}

/* ---- sorting ---- */

static void choose_bits(struct manifest *m)
{
    while (m->bits < BITS_MOST && ((size_t)PER_BUCKET << m->bits) < m->count)
        m->bits++;
}

/* Every entry into its bucket, in place: each exchange brings one home. */
static void distribute(struct manifest *m, uint32_t *next)
{
    for (size_t b = 0; b < (size_t)1 << m->bits; b++) {
        while (next[b] < m->buckets[b + 1]) {
            struct manifest_entry *here = &m->entries[next[b]], moved = *here;
            size_t home = bucket_of(m, &moved.key);
            *here = m->entries[next[home]];
            m->entries[next[home]++] = moved;
        }
    }
}

static void sort_bucket(struct manifest_entry *at, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct manifest_entry moved = at[i];
        size_t to = i;
        for (; to > 0 && compare(&at[to - 1], &moved.key, moved.line) > 0; to--)
            at[to] = at[to - 1];
        at[to] = moved;
    }
}

static int sort(struct manifest *m)
{
    choose_bits(m);
    size_t buckets = (size_t)1 << m->bits;
    m->buckets_size = (buckets + 1) * sizeof *m->buckets;
    m->buckets = map(m->buckets_size);
    uint32_t *next = malloc(buckets * sizeof *next);
    if (!m->buckets || !next) {
        free(next);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->count; i++)
        m->buckets[bucket_of(m, &m->entries[i].key) + 1]++;
    for (size_t b = 0; b < buckets; b++)
        m->buckets[b + 1] += m->buckets[b];
    memcpy(next, m->buckets, buckets * sizeof *next);
    distribute(m, next);
    free(next);
    for (size_t b = 0; b < buckets; b++)
        sort_bucket(m->entries + m->buckets[b], m->buckets[b + 1] - m->buckets[b]);
    return 0;
}

/* Nobody changes it any more, and the pages behind the last entry go back. */
static void seal(struct manifest *m)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (m->count * sizeof *m->entries + page) / page * page;

    if (used < m->entries_size) {
        void *at = mremap(m->entries, m->entries_size, used, 0);
        if (at != MAP_FAILED)
            m->entries_size = used;
    }
    (void)mprotect(m->entries, m->entries_size, PROT_READ);
    (void)mprotect(m->buckets, m->buckets_size, PROT_READ);
}

static int read_file(struct manifest *m, struct text prefix)
{
    struct stat st;

    clock_gettime(CLOCK_REALTIME, &m->read);
    int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    int rc = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;
    if (rc == 0) {
        m->mtime = st.st_mtim;
        rc = read_entries(m, fd, prefix);
    }
    close(fd);
    if (rc == 0)
        rc = sort(m);
    return rc;
}

int manifest_open(struct manifest **out, const char *path, struct text prefix)
{
    struct manifest *m = calloc(1, sizeof *m);

    *out = NULL;
    if (!m)
        return -ENOMEM;
    if (prefix.len >= MANIFEST_LINE_MOST) {
        free(m);
        return -ENAMETOOLONG;
    }
    m->path = path;
    int rc = read_file(m, prefix);
    if (rc < 0) {
        manifest_close(m);
        return rc;
    }
    seal(m);
    *out = m;
    return 0;
}

void manifest_close(struct manifest *m)
{
    if (!m)
        return;
    if (m->entries)
        munmap(m->entries, m->entries_size);
    if (m->buckets)
        munmap(m->buckets, m->buckets_size);
    free(m);
}

/* ---- finding ---- */

const struct manifest_entry *manifest_find(const struct manifest *m, const struct siphash *key)
{
    size_t b = bucket_of(m, key);

    /* From the end: of several lines with one name, the last one counts. */
    for (size_t i = m->buckets[b + 1]; i > m->buckets[b]; i--) {
        const struct manifest_entry *e = &m->entries[i - 1];
        if (e->key.half[0] == key->half[0] && e->key.half[1] == key->half[1])
            return e;
    }
    return NULL;
}

static bool is_later(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

bool manifest_holds(const struct manifest *m, const struct manifest_entry *e, off_t size, struct timespec mtime,
                    struct timespec ctime)
{
    if (is_later(ctime, m->read))
        return false;
    if (e->size >= 0) {
        if (e->size != size)
            return false;
        if (e->mtime_sec == mtime.tv_sec && e->mtime_nsec == (uint32_t)mtime.tv_nsec)
            return true;
    }
    return !is_later(mtime, m->mtime);
}
