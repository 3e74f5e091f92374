/* session_store.c - see session_store.h. In the zone: a table of cells, and behind it the bytes of
 * the sessions, written round and round. Cells are in the order of their bytes, since no cell is
 * ever touched: so the oldest are those that the next write meets. */
#include "net/tls/session_store.h"

#include "base/shared_table.h"

/* In struct shared_cell. */
struct place {
    uint32_t at, len;
    int64_t end;
};
_Static_assert(sizeof(struct place) <= SHARED_CELL_SPACE, "a cell has room for a place");

struct store {
    uint32_t size, head; /* of `bytes` of this store; where the next session goes */
    uint32_t bytes_at;   /* from the store on */
    uint32_t spare;
    struct shared_table table; /* and its cells */
};

/* A cell is about as long as a fourth of a session. */
enum { TABLE_SHARE = 5, STORE_MOST = 1 << 30 };

static void make(struct store *s, size_t size)
{
    size_t most = size < STORE_MOST ? size : STORE_MOST, table = (most / TABLE_SHARE) & ~(size_t)7;

    *s = (struct store){.bytes_at = (uint32_t)(offsetof(struct store, table) + table)};
    if (shared_table_init(&s->table, table))
        s->size = (uint32_t)(most - s->bytes_at);
}

static struct store *enter(struct zone *z)
{
    struct store *s = zone_content(z);

    if (zone_lock(z))
        make(s, zone_size(z));
    return s;
}

static char *bytes_of(struct store *s)
{
    return (char *)s + s->bytes_at;
}

static struct place *place_of(struct shared_cell *c)
{
    return (struct place *)(void *)c->space.bytes;
}

static void forget(struct store *s, const struct siphash *key)
{
    struct shared_cell *c = shared_table_find(&s->table, key);

    if (!c)
        return;
    explicit_bzero(bytes_of(s) + place_of(c)->at, place_of(c)->len);
    shared_table_remove(&s->table, c);
}

/* What lies in [from, to), beginning with the oldest; which is the first behind the head. */
static void evict(struct store *s, uint32_t from, uint32_t to)
{
    struct shared_cell *c;

    while ((c = shared_table_oldest(&s->table)) && place_of(c)->at < to && place_of(c)->at + place_of(c)->len > from)
        shared_table_remove(&s->table, c);
}

static uint32_t take_room(struct store *s, uint32_t len)
{
    if (s->head + len > s->size) {
        evict(s, s->head, s->size);
        s->head = 0;
    }
    evict(s, s->head, s->head + len);
    uint32_t at = s->head;
    s->head += len;
    return at;
}

static struct shared_cell *take_cell(struct store *s, const struct siphash *key)
{
    struct shared_cell *c = shared_table_add(&s->table, key);

    if (c || s->table.count == 0)
        return c;
    shared_table_remove(&s->table, shared_table_oldest(&s->table));
    return shared_table_add(&s->table, key);
}

void session_store_put(struct zone *z, struct text id, struct text bytes, int64_t end)
{
    struct siphash key = siphash(zone_secret(z), id);
    struct store *s = enter(z);

    if (bytes.len > 0 && bytes.len <= SESSION_BYTES_MOST && bytes.len <= s->size) {
        forget(s, &key);
        uint32_t at = take_room(s, (uint32_t)bytes.len);
        struct shared_cell *c = take_cell(s, &key);
        if (c) {
            memcpy(bytes_of(s) + at, bytes.at, bytes.len);
            *place_of(c) = (struct place){at, (uint32_t)bytes.len, end};
        }
    }
    zone_unlock(z);
}

size_t session_store_get(struct zone *z, struct text id, int64_t now, char *to)
{
    struct siphash key = siphash(zone_secret(z), id);
    struct store *s = enter(z);
    struct shared_cell *c = shared_table_find(&s->table, &key);
    size_t len = 0;

    if (c && place_of(c)->end > now) {
        len = place_of(c)->len;
        memcpy(to, bytes_of(s) + place_of(c)->at, len);
    } else if (c) {
        forget(s, &key);
    }
    zone_unlock(z);
    return len;
}

void session_store_remove(struct zone *z, struct text id)
{
    struct siphash key = siphash(zone_secret(z), id);

    forget(enter(z), &key);
    zone_unlock(z);
}
