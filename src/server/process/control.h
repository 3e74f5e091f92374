/* control.h - what a process that serves hears: the signals of its operator.
 * https://nginx.org/en/docs/control.html */
#ifndef SERVER_PROCESS_CONTROL_H
#define SERVER_PROCESS_CONTROL_H

#include "net/loop.h"

enum { CONTROL_SIGNALS = 7 };

struct control {
    struct watch *watches[CONTROL_SIGNALS];
};

struct control_answers {
    loop_fn *terminate; /* TERM, INT: at once */
    loop_fn *quit;      /* QUIT: when all is sent */
    loop_fn *leave;     /* USR2, of the master: as QUIT, without a limit of time; NULL: ignored */
    loop_fn *reload;    /* HUP; NULL: that is the master's affair */
    void *arg;
};

/* USR1 reopens the logs, WINCH is ignored, and nothing is blocked any more. 0 or -errno;
 * control_end() is legal after both. */
int control_start(struct control *c, struct loop *loop, const struct control_answers *answers);
void control_end(struct control *c);

/* To the process at the other end of the pipe: this one is ready. Closes it; -1 is legal. */
void control_tell(int pipe);

#endif
