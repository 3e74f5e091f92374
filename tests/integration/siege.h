/* siege.h - what the suites of attacks share: a server whose memory and descriptors were measured at
 * rest, and a client that behaves and is served all the while, in a process of its own. */
#ifndef SIEGE_H
#define SIEGE_H

#include "harness.h"

/* Of what `make attack` does (ATTACK=100); at least 1. */
unsigned siege_percent(unsigned full);

/* /a ("content") on @PORT@, with rows of all levels; logs/http.log at info. */
void siege_serve(const char *main, const char *http, const char *server);

/* Of the worker, KiB: a row of /proc/PID/status, "VmRSS:" or "VmHWM:". */
long siege_memory(const char *row);

void siege_begin(void); /* the other client */

/* It was served: how fast is printed. */
void siege_end_polite(const char *during);

/* All of it: the other client; memory at its peak, and what is left of it, within bounds; descriptors given
 * back; the worker lives, and what clients did is told at info, if at all. */
void siege_end(const char *what, long most_kib);

#endif
