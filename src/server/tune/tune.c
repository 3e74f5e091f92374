/* tune.c - `sluice tune DIR`: its arguments, and one step after the other within its time. */
#include "server/tune/tune.h"

#include "server/tune/tune_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECONDS = 30, SECONDS_LEAST = 1, SECONDS_MOST = 3600, FILE_MOST = 256 * 1024 * 1024 };

/* Of the whole time; what is left over covers the start and what runs late. */
static const double share_write = 0.15, share_grid = 0.44, share_rest = 0.12, share_cold = 0.06, share_send = 0.13,
                    share_open = 0.05, share_tls = 0.02;

static const char help[] =
    "Usage: sluice tune DIR [--json] [--time SECONDS]\n"
    "\n"
    "Measures the disk and the filesystem of DIR, the folder that is to be served, and prints what was found and\n"
    "a block of configuration for it, with the reason for each line.\n"
    "\n"
    "  --time SECONDS : how long it may take (default: 30); a longer one is a more certain one\n"
    "  --json         : for programs\n"
    "\n"
    "It writes one temporary file without a name into DIR, of a tenth of the free space and 256 MiB at most, which\n"
    "is gone at the end, however that comes. It reads names below DIR, and changes nothing else. Other load on the\n"
    "machine shows in the numbers.\n";

static const char usage[] = "usage: sluice tune DIR [--json] [--time SECONDS]";

static double until(const struct tune *t, double share)
{
    return tune_now() + tune_share(t, share);
}

/* ---- arguments ---- */

__attribute__((format(printf, 2, 3))) static int fail(struct tune_options *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(o->error, sizeof o->error, format, args);
    va_end(args);
    return -EINVAL;
}

/* "30", "2.5", "30s". */
static int parse_time(struct tune_options *o, const char *text)
{
    char *end;

    o->seconds = strtod(text, &end);
    if (text[0] >= '0' && text[0] <= '9' && (strcmp(end, "") == 0 || strcmp(end, "s") == 0) &&
        o->seconds >= SECONDS_LEAST && o->seconds <= SECONDS_MOST)
        return 0;
    return fail(o, "invalid time \"%s\": %d to %d seconds", text, SECONDS_LEAST, SECONDS_MOST);
}

int tune_options_parse(struct tune_options *o, int argc, char *const *argv)
{
    *o = (struct tune_options){.seconds = SECONDS};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        int rc = 0;

        if (strcmp(word, "--json") == 0)
            o->json = true;
        else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            o->help = true;
        else if (strncmp(word, "--time=", 7) == 0)
            rc = parse_time(o, word + 7);
        else if (strcmp(word, "--time") == 0)
            rc = i + 1 < argc ? parse_time(o, argv[++i]) : fail(o, "option \"--time\" requires seconds");
        else if (word[0] == '-' || word[0] == '\0' || o->dir)
            rc = fail(o, "invalid option: \"%s\"; %s", word, usage);
        else
            o->dir = word;
        if (rc < 0)
            return rc;
    }
    return o->dir || o->help ? 0 : fail(o, "%s", usage);
}

/* ---- the steps ---- */

static int check_directory(struct tune *t)
{
    struct stat st;
    int error = stat(t->results->dir, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

    if (error)
        snprintf(t->error, sizeof t->error, "\"%s\": %s", t->results->dir, strerror(error));
    return error ? -1 : 0;
}

static int measure(struct tune *t)
{
    if (check_directory(t) < 0)
        return -1;
    tune_filesystem_name(t->results->dir, t->results->filesystem, sizeof t->results->filesystem);
    t->results->memory = tune_memory();
    if (tune_file_make(t, FILE_MOST, until(t, share_write)) < 0)
        return -1;
    int rc = tune_direct_measure(t, share_grid, share_rest);
    if (rc < 0) {
        snprintf(t->error, sizeof t->error, "cannot read disks asynchronously: %s", strerror(-rc));
        return -1;
    }
    tune_cold_measure(t, until(t, share_cold));
    tune_send_measure(t, until(t, share_send));
    tune_open_measure(t, until(t, share_open));
    tune_tls_measure(t, until(t, share_tls));
    return 0;
}

static int print(const struct tune_results *results, bool json)
{
    struct tune_advice advice;
    struct buffer out;
    size_t written;

    tune_recommend(results, &advice);
    buffer_init(&out);
    if (json)
        tune_show_json(results, &advice, &out);
    else
        tune_show(results, &advice, &out);
    written = fwrite(out.data, 1, out.len, stdout);
    bool whole = !out.failed && written == out.len && fflush(stdout) == 0;
    if (!whole)
        fprintf(stderr, "sluice: cannot write the results: %s\n", strerror(out.failed ? ENOMEM : errno));
    buffer_fini(&out);
    return whole ? 0 : 1;
}

int tune_run(int argc, char **argv)
{
    struct tune_options o;
    struct tune_results results = {0};
    struct tune t = {.results = &results};

    if (tune_options_parse(&o, argc, argv) < 0) {
        fprintf(stderr, "sluice: %s\n", o.error);
        return 1;
    }
    if (o.help) {
        fputs(help, stdout);
        return 0;
    }
    results.dir = o.dir;
    tune_progress_start(&t.progress, o.seconds);
    t.deadline = t.progress.started + o.seconds;
    int rc = measure(&t);
    tune_progress_end(&t.progress);
    file_release(t.file);
    if (rc < 0) {
        fprintf(stderr, "sluice: %s\n", t.error);
        return 1;
    }
    results.seconds = tune_now() - t.progress.started;
    return print(&results, o.json);
}
