/* site.c - finds what a block of the configuration belongs to. See site.h. */
#include "http/site/site.h"

struct http_main *http_main_at(const struct conf *cf)
{
    const struct conf_block *b = cf->block;
    while (b->context != CONF_HTTP)
        b = b->parent;
    return b->owner;
}

struct http_main *http_main_of(const struct conf_block *root)
{
    list_each (&root->children, node, tmp) {
        struct conf_block *b = container_of(node, struct conf_block, node);
        if (b->context == CONF_HTTP)
            return b->owner;
    }
    return NULL;
}

struct location *location_of(const struct conf_block *block)
{
    switch (block->context) {
    case CONF_SERVER:
        return &((struct server *)block->owner)->base;
    case CONF_LOCATION:
    case CONF_IF:
        return block->owner;
    default:
        return NULL;
    }
}
