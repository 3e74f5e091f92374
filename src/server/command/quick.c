/* quick.c - `sluice DIR`: makes a configuration, finds a port, says where to look, and serves in
 * the foreground. */
#include "server/command/quick.h"

#include "base/log.h"
#include "base/number.h"
#include "base/paths.h"
#include "base/version.h"
#include "io/io.h"
#include "server/command/quick_qr.h"
#include "server/process/here.h"
#include "server/process/single.h"
#include "server/process/start.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PORT = 8080,
    PORT_TLS = 8443,
    PORTS_TRIED = 100,
    /* Past this, a file is more likely to push the hot set out of memory than to be asked for again
     * soon. */
    DIRECTIO_MIB = 8
};

struct quick {
    const struct options *options;
    char *root;   /* what is served, absolute, by the name that was given */
    char *prefix; /* the folder of who started it: there is no other that relative paths could mean */
    struct address address;
    struct tls_self tls;
    struct cycle_source source;
    struct cycle *cycle;
};

/* ---- the configuration ---- */

/* Texts that do not say themselves in which charset they are written, as XML does and JSON need
 * not; text/html is always one of them. */
static const char *const charset_types[] = {
    "text/css",
    "text/javascript",
    "text/plain",
    "text/markdown",
    "text/csv",
    "text/calendar",
    "text/vcard",
    "text/vtt",
    "text/x-c",
    "text/x-python",
    "text/x-rust",
    "text/x-go",
    "text/x-shellscript",
    "text/x-component",
    "text/vnd.wap.wml",
    "text/tab-separated-values",
    "application/javascript",
};

/* In double quotes, a backslash makes the next quote or backslash an ordinary byte. */
static void add_quoted(struct buffer *out, const char *text)
{
    buffer_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_add_char(out, '\\');
        buffer_add_char(out, *text);
    }
    buffer_add_char(out, '"');
}

/* Which is nowhere but in this text. */
static void add_certificate(struct buffer *out, const struct tls_self *tls)
{
    buffer_printf(out, "        ssl_certificate \"data:%.*s\";\n", (int)tls->certificate.len, tls->certificate.data);
    buffer_printf(out, "        ssl_certificate_key \"data:%.*s\";\n", (int)tls->key.len, tls->key.data);
}

void quick_configuration(struct buffer *out, const char *root, const char *listen_text, const char *mime_types,
                         const struct tls_self *tls)
{
    buffer_add_str(out, "worker_processes 1;\n"
                        "daemon off;\n"
                        "master_process off;\n"
                        "events { worker_connections 4096; }\n"
                        "http {\n");
    if (mime_types) {
        buffer_add_str(out, "    include ");
        add_quoted(out, mime_types);
        buffer_add_str(out, ";\n");
    } else {
        quick_types(out);
    }
    buffer_printf(out,
                  "    default_type application/octet-stream;\n"
                  "    log_format terminal '$remote_addr [$time_local] \"$request\" $status $body_bytes_sent '\n"
                  "                        '$request_time $io_method';\n"
                  "    access_log /dev/stdout terminal;\n"
                  "    sendfile on;\n"
                  "    tcp_nopush on;\n"
                  "    aio on;\n"
                  "    directio %dm;\n"
                  "    open_file_cache max=10000 inactive=60s;\n"
                  "    open_file_cache_valid 1s;\n"
                  "    autoindex on;\n"
                  "    autoindex_style modern;\n"
                  "    autoindex_exact_size off;\n"
                  "    autoindex_readme on;\n"
                  "    root_confine on;\n"
                  /* The port that a browser names may be another one: of ssh -L, docker -p, a proxy
                   * for TLS. */
                  "    absolute_redirect off;\n"
                  "    charset utf-8;\n"
                  "    charset_types",
                  DIRECTIO_MIB);
    for (unsigned i = 0; i < sizeof charset_types / sizeof charset_types[0]; i++)
        buffer_printf(out, " %s", charset_types[i]);
    buffer_add_str(out, ";\n"
                        "    server {\n"
                        "        listen ");
    add_quoted(out, listen_text);
    buffer_add_str(out, tls ? " ssl;\n" : ";\n");
    if (tls)
        add_certificate(out, tls);
    buffer_add_str(out, "        root ");
    add_quoted(out, root);
    /* Browsers ask for it whether a page names it or not. */
    buffer_add_str(out, ";\n        location = /favicon.ico { log_not_found off; }\n    }\n}\n");
}

