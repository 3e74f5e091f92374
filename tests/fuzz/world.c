/* world.c - see world.h. One service lives as long as the process; each exchange is one connection,
 * and ends when the service has none left, and no read of a file is under way: of the buffer of such a
 * read nobody but the kernel may know, which looks like a leak. */
#include "world.h"

#include "fuzz.h"

#include "base/clock.h"
#include "http/service.h"
#include "http/worker/scoreboard.h"
#include "io/filter.h"
#include "server/conf/main_conf.h"
#include "server/process/modules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECES_MOST = 64 };

/* DIR is replaced by the folder; ZLIB, BROTLI and ZSTD by whether there is one. Every way of moving
 * bytes, every kind of location; heads that fill their buffers. */
static const char configuration[] =
    "thread_pool default threads=1;\n"
    "events { worker_connections 64; }\n"
    "http {\n"
    "  types { text/html html; text/plain txt; application/json json; }\n"
    "  default_type application/octet-stream;\n"
    "  client_header_buffer_size 128; large_client_header_buffers 3 512; client_max_body_size 300;\n"
    "  keepalive_requests 40; open_file_cache max=100; open_file_cache_errors on; open_file_cache_content 1k;\n"
    "  log_format all escape=json '$remote_addr $request $status $http_user_agent $args $arg_a $uri $http_x_y';\n"
    "  log_format plain '$host $request_uri $request_filename $http_referer $sent_http_etag $realpath_root $1 "
    "$named';\n"
    "  access_log /dev/null all buffer=4k; access_log /dev/null plain buffer=4k; error_log /dev/null info;\n"
    "  root_confine on;\n"
    "  add_header X-Request $request always; add_header X-File $request_filename always;\n"
    "  map $arg_m $mapped { default none; ~^(?<part>.)x $part; *.a.test wild; \\*x /d/; volatile; }\n"
    "  geo $arg_ip $place { default out; 10.0.0.0/8 in; 2001:db8::/32 six; }\n"
    "  split_clients $request_uri $half { 50% one; * two; }\n"
    "  server {\n"
    "    listen 8080; server_name a.test *.b.test ~^(?<named>.+)\\.re$; root DIR/html; index index.html none.html;\n"
    "    location /d/ { autoindex on; }\n"
    "    location /json/ { alias DIR/html/d/; autoindex on; autoindex_format json; }\n"
    "    location /exact/ { alias DIR/html/; autoindex on; autoindex_exact_size off; autoindex_style modern; }\n"
    "    location = /one { alias DIR/html/small.txt; }\n"
    "    location ~ ^/re/(.*)\\.(txt|html)$ { alias DIR/html/$1.$2; }\n"
    "    location /direct/ { alias DIR/html/; directio 4k; directio_alignment 512; output_buffers 2 8k; }\n"
    "    location /copy/ { alias DIR/html/; sendfile off; output_buffers 2 4k; }\n"
    "    location /map/ { alias DIR/html/; io_method mmap; }\n"
    "    location /cold/ { alias DIR/html/; aio threads; open_file_cache off; }\n"
    "    location /few/ { alias DIR/html/; max_ranges 2; etag off; if_modified_since before; }\n"
    "    location /none/ { alias DIR/html/; max_ranges 0; if_modified_since off; }\n"
    "    location /try/ { try_files $uri /d$uri /small.txt =404; }\n"
    "    location /named/ { try_files $uri @other; }\n"
    "    location @other { return 200 \"$uri $args $host\"; }\n"
    "    location /go/ { return 302 /d/$arg_to; }\n"
    "    location /away/ { return 301 https://$host$request_uri; }\n"
    "    location /gone/ { return 410; }\n"
    "    location /private/ { internal; alias DIR/html/; }\n"
    "    location /errors/ { error_page 404 =200 /small.txt; error_page 405 /private/small.txt; error_page 403 @other; "
    "}\n"
    "    location /big/ { alias DIR/html/; client_max_body_size 0; expires 1h; }\n"
    "    location /auth/ { alias DIR/html/; auth_basic closed; auth_basic_user_file DIR/users; }\n"
    "    location /any/ { alias DIR/html/; satisfy any; deny all; auth_basic closed; auth_basic_user_file DIR/users; "
    "}\n"
    "    location /denied/ { alias DIR/html/; allow 192.0.2.128/25; allow 2001:db8::/32; deny all; }\n"
    "    location /except/ { alias DIR/html/; limit_except GET { deny all; } }\n"
    "    location /rw/ { rewrite ^/rw/file/(.*)$ /$1 last; rewrite ^/rw/dir/(.+)/(.*)$ /copy/$2?$1 break;\n"
    "      rewrite ^/rw/go/(.*)$ /d/$1 permanent; rewrite ^/rw/(?<rest>.*)$ /named/$rest? last; }\n"
    "    location /if/ { set $file $arg_f; if ($file ~* \"^([a-z./]+)$\") { rewrite ^ /$1 last; } if (-f "
    "$request_filename) { return 204; }\n"
    "      if ($http_x_y = '') { return 200 \"$mapped $place $half\"; } return 302 $http_x_y; }\n"
    "    location /var/ { alias DIR/html/$half/; index $half index.html; try_files $uri /d/$half =404; }\n"
    "    location /zip/ { alias DIR/html/; gzip ZLIB; brotli BROTLI; zstd ZSTD; gzip_min_length 1; gzip_vary on; "
    "gzip_types *; autoindex on; }\n"
    "    location /side/ { alias DIR/html/; gzip_static on; brotli_static always; zstd_static always; gunzip ZLIB; "
    "dictionary_static on; assume_secure_transport on; compression_dictionary $uri; }\n"
    "    location /trailer/ { alias DIR/html/; add_trailer X-End $status always; }\n"
    "    location /charset/ { alias DIR/html/; charset utf-8; }\n"
    "    location ^~ /slash { alias DIR/html; }\n"
    "  }\n"
    "  server { listen 8080; server_name c.test; merge_slashes off; root DIR/html; autoindex on; server_tokens off; }\n"
    "  server {\n"
    "    listen 8081; root DIR/html; keepalive_timeout 0; lingering_close always; absolute_redirect off;\n"
    "    error_page 400 404 405 413 414 431 501 505 /small.txt; recursive_error_pages on;\n"
    "  }\n"
    "  server {\n"
    "    listen 8082 proxy_protocol; root DIR/html; set_real_ip_from 192.0.2.0/24; real_ip_header proxy_protocol; "
    "autoindex on;\n"
    "    location /real/ { real_ip_header X-Forwarded-For; real_ip_recursive on; return 200 \"$remote_addr "
    "$realip_remote_addr\"; }\n"
    "    location = /silent { return 444; }\n"
    "    location /who/ { return 200 \"$remote_addr $proxy_protocol_addr $proxy_protocol_port $realip_remote_port\"; "
    "}\n"
    "  }\n"
    "  server {\n"
    "    listen 8083; http2 on; root DIR/html; index index.html; http2_max_concurrent_streams 20; "
    "http2_body_preread_size "
    "100;\n"
    "    location /d/ { autoindex on; }\n"
    "    location /direct/ { alias DIR/html/; directio 4k; directio_alignment 512; output_buffers 2 8k; }\n"
    "    location /copy/ { alias DIR/html/; sendfile off; output_buffers 2 4k; http2_chunk_size 700; }\n"
    "    location /cold/ { alias DIR/html/; aio threads; open_file_cache off; }\n"
    "    location /trailer/ { alias DIR/html/; add_trailer X-End $status always; }\n"
    "    location /zip/ { alias DIR/html/; gzip ZLIB; gzip_min_length 1; gzip_types *; }\n"
    "    location /go/ { return 302 /d/$arg_to; }\n"
    "    location = /silent { return 444; }\n"
    "  }\n"
    "}\n";

