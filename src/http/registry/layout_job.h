/* layout_job.h - the layouts that a worker has read: one reading for all requests that ask at the
 * same time, on a thread, and kept for those that come while its index.json is as it was. */
#ifndef HTTP_REGISTRY_LAYOUT_JOB_H
#define HTTP_REGISTRY_LAYOUT_JOB_H

#include "http/registry/layout.h"
#include "http/request/request.h"

/* A request's part in it; embedded, and zeroed before. */
struct layout_part {
    struct list node; /* in job->joined */
    struct layout_job *job;
    struct request *request;
};

/* Asks for the layout in `folder`, whose index.json has just been found to be `index`. 0: the
 * request waits, and is resumed exactly once, from the loop, unless layout_leave() comes first; 1:
 * it is there already; or -errno. */
int layout_join(struct layout_part *p, struct request *r, struct text folder, const struct file *index,
                const struct open_options *guard, bool referrers);

/* Once joined. Ready: the layout, which lives until layout_leave(), or NULL and *rc, -errno. */
bool layout_is_ready(const struct layout_part *p);
const struct layout *layout_result(const struct layout_part *p, int *rc);
void layout_leave(struct layout_part *p); /* legal at any time */

#endif
