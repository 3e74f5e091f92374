/* confine.h - which files requests may reach: root_confine, disable_symlinks. openat2(2),
 * https://nginx.org/r/disable_symlinks */
#ifndef HTTP_FILES_CONFINE_H
#define HTTP_FILES_CONFINE_H

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

/* How `path`, made from the location's root or alias, is to be opened; with `source`, the template
 * that made it instead. The location has a confine. 0; -EACCES: it may not be opened, which without
 * `source` never happens. */
int confine_options(struct request *r, struct text path, const struct template *source, struct open_options *options);

/* The same for a folder whose entries are looked at, which counts for both: the root itself is the
 * configuration's, and a link in it may not lead out. 0 or -ENOMEM. */
int confine_folder_options(struct request *r, struct text path, struct open_options *options);

#endif
