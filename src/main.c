/* main.c - what the command line asks for. */
#include "base/buffer.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/title.h"
#include "base/version.h"
#include "http/h2/library.h"
#include "net/loop.h"
#include "net/tls/tls_context.h"
#include "server/command/dict.h"
#include "server/command/hashing.h"
#include "server/command/healthcheck.h"
#include "server/command/quick.h"
#include "server/conf/foreign.h"
#include "server/conf/options.h"
#include "server/explain/explain.h"
#include "server/process/modules.h"
#include "server/process/start.h"
#include "server/tune/tune.h"

#include <stdio.h>
#include <string.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int print_version(const struct options *o)
{
    fprintf(stderr, "sluice version: sluice/%s\n", SLUICE_VERSION);
    if (o->help)
        options_print_help(stderr);
    if (o->build)
        fprintf(stderr,
                "built by " COMPILER "\n"
                "%s\n"
                "%s\n"
                "%s\n"
                "prefix: " SLUICE_PREFIX "\n"
                "configuration file: " SLUICE_CONF_PATH "\n"
                "error log: " SLUICE_ERROR_LOG_PATH "\n"
                "pid file: " SLUICE_PID_PATH "\n",
                loop_library(), tls_library(), h2_library() ? h2_library() : "built without HTTP/2");
    return 0;
}

/* docs/directives.md */
static int print_reference(void)
{
    struct buffer b;
    size_t written = 0;
    bool whole;

    buffer_init(&b);
    conf_dump_reference(server_modules, server_foreign, &b);
    if (b.len > 0)
        written = fwrite(b.data, 1, b.len, stdout);
    whole = !b.failed && written == b.len && fflush(stdout) == 0;
    buffer_fini(&b);
    return whole ? 0 : 1;
}

/* The first word may name what to do instead of serving; a directory of that name is ./tune. */
static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
} commands[] = {
    {"dict", dict_run}, {"explain", explain_run}, {"hash", hashing_run}, {"healthcheck", healthcheck_run},
    {"tune", tune_run},
};

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct command *command;
    struct options o;

    log_terminal_name = "sluice";
    title_init(argc, argv);
    command = argc > 1 ? find_command(argv[1]) : NULL;
    if (command)
        return command->run(argc - 1, argv + 1);
    if (options_parse(&o, argc, argv) < 0) {
        fprintf(stderr, "sluice: %s\n", o.error);
        return 1;
    }
    if (o.version) {
        print_version(&o);
        if (!o.test)
            return 0;
    }
    if (o.reference)
        return print_reference();
    if (o.directory)
        return quick_run(&o);
    if (o.test)
        return start_test(&o);
    if (o.signal)
        return start_signal(&o);
    return start_run(&o, argv);
}
