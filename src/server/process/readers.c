/* readers.c - the disk readers are tried in a process that is what a worker will be, and soon gone.
 * See readers.h. */
#include "server/process/readers.h"

#include "base/log.h"
#include "server/confine/privileges.h"
#include "server/confine/sandbox.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static void try_all(struct scoreboard *b, const struct cycle *c)
{
    io_shared_try(scoreboard_io(b), c->io->readers, (unsigned)c->events->aio_requests);
}

static void start_over(struct scoreboard *b, const struct cycle *c)
{
    io_shared_forget_refusals(scoreboard_io(b));
    io_shared_say(scoreboard_io(b), c->io->readers, c->io->needed);
}

/* The workers say what is wrong with their privileges. */
_Noreturn static void try_as_worker(struct scoreboard *b, const struct cycle *c)
{
    static struct log silence;

    log_main = &silence;
    if (privileges_settle(c->main, 0, sandbox_conf_of(c)->capabilities) == 0) {
        sandbox_enter(c, SANDBOX_WORKER, false);
        try_all(b, c);
    }
    _exit(0);
}

void readers_try(struct scoreboard *b, const struct cycle *c)
{
    pid_t pid;

    if (io_shared_asks(scoreboard_io(b), c->io->readers)) {
        pid = fork();
        if (pid == 0)
            try_as_worker(b, c);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    start_over(b, c);
}

void readers_try_here(struct scoreboard *b, const struct cycle *c)
{
    try_all(b, c);
    start_over(b, c);
}
