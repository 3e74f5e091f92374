/* static.h - the conductor: from a routed request to a complete response in r->out. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include "http/request.h"

/* Walks on from r->step. True: r->out is complete. False: something is awaited; request_resume() will be called. */
bool static_run(struct request *r);

/* One step of that: one name of try_files or index looked up, one file opened. False: it waits, and is to be taken again. */
bool static_step(struct request *r);

/* Gives up whatever is awaited and held: the request goes away. */
void static_abandon(struct request *r);

/* File name for `uri` by the location's root or alias; NUL-terminated, in the arena; absent: no memory, or too long. */
struct text static_path(struct request *r, struct text uri);

/* Root or alias, and `rest` behind it. */
struct text static_path_below(struct request *r, struct text rest);

/* Whether `value`, which is the text of `t`, has a component ".." that `t` does not write itself: it comes of the request. */
bool static_climbs(const struct template *t, struct text value);

/* The same for static_path_below(r, rest), and for static_path(r, r->uri). `own`: what is in `rest` is the configuration's. */
bool static_leads_out(struct request *r, struct text rest, bool own);
bool static_uri_leads_out(struct request *r);

/* Looks `path` up by the location's cache: 0 and a reference, -errno, or -EINPROGRESS: the request waits, and the same call again
 * gets the answer. */
int static_find(struct request *r, struct text path, struct file **f);

/* The same for a path that need not begin with the root: `source` made it, a template of the configuration. */
int static_find_named(struct request *r, struct text path, const struct template *source, struct file **f);

/* What is there and may not be opened: by the location's rules for files. False: nothing is, or it may not be asked about. `source` as
 * above, or NULL. The path was looked up a moment ago, so that this touches no disk. */
bool static_stat(struct request *r, struct text path, const struct template *source, struct stat *st);

/* The root (or alias) of the location. */
struct text static_root(struct request *r);

#endif
