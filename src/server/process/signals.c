/* signals.c - which signals the processes of sluice wait for, and what they are called. */
#include "server/process/signals.h"

#include "base/log.h"

#include <stdio.h>

static const struct {
    int signal;
    const char *name;
} known[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},     {SIGTERM, "SIGTERM"}, {SIGQUIT, "SIGQUIT"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGWINCH, "SIGWINCH"}, {SIGCHLD, "SIGCHLD"}, {SIGIO, "SIGIO"},
};

enum { KNOWN = sizeof known / sizeof known[0] };

/* Linux discards what it would ignore anyway, blocked or not: SIGCHLD and SIGWINCH need a handler
 * to arrive at all. */
static void on_signal(int signal)
{
    (void)signal;
}

void signals_block(sigset_t *waited)
{
    struct sigaction handled = {.sa_handler = on_signal};

    sigemptyset(waited);
    for (unsigned i = 0; i < KNOWN; i++) {
        sigaddset(waited, known[i].signal);
        sigaction(known[i].signal, &handled, NULL);
    }
    sigprocmask(SIG_BLOCK, waited, NULL);
    signal(SIGPIPE, SIG_IGN);
}

void signals_default(void)
{
    sigset_t none;

    for (unsigned i = 0; i < KNOWN; i++)
        signal(known[i].signal, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_unblock(void)
{
    sigset_t none;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* "SIGTERM", or "SIG?" */
static const char *name_of(int signal)
{
    for (unsigned i = 0; i < KNOWN; i++) {
        if (known[i].signal == signal)
            return known[i].name;
    }
    return "SIG?";
}

void signals_log(const siginfo_t *info, const char *then)
{
    log_notice(0, "signal %d (%s) received from %d%s", info->si_signo, name_of(info->si_signo), (int)info->si_pid,
               then);
}
