/* conf.c - the harness's configurations: ports, what stands for them and for the test's folders,
 * and what is around a text. */
#include "harness.h"
#include "internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS = 8 };

static int ports[PORTS];

/* ---- ports ---- */

static bool port_is_free(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool is_free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0;
    close(fd);
    return is_free;
}

/* Below the range that the kernel takes client ports from; each process starts somewhere else, so
 * that suites that run at the same time do not meet. */
static void pick_ports(void)
{
    enum { LOWEST = 10240, COUNT = 22000 };
    static unsigned turn;
    unsigned at = (unsigned)getpid() * 61 + turn++ * 7919 + (unsigned)now_msec() * 17;
    for (unsigned n = 0; n < PORTS; at++) {
        int port = LOWEST + (int)(at % COUNT);
        if (port_is_free(port))
            ports[n++] = port;
    }
}

int site_port(unsigned n)
{
    ck_assert_uint_lt(n, PORTS);
    return ports[n];
}

/* ---- configuration ---- */

static const char main_text[] =
    "daemon off;\nworker_processes 1;\npid logs/sluice.pid;\nerror_log logs/error.log info;\n";

static const char *http_text(void)
{
    /* nginx must not touch the folders of an installed one. */
    return on_nginx() ? "access_log logs/access.log;\nclient_body_temp_path tmp1; proxy_temp_path tmp2; "
                        "fastcgi_temp_path tmp3;\n"
                        "uwsgi_temp_path tmp4; scgi_temp_path tmp5;\n"
                      : "access_log logs/access.log;\n";
}

static const char *value_of(const char *name, size_t len)
{
    static char port[16], address[2200];
    if (len == 3 && !memcmp(name, "DIR", 3))
        return site_dir();
    if (len == 4 && !memcmp(name, "DISK", 4))
        return *site_disk() ? site_disk() : site_dir();
    if (len == 4 && !memcmp(name, "MAIN", 4))
        return main_text;
    if (len == 4 && !memcmp(name, "HTTP", 4))
        return http_text();
    if (len == 4 && !memcmp(name, "PEER", 4))
        return site_transport()->peer;
    if ((len == 6 || len == 7) && !memcmp(name, "LISTEN", 6)) {
        site_transport()->address(address, sizeof address, site_port(len == 7 ? (unsigned)(name[6] - '0') : 0));
        return address;
    }
    if (len == 6 && !memcmp(name, "SCHEME", 6))
        return site_transport()->scheme;
    if (len == 5 && !memcmp(name, ":PORT", 5)) {
        snprintf(port, sizeof port, ":%d", site_port(0));
        return site_transport()->is_tcp ? port : "";
    }
    if ((len == 4 || len == 5) && !memcmp(name, "PORT", 4)) {
        snprintf(port, sizeof port, "%d", site_port(len == 5 ? (unsigned)(name[4] - '0') : 0));
        return port;
    }
    return NULL;
}

/* The transport's address in the place of TCP's, after the same directive. Returns how much of the
 * text that was. */
static size_t put_address(const char *text, FILE *f)
{
    static const char before[] = "listen 127.0.0.1:@PORT";
    size_t len = sizeof before - 1;
    if (strncmp(text, before, len) != 0)
        return 0;
    unsigned n = text[len] == '@' ? 0 : (unsigned)(text[len] - '0');
    char address[2200];
    const struct site_transport *t = site_transport();
    t->address(address, sizeof address, site_port(n));
    fprintf(f, "%slisten %s%s", t->preamble ? t->preamble() : "", address, t->option ? t->option : "");
    return len + (text[len] == '@' ? 1 : 2);
}

static char *expand(const char *text)
{
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    ck_assert_ptr_nonnull(f);
    while (*text) {
        text += put_address(text, f);
        const char *end = *text == '@' ? strchr(text + 1, '@') : NULL;
        const char *value = end ? value_of(text + 1, (size_t)(end - text) - 1) : NULL;
        if (value)
            fputs(value, f);
        else
            putc(*text, f);
        text = value ? end + 1 : text + 1;
    }
    fclose(f);
    return out;
}

const char *site_text(const char *text)
{
    static char texts[8][4096];
    static unsigned turn;
    char *out = texts[turn++ % 8], *expanded = expand(text);
    ck_assert_uint_lt(strlen(expanded), sizeof texts[0]);
    strcpy(out, expanded);
    free(expanded);
    return out;
}

/* Kept as it was written, for another round with other ports. */
static char *template_text;

void site_conf(const char *text)
{
    char *copy = strdup(text);
    free(template_text);
    template_text = copy;
    char *conf = expand(template_text);
    site_write("sluice.conf", conf);
    free(conf);
}

static void wrapped(const char *before, const char *text, const char *after)
{
    char *conf;
    ck_assert_int_ge(asprintf(&conf, "%s%s%s", before, text, after), 0);
    site_conf(conf);
    free(conf);
}

void site_conf_http(const char *text)
{
    wrapped("@MAIN@\nevents { worker_connections 2048; }\nhttp {\n@HTTP@\n", text, "\n}\n");
}

void site_conf_server(const char *text)
{
    wrapped("@MAIN@\nevents { worker_connections 2048; }\nhttp {\n@HTTP@\nserver {\nlisten 127.0.0.1:@PORT@;\n"
            "root @DIR@/html;\n",
            text, "\n}\n}\n");
}

void site_serve(const char *text)
{
    site_conf_server(text);
    site_start();
}

void site_serve_http(const char *http, const char *server)
{
    char *text;
    ck_assert_int_ge(asprintf(&text, "%s\nserver {\nlisten 127.0.0.1:@PORT@;\nroot @DIR@/html;\n%s\n}", http, server),
                     0);
    site_conf_http(text);
    free(text);
    site_start();
}

/* ---- before and after ---- */

void conf_setup(void)
{
    pick_ports();
}

void conf_move(void)
{
    char *again = strdup(template_text);
    pick_ports();
    site_conf(again);
    free(again);
}

void conf_forget(void)
{
    free(template_text);
    template_text = NULL;
}