static const struct {
    const char *name;
    size_t size;
} files[] = {
    {"html/index.html", 600}, {"html/small.txt", 100},         {"html/empty.txt", 0},
    {"html/page.html", 5000}, {"html/large.bin", 70000},       {"html/d/a.txt", 1},
    {"html/d/<&\">.txt", 10}, {"html/d/deep/index.html", 300}, {"html/no-index/file.txt", 3},
    {"html/with space", 20},  {"html/d/\xc3\xa4\xff.txt", 7},  {"html/a..b", 9},
};
enum { FILES = sizeof files / sizeof *files };

static struct {
    char dir[64];
    struct text names[FILES], contents[FILES];
    struct arena arena;
    struct conf_result conf;
    struct http_main *http;
    struct loop *loop;
    struct service *service;
    struct counters counters;
} world;

struct exchange {
    const struct client_script *script;
    struct buffer *answer;
    struct watch *watch; /* NULL: the client has closed */
    struct deferred turn;
    size_t sent;
    unsigned pieces;
    uint32_t seed;
    int fd;
    bool said_all, proxied;
};

/* ---- the files ---- */

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_files(void)
{
    nftw(world.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *full_name(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", world.dir, name);
    return path;
}

static void write_file(const char *name, struct text bytes)
{
    FILE *f = fopen(full_name(name), "w");

    if (!f || fwrite(bytes.at, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
        perror(full_name(name));
        exit(2);
    }
}

static void link_to(const char *name, const char *target)
{
    if (symlink(target, full_name(name)) < 0) {
        perror(full_name(name));
        exit(2);
    }
}

static void make_files(void)
{
    static const char *const folders[] = {"html", "html/d", "html/d/deep", "html/no-index"};
    const char *base = getenv("TMPDIR");

    snprintf(world.dir, sizeof world.dir, "%.40s/sluice-fuzz-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(world.dir)) {
        perror(world.dir);
        exit(2);
    }
    atexit(remove_files);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        (void)mkdir(full_name(folders[i]), 0755);
    for (size_t i = 0; i < FILES; i++) {
        char *bytes = malloc(files[i].size + 1);
        if (!bytes)
            abort();
        for (size_t at = 0; at < files[i].size; at++)
            bytes[at] = (char)('a' + (at * 7 + at / 251 + i) % 26);
        world.contents[i] = (struct text){bytes, files[i].size};
        write_file(files[i].name, world.contents[i]);
        world.names[i] = text_of(strdup(full_name(files[i].name)));
    }
    write_file("secret.txt", world_secret());
    write_file("html/small.txt.gz", TEXT("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0")); /* "a" */
    write_file("html/page.html.gz", TEXT("no such thing"));
    write_file("html/small.txt.zst", TEXT("\x28\xb5\x2f\xfd\x20\x01\x09\0\0\x61")); /* "a" */
    write_file("html/page.html.br", TEXT("no such thing"));
    write_file("users", TEXT("ann:{PLAIN}x\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"));
    link_to("html/link", "d");
    link_to("html/dangling", "nowhere");
    link_to("html/out", "../secret.txt");
    link_to("html/up", "..");
}

struct text world_secret(void)
{
    return TEXT("\x01 what lies outside of the root \x02"); /* control bytes: no field can repeat it from a request */
}

struct text world_file(struct text path)
{
    for (size_t i = 0; i < FILES; i++)
        if (text_equal(path, world.names[i]))
            return world.contents[i];
    return TEXT_NONE;
}

/* ---- the service ---- */

static struct text with_dir(void)
{
    struct buffer b;
    size_t len;

    buffer_init(&b);
    for (const char *at = configuration; *at; at++) {
        if (strncmp(at, "DIR", 3) == 0) {
            buffer_add_str(&b, world.dir);
            at += 2;
        } else if (strncmp(at, "ZLIB", 4) == 0) {
            buffer_add_str(&b, codec_has_zlib ? "on" : "off");
            at += 3;
        } else if (strncmp(at, "BROTLI", 6) == 0) {
            buffer_add_str(&b, codec_has_brotli ? "on" : "off");
            at += 5;
        } else if (strncmp(at, "ZSTD", 4) == 0) {
            buffer_add_str(&b, codec_has_zstd ? "on" : "off");
            at += 3;
        } else {
            buffer_add_char(&b, *at);
        }
    }
    char *text = buffer_steal(&b, &len);
    return (struct text){text, len};
}

static void read_configuration(void)
{
    struct text text = with_dir();
    const struct conf_input input = {
        .bytes = text,
        .name = "fuzz.conf",
        .prefix = world.dir,
        .modules = server_modules,
        .testing = true,
    };

    arena_init(&world.arena, 16384);
    if (conf_read(&input, &world.arena, &world.conf) < 0) {
        fprintf(stderr, "%s\n", world.conf.error);
        exit(2);
    }
    world.http = http_main_of(world.conf.root);
}

static void start(void)
{
    static struct log quiet = {.outputs = NULL, .level = LEVEL_EMERG};
    int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};

    log_main = &quiet;
    clock_update();
    make_files();
    read_configuration();
    const struct main_conf *main_conf = conf_values(world.conf.root, &server_main_module);
    int rc = loop_create(&world.loop);
    if (rc == 0) {
        const struct service_options options = {
            .loop = world.loop,
            .http = world.http,
            .io = conf_values(world.conf.root, &io_main_module),
            .fds = fds,
            .connections = (unsigned)main_conf->events->connections,
            .counters = &world.counters,
            .aio_requests = (unsigned)main_conf->events->aio_requests,
        };
        rc = service_start(&world.service, &options);
    }
    if (rc < 0) {
        fprintf(stderr, "the service could not be started: %s\n", strerror(-rc));
        exit(2);
    }
}

/* ---- one exchange ---- */

static void leave(struct exchange *e)
{
    if (!e->watch)
        return;
    watch_destroy(e->watch);
    close(e->fd);
    e->watch = NULL;
}

static void say(struct exchange *e)
{
    struct text rest = text_from(e->script->bytes, e->sent);
    size_t piece = rest.len;

    if (e->script->cut && e->pieces < PIECES_MOST) {
        e->seed = e->seed * 1664525u + 1013904223u;
        piece = 1 + (e->seed >> 24) % (1 + rest.len / 4 + 8);
        piece = piece < rest.len ? piece : rest.len;
    }
    ssize_t n = piece > 0 ? send(e->fd, rest.at, piece, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    e->pieces++;
    if (n > 0)
        e->sent += (size_t)n;
    if ((n < 0 && errno != EAGAIN) || e->sent == e->script->bytes.len) {
        e->said_all = true;
        shutdown(e->fd, SHUT_WR);
    }
}

static void on_turn(void *arg)
{
    struct exchange *e = arg;

    if (e->watch && !e->said_all)
        say(e);
    if (!e->watch && service_connections(world.service) == 0 && world.counters.io.reads_in_flight == 0)
        loop_stop(world.loop);
    else if (!e->watch || !e->said_all)
        loop_defer(world.loop, &e->turn);
}

static void on_answer(void *arg, unsigned what)
{
    struct exchange *e = arg;
    char bytes[16384];

    (void)what;
    for (;;) {
        ssize_t n = recv(e->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        /* What is no PROXY header gets no answer, and what is behind it stays unread. */
        FUZZ_CHECK(n >= 0 || errno != ECONNRESET || (e->proxied && e->answer->len == 0),
                   "the connection was reset: something that was sent was not read");
        if (n <= 0)
            break;
        buffer_add(e->answer, bytes, (size_t)n);
    }
    leave(e);
    loop_defer(world.loop, &e->turn);
}

void world_exchange(const struct client_script *script, struct buffer *answer)
{
    struct exchange e = {.script = script, .answer = answer, .seed = script->seed};
    struct address peer = {.len = sizeof peer.in4};
    int fds[2];

    if (!world.service)
        start();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        abort();
    peer.in4.sin_family = AF_INET;
    peer.in4.sin_addr.s_addr = htonl(0xc0000201);
    e.fd = fds[0];
    e.watch = watch_create(world.loop, e.fd, LOOP_READ | LOOP_CLOSED, true, on_answer, &e);
    if (!e.watch)
        abort();
    deferred_init(&e.turn, on_turn, &e);
    const struct http_address *address = &world.http->addresses[script->address];
    e.proxied = address->proxy_protocol;
    service_take(world.service, address, fds[1], &peer);
    loop_defer(world.loop, &e.turn);
    loop_run(world.loop);
    deferred_clear(&e.turn);
    FUZZ_CHECK(!answer->failed, "no memory");
}