/* Ends with a slash; NULL: no memory, or the folder is gone. */
static char *current_folder(void)
{
    char *here = here_path("."), *folder = NULL;

    if (here && asprintf(&folder, "%s/", here) < 0)
        folder = NULL;
    free(here);
    return folder;
}

/* The full table, where sluice is installed. */
static const char *installed_types(char path[PATH_MAX])
{
    const char *slash = strrchr(SLUICE_CONF_PATH, '/');

    snprintf(path, PATH_MAX, "%.*s/mime.types", (int)(slash - SLUICE_CONF_PATH), SLUICE_CONF_PATH);
    return access(path, R_OK) == 0 ? path : NULL;
}

static int make_source(struct quick *q)
{
    char listen_text[ADDRESS_TEXT_SIZE], types[PATH_MAX];
    const char *root = q->root;
    struct buffer text;

    /* `$` would start a variable, and the configuration has no way to write one that does not: such
     * a folder becomes the current one. */
    if (strchr(q->root, '$')) {
        if (chdir(q->root) < 0)
            return -errno;
        root = "/proc/self/cwd";
    }
    address_format(&q->address, true, listen_text);
    buffer_init(&text);
    quick_configuration(&text, root, listen_text, installed_types(types), q->options->tls ? &q->tls : NULL);
    if (text.failed)
        return -ENOMEM;
    q->source.bytes = (struct text){text.data, text.len};
    q->source.name = "the built-in configuration";
    q->source.prefix = q->prefix ? q->prefix : SLUICE_PREFIX;
    q->source.globals = q->options->globals;
    q->source.error_log = q->options->error_log ? q->options->error_log : "stderr";
    return 0;
}

/* ---- the address ---- */

/* -l; a port alone stays on the loopback address, so that nothing is published by accident: --qr is
 * no accident. */
static int choose_address(struct quick *q)
{
    const char *given = q->options->listen, *usual = q->options->qr ? "0.0.0.0" : "127.0.0.1";
    struct address found[16];
    unsigned count;
    const char *error;
    uint64_t port;
    char text[64];

    if (!given)
        given = usual;
    else if (number_parse(text_of(given), &port) == 0 && strlen(given) < 20) {
        snprintf(text, sizeof text, "%s:%s", usual, given);
        given = text;
    }
    if (address_parse(text_of(given), q->options->tls ? PORT_TLS : PORT, found, 16, &count, &error) < 0) {
        fprintf(stderr, "sluice: %s in \"%s\"\n", error, q->options->listen);
        return -EINVAL;
    }
    q->address = found[0];
    return 0;
}

static void next_port(struct address *a)
{
    uint16_t port = (uint16_t)(address_port(a) + 1);

    if (a->any.sa_family == AF_INET)
        a->in4.sin_port = htons(port);
    else
        a->in6.sin6_port = htons(port);
}

/* Opens the address, or with the next port that is free. */
static int open_address(struct quick *q, int *fd)
{
    const struct listen_options options = {.ipv6only = -1, .keepalive = -1};
    uint16_t first = address_port(&q->address);
    char text[ADDRESS_TEXT_SIZE];
    int rc = -EADDRINUSE;

    address_format(&q->address, true, text);
    for (int tries = 0; rc == -EADDRINUSE && tries <= PORTS_TRIED; tries++) {
        if (tries > 0) {
            if (first == 0 || address_port(&q->address) == UINT16_MAX)
                break;
            next_port(&q->address);
        }
        rc = listen_open(&q->address, &options, fd);
    }
    if (rc < 0)
        log_emerg(rc, "bind() to %s failed", text);
    else if (address_port(&q->address) != first)
        fprintf(stderr, "port %u is taken; using %u\n", first, address_port(&q->address));
    return rc;
}

/* ---- what is said ---- */

/* The reader that `aio on` finds here: asked of a loop of its own, before anybody is served. */
static void find_reader(const struct cycle *c, char name[32])
{
    const struct aio_conf automatic = {.mode = AIO_ON};
    struct loop *loop;
    struct io *io;

    snprintf(name, 32, "threads");
    if (loop_create(&loop) < 0)
        return;
    if (io_start(&io, loop, c->io, 1) == 0) {
        snprintf(name, 32, "%s", disk_name(io_disk(io, &automatic)));
        io_stop(io);
    }
    loop_destroy(loop);
}

