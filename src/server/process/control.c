/* control.c - the signals of a process that serves, in its loop; what workers and the single
 * process have in common. */
#include "server/process/control.h"

#include "base/log.h"
#include "server/process/signals.h"

#include <errno.h>
#include <unistd.h>

static void on_reopen(void *arg)
{
    int rc;

    (void)arg;
    log_notice(0, "reopening logs");
    rc = log_file_reopen_all();
    if (rc < 0)
        log_emerg(rc, "a log could not be reopened, the old one stays in use");
}

static void on_ignored(void *arg)
{
    (void)arg;
}

int control_start(struct control *c, struct loop *loop, const struct control_answers *answers)
{
    const struct {
        int signal;
        loop_fn *fn;
    } heard[CONTROL_SIGNALS] = {
        {SIGTERM, answers->terminate},
        {SIGINT, answers->terminate},
        {SIGQUIT, answers->quit},
        {SIGHUP, answers->reload ? answers->reload : on_ignored},
        {SIGUSR1, on_reopen},
        {SIGWINCH, on_ignored},
        {SIGUSR2, answers->leave ? answers->leave : on_ignored},
    };

    for (unsigned i = 0; i < CONTROL_SIGNALS; i++) {
        c->watches[i] = watch_signal(loop, heard[i].signal, heard[i].fn, answers->arg);
        if (!c->watches[i])
            return -ENOMEM;
    }
    signals_unblock();
    return 0;
}

void control_end(struct control *c)
{
    for (unsigned i = 0; i < CONTROL_SIGNALS; i++)
        watch_destroy(c->watches[i]);
}

void control_tell(int pipe)
{
    if (pipe < 0)
        return;
    if (write(pipe, "", 1) != 1)
        log_alert(errno, "the starting process could not be told");
    close(pipe);
}
