/* static.h - the conductor: from a routed request to a complete response in r->out. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include "http/request.h"

/* First of all: finds the location. r->step is STEP_READY after if that already decided the response. */
void static_route(struct request *r);

/* Walks on from r->step. True: r->out is complete. False: something is awaited; connection_resume() will be called. */
bool static_run(struct request *r);

/* One step of that: one name of try_files or index looked up, one file opened. False: it waits, and is to be taken again. */
bool static_step(struct request *r);

/* Gives up whatever is awaited and held: the request goes away. */
void static_abandon(struct request *r);

/* File name for `uri` by the location's root or alias; NUL-terminated, in the arena; absent: no memory, or too long. */
struct text static_path(struct request *r, struct text uri);

/* The root (or alias) of the location. */
struct text static_root(struct request *r);

#endif
