/* dict_brotli_none.c - stands in for dict_brotli.c where libbrotlienc is left out, or older than 1.1. */
#include "dict_private.h"

#include <errno.h>

const char *const dict_brotli_lacks = "this sluice was built without libbrotli 1.1 or later";

ssize_t dict_brotli(struct text dictionary, struct text content, char **out)
{
    (void)dictionary;
    (void)content;
    *out = NULL;
    return -ENOSYS;
}
