/* readers.h - which disk readers work here: found out once, before anybody serves. */
#ifndef SERVER_PROCESS_READERS_H
#define SERVER_PROCESS_READERS_H

#include "http/worker/scoreboard.h"
#include "server/conf/cycle.h"

/* What the configuration asks for and was not tried yet is tried, and logged, once per server. What
 * workers may do is not what the master may: a process of their user tries it. */
void readers_try(struct scoreboard *b, const struct cycle *c);

void readers_try_here(struct scoreboard *b, const struct cycle *c); /* in this process */

#endif
