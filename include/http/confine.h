/* confine.h - which files requests may reach: root_confine, disable_symlinks. */
#ifndef HTTP_CONFINE_H
#define HTTP_CONFINE_H

#include "conf/directive.h"
#include "file/open.h"

struct request;
struct template;

extern struct conf_module confine_module;

/* Values of confine_module. */
struct confine_conf {
    bool beneath; /* root_confine */
    struct symlinks_conf {
        int mode; /* enum symlinks */
        struct template *from;
    } symlinks; /* disable_symlinks */
};

/* How `path`, made from the location's root or alias, is to be opened. The location has a confine. */
void confine_options(struct request *r, struct text path, struct open_options *options);

#endif
