/* codec_bag.c - see codec_bag.h. */
#include "codec_bag.h"

#include "base/list.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    PAGES = 32 * 1024,       /* from this size on, blocks go back to the kernel when they are dropped */
    KEPT_MOST = 1024 * 1024, /* bytes; what takes more is seldom, and too much to keep */
    SPARE = 4096             /* a block may be this much larger than twice what is asked for */
};

struct codec_block {
    struct codec_block *next;
    size_t len; /* with this head */
    max_align_t bytes[];
};

static struct codec_block *block_new(size_t len)
{
    if (len < PAGES)
        return malloc(len);
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void block_drop(struct codec_block *b)
{
    if (b->len < PAGES)
        free(b);
    else
        munmap(b, b->len);
}

static struct codec_block *take(struct codec_bag *bag, size_t len)
{
    for (struct codec_block **at = &bag->kept; *at; at = &(*at)->next) {
        struct codec_block *b = *at;
        if (b->len < len || b->len > 2 * len + SPARE)
            continue;
        *at = b->next;
        bag->bytes -= b->len;
        return b;
    }
    return NULL;
}

void *codec_bag_alloc(void *arg, size_t size)
{
    size_t len = sizeof(struct codec_block) + size;
    struct codec_block *b = take(arg, len);

    if (b)
        return b->bytes;
    b = block_new(len);
    if (!b)
        return NULL;
    b->len = len;
    return b->bytes;
}

void codec_bag_free(void *arg, void *bytes)
{
    struct codec_bag *bag = arg;

    if (!bytes)
        return;
    struct codec_block *b = container_of(bytes, struct codec_block, bytes);
    if (bag->bytes + b->len > KEPT_MOST) {
        block_drop(b);
        return;
    }
    b->next = bag->kept;
    bag->kept = b;
    bag->bytes += b->len;
}

void codec_bag_empty(struct codec_bag *bag)
{
    while (bag->kept) {
        struct codec_block *b = bag->kept;
        bag->kept = b->next;
        block_drop(b);
    }
    bag->bytes = 0;
}