static void print_address(const struct address *a, const char *scheme)
{
    char text[ADDRESS_TEXT_SIZE];
    bool every = false;
    struct address shown = *a;

    if (a->any.sa_family == AF_INET && a->in4.sin_addr.s_addr == htonl(INADDR_ANY)) {
        shown.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        every = true;
    } else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)) {
        shown.in6.sin6_addr = in6addr_loopback;
        every = true;
    }
    address_format(&shown, true, text);
    if (a->any.sa_family == AF_UNIX)
        fprintf(stderr, "at %s\n", text);
    else
        fprintf(stderr, "at %s://%s/%s\n", scheme, text, every ? " (and on every other address of this machine)" : "");
}

static void on_serving(void *arg)
{
    struct quick *q = arg;
    char reader[32];

    if (q->options->quiet)
        return;
    find_reader(q->cycle, reader);
    fprintf(stderr, "sluice %s serves %s ", SLUICE_VERSION, q->root);
    print_address(&q->address, q->options->tls ? "https" : "http");
    if (q->options->tls)
        fprintf(stderr, "  certificate for localhost, made just now: SHA-256 %s\n", q->tls.fingerprint);
    if (q->options->qr)
        quick_show_qr(&q->address, q->options->tls ? "https" : "http");
    fprintf(stderr,
            "  below %d MiB: sendfile from the page cache; from %d MiB: asynchronous O_DIRECT (%s)\n"
            "Ctrl-C stops.\n",
            DIRECTIO_MIB, DIRECTIO_MIB, reader);
}

/* ---- run ---- */

static int find_root(struct quick *q)
{
    struct stat st;

    q->root = here_path(q->options->directory); /* a link in it may be switched to another release */
    if (!q->root || stat(q->root, &st) < 0) {
        fprintf(stderr, "sluice: \"%s\" cannot be served: %s\n", q->options->directory, strerror(errno));
        return -ENOENT;
    }
    if (!S_ISDIR(st.st_mode)) {
        fprintf(stderr, "sluice: \"%s\" cannot be served: %s\n", q->options->directory, strerror(ENOTDIR));
        return -ENOTDIR;
    }
    return 0;
}

/* For the address, too, where it is one that a URL may name. */
static int make_certificate(struct quick *q)
{
    char text[ADDRESS_TEXT_SIZE];
    bool named = q->address.any.sa_family != AF_UNIX;
    size_t len = named ? address_format(&q->address, false, text) : 0;
    bool bracketed = len > 1 && text[0] == '[';

    if (!q->options->tls)
        return 0;
    if (bracketed)
        text[len - 1] = '\0';
    int rc = tls_self_make(&q->tls, named ? text + bracketed : NULL);
    if (rc == -ENOSYS)
        fprintf(stderr, "sluice: option \"--tls\" needs libssl, which this sluice was built without\n");
    else if (rc < 0)
        log_emerg(rc, "no certificate could be made");
    return rc;
}

static int bring_up(struct quick *q)
{
    struct sockets given = {.at = NULL};
    int fd = -1, rc = make_certificate(q);

    if (rc == 0)
        rc = open_address(q, &fd);
    if (rc < 0)
        return rc;
    rc = make_source(q);
    if (rc == 0)
        rc = sockets_give(&given, fd, &q->address);
    if (rc < 0) {
        log_emerg(rc, "the built-in configuration could not be made");
        return rc;
    }
    rc = cycle_read(&q->cycle, &q->source);
    if (rc == 0)
        rc = cycle_bind(q->cycle, &given);
    if (rc == 0)
        start_take_force(q->cycle, &given);
    return rc;
}

int quick_run(const struct options *options)
{
    struct quick q = {.options = options, .prefix = current_folder()};
    int code = 1;

    if (find_root(&q) == 0 && choose_address(&q) == 0 && bring_up(&q) == 0) {
        const struct single_start start = {.cycle = q.cycle, .started = -1, .serving = on_serving, .arg = &q};

        code = single_run(&start);
    }
    if (options->tls) {
        buffer_fini(&q.tls.certificate);
        buffer_fini(&q.tls.key);
    }
    free((char *)q.source.bytes.at);
    free(q.root);
    free(q.prefix);
    return code;
}
