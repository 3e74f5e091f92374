/* h2_none.c - stands in for the rest of this folder where sluice is built without nghttp2. */
#include "http/h2/h2.h"

#include "http/h2/library.h"

handover_fn *h2_handover(void)
{
    return NULL;
}

const char *h2_library(void)
{
    return NULL;
}
