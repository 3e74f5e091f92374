/* table.c - the rows of all modules by name, so that finding a directive does not grow with their
 * number. */
#include "conf/parse_private.h"

#include <errno.h>

static size_t hash(struct text name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.at[i]) * 16777619u;
    return h;
}

static size_t count_rows(struct conf_module *const *modules)
{
    size_t count = 0;
    for (unsigned m = 0; modules[m]; m++) {
        for (const struct conf_row *row = modules[m]->rows; row && row->name; row++)
            count++;
    }
    return count;
}

/* At the end of its chain: of two rows that fit, the one that stands first in the tables is
 * taken. */
static void append(struct conf_table *table, struct conf_entry *entry)
{
    struct conf_entry **at = &table->buckets[hash(text_of(entry->row->name)) & table->mask];
    while (*at)
        at = &(*at)->next;
    *at = entry;
}

int table_build(struct conf_table *table, struct conf_module *const *modules, struct arena *arena)
{
    size_t count = count_rows(modules), buckets = 64;
    while (buckets < count * 2)
        buckets *= 2;
    table->mask = buckets - 1;
    table->buckets = arena_zalloc(arena, buckets * sizeof table->buckets[0]);
    struct conf_entry *entries = arena_zalloc(arena, (count + 1) * sizeof entries[0]);
    if (!table->buckets || !entries)
        return -ENOMEM;
    for (unsigned m = 0; modules[m]; m++) {
        const struct conf_row *rows = modules[m]->rows;
        for (unsigned i = 0; rows && rows[i].name; i++) {
            *entries = (struct conf_entry){modules[m], &rows[i], i, NULL};
            append(table, entries++);
        }
    }
    return 0;
}

enum table_answer table_find(const struct conf_table *table, struct text name, enum conf_context context,
                             const struct conf_entry **entry)
{
    enum table_answer answer = TABLE_UNKNOWN;
    for (const struct conf_entry *e = table->buckets[hash(name) & table->mask]; e; e = e->next) {
        if (!text_equal(name, text_of(e->row->name)))
            continue;
        if (e->row->contexts & context) {
            *entry = e;
            return TABLE_FOUND;
        }
        answer = TABLE_ELSEWHERE;
    }
    return answer;
}

bool rows_share(const struct conf_row *a, const struct conf_row *b)
{
    return a->size > 0 && b->size > 0 && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

bool row_is_set(const struct conf_block *block, const struct conf_module *module, unsigned index)
{
    return block->set[module->index][index / 64] >> index % 64 & 1;
}

void row_mark(const struct conf_block *block, const struct conf_module *module, unsigned index)
{
    block->set[module->index][index / 64] |= (uint64_t)1 << index % 64;
}

struct conf_block *block_holding(struct conf_block *block, const struct conf_module *module)
{
    while (block && !block->values[module->index])
        block = block->parent;
    return block;
}
