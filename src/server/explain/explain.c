/* explain.c - `sluice explain`: reads the command line and the configuration, makes the request
 * that a client would send, and prints what http/explain/explain.c finds out about it. Nothing is
 * bound, sent or logged. */
#include "server/explain/explain.h"
#include "explain_private.h"

#include "base/log.h"
#include "server/confine/privileges.h"
#include "server/confine/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOPIC_WIDTH = 10 };

/* ---- the request ---- */

static bool names_host(const struct asked *a)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (strncasecmp(a->fields[i], "host:", 5) == 0)
            return true;
    }
    return false;
}

static void compose(const struct asked *a, const struct http_address *address, struct buffer *head)
{
    buffer_printf(head, "%s %.*s HTTP/1.1\r\n", a->method, TEXT_ARG(a->target));
    if (!names_host(a)) {
        struct text name = address->dflt->name.len > 0 ? address->dflt->name : TEXT("localhost");
        buffer_printf(head, "Host: %.*s\r\n", TEXT_ARG(a->authority.at ? a->authority : name));
    }
    for (unsigned i = 0; i < a->count; i++)
        buffer_printf(head, "%s\r\n", a->fields[i]);
    buffer_add_str(head, "\r\n");
}

/* ---- what is printed ---- */

struct printer {
    unsigned steps;
    bool bold;
};

/* What a terminal would take for a command is shown as \x1b. */
static void print_safely(const char *bytes, size_t len, bool lines)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (lines && c == '\r')
            continue;
        if ((c < ' ' && !(lines && c == '\n')) || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void on_tell(void *arg, const char *topic, const char *words)
{
    struct printer *p = arg;

    if (topic)
        printf("%3u. %s%-*s%s ", ++p->steps, p->bold ? "\033[1m" : "", TOPIC_WIDTH, topic, p->bold ? "\033[0m" : "");
    else
        printf("%*s", TOPIC_WIDTH + 6, "");
    print_safely(words, strlen(words), false);
    putchar('\n');
}

static bool may_be_bold(void)
{
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(plain && *plain);
}

static void print_title(const struct asked *a, const struct cycle *c, bool as_worker)
{
    print_safely(a->method, strlen(a->method), false);
    putchar(' ');
    print_safely(a->target.at, a->target.len, false);
    if (a->host[0])
        printf(" for %s", a->host);
    if (as_worker)
        printf(", as user %s", c->main->user.name);
    printf("\n\n");
}

/* ---- all of it ---- */

/* Files are opened as the one that a worker would be, as far as we may. */
static int become_worker(const struct cycle *c, bool *changed)
{
    bool as_worker = c->main->master_process && c->main->user.name && geteuid() == 0;

    *changed = as_worker;
    if (!c->main->master_process)
        return 0;
    int rc = privileges_settle(c->main, 0, sandbox_conf_of(c)->capabilities);
    if (rc == 0)
        sandbox_enter_files(c);
    return rc;
}

static int explain(struct asked *a, struct cycle *c)
{
    char folder[PATH_MAX];
    struct printer printer = {.bold = may_be_bold()};
    struct explain_options o = {.http = c->http,
                                .io = c->io,
                                .aio_requests = (unsigned)c->events->aio_requests,
                                .client = a->client,
                                .http2 = a->http2,
                                .tell = on_tell,
                                .arg = &printer};
    struct buffer request, head;
    bool as_worker;
    int rc;

    if (!c->http || c->http->address_count == 0)
        return explain_fail("%s has no \"server\": nothing is served", c->source->name);
    if (explain_choose_address(a, &o) < 0)
        return -EINVAL;
    if (getcwd(folder, sizeof folder - 1) && strcmp(folder, "/") != 0)
        o.folder = strcat(folder, "/");
    /* Before the privileges go: the kernel lets root look, and the user that the server was started
     * by. */
    running_ask(&a->running, c->main->pid);
    o.admission = a->running.admission;
    o.admission_why = a->running.why;
    rc = become_worker(c, &as_worker);
    if (rc < 0)
        return rc;
    buffer_init(&request);
    buffer_init(&head);
    compose(a, o.address, &request);
    o.head = (struct text){request.data, request.len};
    log_terminal_name = NULL;
    log_main = c->log; /* kept shut: what goes wrong is part of the explanation */
    print_title(a, c, as_worker);
    rc = request.failed ? -ENOMEM : explain_request(&o, &head);
    if (rc < 0)
        explain_fail("%s", strerror(-rc));
    if (head.len > 0) {
        putchar('\n');
        print_safely(head.data, head.len, true);
    }
    buffer_fini(&request);
    buffer_fini(&head);
    return fflush(stdout) == 0 ? rc : -errno;
}

int explain_run(int argc, char **argv)
{
    struct asked a = {.method = "GET"};
    static struct cycle_source source;
    struct log *terminal = log_main;
    struct cycle *c = NULL;
    struct arena arena;
    int rc;

    arena_init(&arena, 4096);
    rc = explain_parse(&a, argc, argv, &arena);
    if (rc == 1)
        explain_help(stdout);
    log_file_stay_shut();
    if (rc == 0)
        rc = start_source(&source, &a.options);
    if (rc == 0)
        rc = cycle_read(&c, &source);
    if (rc == 0)
        rc = explain(&a, c);
    log_main = terminal;
    cycle_destroy(c, false);
    running_forget(&a.running);
    arena_fini(&arena);
    return rc < 0 ? 1 : 0;
}
