/* http2_none.c - in builds without HTTP/2. See http2.h. */
#include "http/site/http2.h"

bool http2_available(void)
{
    return false;
}
