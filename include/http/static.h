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

#endif
