/* static.h - the conductor: from a routed request to a complete response in r->out. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include "http/request.h"

/* Goes on with `l`, which was found, or named. */
void static_enter(struct request *r, const struct location *l);

/* Walks on from r->step. True: r->out is complete. False: something is awaited; request_resume() will be called. */
bool static_run(struct request *r);

/* One step of that: one name of try_files or index looked up, one file opened. False: it waits, and is to be taken again. */
bool static_step(struct request *r);

/* Gives up whatever is awaited and held: the request goes away. */
void static_abandon(struct request *r);

/* File name for `uri` by the location's root or alias; NUL-terminated, in the arena; absent: no memory, or too long. */
struct text static_path(struct request *r, struct text uri);

/* Looks `path` up by the location's cache: 0 and a reference, -errno, or -EINPROGRESS: the request waits, and the same call again
 * gets the answer. */
int static_find(struct request *r, struct text path, struct file **f);

/* The root (or alias) of the location. */
struct text static_root(struct request *r);

#endif
