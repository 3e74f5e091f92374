/* tune_progress.c - the progress bar of `sluice tune`, on a terminal only. */
#include "server/tune/tune_private.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30 };

void tune_progress_start(struct tune_progress *p, double seconds)
{
    p->started = tune_now();
    p->seconds = seconds;
    p->shown = isatty(STDERR_FILENO);
}

void tune_progress_at(const struct tune_progress *p, const char *what)
{
    char bar[WIDTH + 1];
    double part = (tune_now() - p->started) / p->seconds;

    if (!p->shown)
        return;
    if (part > 1)
        part = 1;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(part * WIDTH) ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3d%%  %s\033[K", bar, (int)(part * 100), what);
}

void tune_progress_end(const struct tune_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
}
