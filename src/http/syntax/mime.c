/* mime.c - file name to media type: the `types` directive, and a hash table by lower-case
 * extension. Called by file_response.c and respond.c. */
#include "http/syntax/mime.h"

#include "http/syntax/field.h"

#include <stdint.h>

struct mime_entry {
    struct text extension; /* lower-case; absent: a free slot */
    struct text type;
};

struct mime_table {
    struct mime_entry *slots; /* a power of two of them, at most half in use; linear probing */
    size_t mask, used;
    size_t longest; /* extension */
};

enum { SLOTS_AT_FIRST = 16, EXTENSION_MOST = 64 };

static uint32_t hash_add(uint32_t hash, char c)
{
    return (hash ^ (unsigned char)c) * 16777619u; /* FNV-1a */
}

static uint32_t hash_of(struct text extension)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < extension.len; i++)
        hash = hash_add(hash, extension.at[i]);
    return hash;
}

/* The slot of `extension` (lower-case), or the free one where it would go. */
static struct mime_entry *find(const struct mime_table *t, struct text extension)
{
    size_t at = hash_of(extension) & t->mask;
    while (t->slots[at].extension.at && !text_equal(t->slots[at].extension, extension))
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static bool resize(struct mime_table *t, size_t slots, struct arena *arena)
{
    struct mime_table bigger = {.slots = arena_zalloc(arena, slots * sizeof *bigger.slots), .mask = slots - 1};
    if (!bigger.slots)
        return false;
    for (size_t i = 0; t->slots && i <= t->mask; i++) {
        if (t->slots[i].extension.at)
            *find(&bigger, t->slots[i].extension) = t->slots[i];
    }
    t->slots = bigger.slots;
    t->mask = bigger.mask;
    return true;
}

static const char *add(struct conf *cf, struct mime_table *t, struct text extension, struct text type)
{
    char *lower = arena_copy(cf->arena, extension.at, extension.len);
    if (!lower || ((t->used + 1) * 2 > t->mask + 1 && !resize(t, (t->mask + 1) * 2, cf->arena)))
        return conf_error(cf, "out of memory");
    for (size_t i = 0; i < extension.len; i++)
        lower[i] = text_lower(lower[i]);

    struct mime_entry *slot = find(t, (struct text){lower, extension.len});
    if (slot->extension.at) {
        conf_warn(cf, "duplicate extension \"%s\", content type: \"%.*s\", previous content type: \"%.*s\"", lower,
                  TEXT_ARG(type), TEXT_ARG(slot->type));
        slot->type = type;
        return NULL;
    }
    *slot = (struct mime_entry){{lower, extension.len}, type};
    t->used++;
    if (extension.len > t->longest)
        t->longest = extension.len;
    return NULL;
}

/* "text/html html htm;" */
static const char *on_line(struct conf *cf, void *arg)
{
    struct mime_table *t = arg;
    struct text type = field_fold(cf->args[0], cf->arena);

    if (!type.at)
        return conf_error(cf, "out of memory");
    for (unsigned i = 1; i < cf->count; i++) {
        if (cf->args[i].len > EXTENSION_MOST)
            return conf_error(cf, "extension \"%s\" is too long", cf->args[i].at);
        const char *error = add(cf, t, cf->args[i], type);
        if (error)
            return error;
    }
    return NULL;
}

const char *mime_set_types(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct mime_table **table = slot;
    if (!*table) { /* a second block in the same place adds to the first, as in nginx */
        *table = arena_zalloc(cf->arena, sizeof **table);
        if (!*table || !resize(*table, SLOTS_AT_FIRST, cf->arena))
            return conf_error(cf, "out of memory");
    }
    return conf_lines(cf, on_line, *table);
}

/* After the last dot of the last segment; empty where the only dot begins the name (".profile"). */
static struct text extension_of(struct text path)
{
    for (size_t i = path.len; i > 1 && path.at[i - 1] != '/'; i--) {
        if (path.at[i - 1] == '.')
            return path.at[i - 2] == '/' ? TEXT_NONE : text_from(path, i);
    }
    return TEXT_NONE;
}

/* What nginx knows without a `types` block. */
static struct text built_in(struct text extension, struct text fallback)
{
    if (text_equal(extension, TEXT("html")))
        return TEXT("text/html");
    if (text_equal(extension, TEXT("gif")))
        return TEXT("image/gif");
    if (text_equal(extension, TEXT("jpg")))
        return TEXT("image/jpeg");
    return fallback;
}

struct text mime_type(const struct mime_table *t, struct text path, struct text fallback)
{
    char lower[EXTENSION_MOST];
    struct text extension = extension_of(path);
    if (extension.len == 0 || extension.len > (t ? t->longest : 4))
        return fallback;
    for (size_t i = 0; i < extension.len; i++)
        lower[i] = text_lower(extension.at[i]);
    extension.at = lower;
    if (!t)
        return built_in(extension, fallback);
    const struct mime_entry *slot = find(t, extension);
    return slot->extension.at ? slot->type : fallback;
}
