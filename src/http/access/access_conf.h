/* access_conf.h - what access_conf.c reads for access.c. */
#ifndef HTTP_ACCESS_ACCESS_CONF_H
#define HTTP_ACCESS_ACCESS_CONF_H

#include "http/access/access.h"

/* limit_except: other rules for all methods but some. */
struct limit_except {
    struct conf_block *block;
    unsigned excepted; /* one bit per method */
};

#endif
