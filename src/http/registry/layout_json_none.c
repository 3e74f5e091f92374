/* layout_json_none.c - stands in for layout_json.c where sluice is built without jansson. */
#include "http/registry/layout_json.h"

#include <errno.h>

bool layout_json_works(void)
{
    return false;
}

int layout_json_version(struct text bytes)
{
    (void)bytes;
    return -ENOSYS;
}

int layout_json_index(struct text bytes, layout_descriptor_fn *each, void *arg)
{
    (void)bytes, (void)each, (void)arg;
    return -ENOSYS;
}

int layout_json_referrer(struct text bytes, const struct descriptor *d, layout_referrer_fn *each, void *arg)
{
    (void)bytes, (void)d, (void)each, (void)arg;
    return -ENOSYS;
}
