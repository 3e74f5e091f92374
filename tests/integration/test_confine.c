/* test_confine.c - which files requests can reach: root_confine and disable_symlinks, by every way
 * that opens a file, and against somebody who swaps links while requests run. */
#include "deny.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void link_to(const char *target, const char *name)
{
    ck_assert_msg(symlink(target, site_path("%s", name)) == 0, "%s: %s", name, strerror(errno));
}

/* Inside: files and links that stay. Outside, beside the root: what nobody may see. */
static void make_tree(void)
{
    site_write("html/in.txt", "inside\n");
    site_write("html/dir/index.html", "index\n");
    site_write("html/dir/b.txt", "inside\n");
    site_write("html/list/plain.txt", "inside\n");
    site_write("outside/secret.txt", "secret\n");
    site_write("outside/index.html", "secret\n");
    link_to("in.txt", "html/good");
    link_to("../in.txt", "html/dir/up");
    link_to("dir", "html/to-dir");
    link_to("../outside/secret.txt", "html/bad");
    link_to(site_path("outside/secret.txt"), "html/absolute");
    link_to(site_path("html/in.txt"), "html/absolute-inside");
    link_to("../outside", "html/to-outside");
    link_to("/proc/self/root", "html/magic-root");
    link_to("/proc/self/cwd", "html/magic-cwd");
    link_to("/proc/self/fd", "html/magic-fd");
    link_to("nowhere", "html/dangling");
    link_to("loop", "html/loop");
    link_to("../in.txt", "html/list/stays");
    link_to("../../outside/secret.txt", "html/list/leaves");
    link_to("../../outside/secret.txt", "html/dir2");
    site_mkdir("html/index-leaves");
    link_to("../../outside/index.html", "html/index-leaves/index.html");
}

static void serve(const char *conf)
{
    make_tree();
    site_serve(conf);
}

/* Where a worker may read all of it, so that nothing but the directives here keeps the outside
 * out. */
static void serve_unlocked(const char *conf)
{
    char text[2048];

    make_tree();
    snprintf(text, sizeof text,
             "@MAIN@\nlandlock_read @DIR@;\nevents { worker_connections 2048; }\nhttp {\n@HTTP@\nserver {\n"
             "listen 127.0.0.1:@PORT@;\nroot @DIR@/html;\n%s\n}\n}\n",
             conf);
    site_conf(text);
    site_start();
}

static const struct reach {
    const char *target;
    int open, confined; /* statuses without and with root_confine */
} reaches[] = {
    {"/in.txt", 200, 200},
    {"/dir/", 200, 200},
    {"/dir", 301, 301},
    {"/good", 200, 200},
    {"/dir/up", 200, 200},
    {"/to-dir/b.txt", 200, 200},
    {"/to-dir/", 200, 200},
    {"/to-dir/up", 200, 200},
    {"/", 200, 200},
    {"/bad", 200, 403},
    {"/absolute", 200, 403},
    {"/absolute-inside", 200, 403},
    {"/to-outside/secret.txt", 200, 403},
    {"/to-outside/", 200, 403},
    {"/to-outside", 301, 403},
    {"/magic-root/etc/hostname", -1, 403},
    {"/magic-root/", -1, 403},
    {"/magic-cwd/", -1, 403},
    {"/magic-fd/", -1, 403},
    {"/magic-fd/0", -1, 403},
    {"/dangling", 404, 404},
    {"/loop", 403, 403},
    {"/index-leaves/", 200, 403},
    {"/none", 404, 404},
    {"/in.txt/", 404, 404},
};

static void check_reaches(bool confined)
{
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) {
        struct site_response r;
        int expected = confined ? reaches[i].confined : reaches[i].open;
        if (expected < 0)
            continue;
        site_get(&r, reaches[i].target);
        ck_assert_msg(r.status == expected, "%s: %d", reaches[i].target, r.status);
        ck_assert_msg(!confined || !strstr(r.body, "secret\n"), "%s: %s", reaches[i].target, r.body);
        site_response_free(&r);
    }
}

/* The tree itself: without confinement its links lead outside. */
START_TEST(open_by_default)
{
    serve_unlocked("autoindex on;");
    check_reaches(false);
}
END_TEST

START_TEST(confined)
{
    serve_unlocked("autoindex on; root_confine on;");
    check_reaches(true);
    free(log_await("logs/error.log", "bad\" failed (13: Permission denied)"));
}
END_TEST

/* The same answers from the cache, also when another location reaches the same names unconfined. */
START_TEST(confined_with_a_cache)
{
    serve_unlocked("autoindex on; root_confine on; open_file_cache max=100; open_file_cache_errors on;\n"
                   "location /open/ { alias @DIR@/html/; root_confine off; }");
    for (int i = 0; i < 3; i++) {
        struct site_response r;
        site_get(&r, "/open/bad");
        ck_assert_str_eq(r.body, "secret\n");
        site_response_free(&r);
        check_reaches(true);
    }
}
END_TEST

static const char *const climbing[] = {
    "/../outside/secret.txt",
    "/%2e%2e/outside/secret.txt",
    "/.%2e/outside/secret.txt",
    "/%2e%2e%2foutside%2fsecret.txt",
    "/..%2foutside/secret.txt",
    "/%252e%252e/outside/secret.txt",
    "/%25%32%65%25%32%65/outside/secret.txt",
    "/..%5coutside%5csecret.txt",
    "/..\\outside\\secret.txt",
    "/%c0%ae%c0%ae/outside/secret.txt",
    "/%e0%80%ae%e0%80%ae/outside/secret.txt",
    "/%uff0e%uff0e/outside/secret.txt",
    "/dir/../../outside/secret.txt",
    "/dir/..;/..;/outside/secret.txt",
    "/....//outside/secret.txt",
    "/..%00/outside/secret.txt",
    "/to-dir/../../outside/secret.txt",
    "/to-outside/../outside/secret.txt",
    "//../outside/secret.txt",
    "/./../outside/secret.txt",
    "/a/%2e%2e/%2e%2e/outside/secret.txt",
    "http://h/../outside/secret.txt",
    "/img../outside/secret.txt",
    "/files/../../outside/secret.txt",
    "/files..%2foutside/secret.txt",
    "/re/../../outside/secret.txt",
    "/re/..%2foutside/secret.txt",
    "/re/%2e%2e%2foutside/secret.txt",
    "/re/..%2f..%2foutside/secret.txt",
};

/* Where the kernel keeps it in, and where normalising the path alone does. */
START_TEST(climbing_leads_nowhere)
{
    char conf[512];
    snprintf(conf, sizeof conf,
             "root_confine %s;\nlocation /img { alias @DIR@/html; }\nlocation /files/ { alias @DIR@/html/; }\n"
             "location ~ ^/re/(.*)$ { alias @DIR@/html/$1; }",
             _i ? "on" : "off");
    serve_unlocked(conf);
    for (size_t i = 0; i < sizeof climbing / sizeof *climbing; i++) {
        struct site_response r;
        site_get(&r, climbing[i]);
        ck_assert_msg(r.status == 400 || r.status == 403 || r.status == 404, "%s: %d", climbing[i], r.status);
        ck_assert_msg(!strstr(r.body, "secret\n"), "%s", climbing[i]);
        site_response_free(&r);
    }
}
END_TEST

/* A configuration that builds paths from what clients say: ".." in an argument is not normalised by
 * anybody. */
START_TEST(arguments_in_paths)
{
    serve_unlocked("root_confine on;\n"
                   "location = /try { try_files /$arg_f =404; }\n"
                   "location = /index/ { index $arg_f; }\n"
                   "location ~ ^/re/(?<rest>.*)$ { alias @DIR@/html/$arg_d$rest; }\n"
                   "location /open/ { root_confine off; try_files /$arg_f =404; }");
    const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/try?f=in.txt", 200},
        {"/try?f=dir/../in.txt", 200}, /* .. that stays beneath */
        {"/try?f=../outside/secret.txt", 404},
        {"/try?f=dir/../../outside/secret.txt", 404},
        {"/try?f=to-outside/secret.txt", 404},
        {"/open/?f=in.txt", 200},
        {"/open/?f=../outside/secret.txt", 404}, /* nor without it */
        {"/open/?f=dir/../in.txt", 404},
        {"/open/?f=..", 404},
        {"/open/?f=...", 404},
        {"/re/in.txt", 200},
        {"/re/bad", 403},
        {"/re/secret.txt?d=../outside/", 404},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(site_status_of(cases[i].target) == cases[i].status, "%s: %d", cases[i].target,
                      site_status_of(cases[i].target));
}
END_TEST

/* A variable in the root is a part of it, which root_confine does not confine; a ".." in it leads
 * nowhere. */
START_TEST(variables_in_roots)
{
    make_tree();
    site_conf("@MAIN@\nlandlock_read @DIR@;\nevents { worker_connections 512; }\nhttp {\n@HTTP@\n"
              "map $arg_t $folder { default none; dir dir; }\n"
              "map $arg_t $name { default none; \"~^(?<n>[a-z0-9-]+)$\" $n; }\n"
              "server { listen 127.0.0.1:@PORT@; root @DIR@/html;\n"
              "location ~ ^/root/(?<a>.*)$ { rewrite ^ /$a break; root @DIR@/html/$arg_t; root_confine on; }\n"
              "location ~ ^/map/(?<b>.*)$ { rewrite ^ /$b break; root @DIR@/html/$folder; }\n"
              "location ~ ^/name/(?<c>.*)$ { rewrite ^ /$c break; root @DIR@/html/$name; }\n"
              "location ~ ^/host/(?<d>.*)$ { rewrite ^ /$d break; root @DIR@/html/$host; }\n"
              "location ~ ^/behind/(.*)$ { alias @DIR@/html/$1; }\n"
              "location ~ ^/within(.*)$ { alias @DIR@/html/$1; } } }");
    site_start();
    const struct {
        const char *target, *host;
        int status;
    } cases[] = {
        {"/root/b.txt?t=dir", "h", 200},
        {"/root/secret.txt?t=../outside", "h", 404},
        {"/root/in.txt?t=..", "h", 404},
        {"/root/in.txt?t=dir/..", "h", 404},
        {"/root/b.txt?t=dir/./", "h", 200},
        {"/map/b.txt?t=dir", "h", 200},
        {"/map/secret.txt?t=../outside", "h", 404},
        {"/name/b.txt?t=dir", "h", 200},
        {"/name/secret.txt?t=../outside", "h", 404},
        {"/name/in.txt?t=..", "h", 404},
        {"/host/b.txt", "dir", 200},
        {"/host/in.txt", "..", 400},
        {"/host/secret.txt", "../outside", 400},
        {"/behind/in.txt", "h", 200},
        {"/behind../../outside/secret.txt", "h", 404},
        {"/within../outside/secret.txt", "h", 404},
        {"/within/in.txt", "h", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[256];
        int len = snprintf(bytes, sizeof bytes, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                           cases[i].target, cases[i].host);
        int status = site_status_of_bytes(bytes, (size_t)len);
        ck_assert_msg(status == cases[i].status, "%s: %d", cases[i].target, status);
    }
}
END_TEST

/* alias: to a folder, with and without its slash, to one file, by regular expression, through a
 * link of the administrator's. */
START_TEST(aliases)
{
    make_tree();
    link_to("html", "current");
    link_to("outside/secret.txt", "named");
    site_conf_server("root_confine on;\n"
                     "location /a/ { alias @DIR@/html/; }\n"
                     "location /b { alias @DIR@/html; }\n"
                     "location /c/ { alias @DIR@/current/; }\n"
                     "location = /one { alias @DIR@/html/in.txt; }\n"
                     "location = /named { alias @DIR@/named; }\n"
                     "location ~ ^/r/(.+)$ { alias @DIR@/html/$1; }\n"
                     "location /host/ { root @DIR@/$host; }");
    site_write("localhost/host/x", "inside\n");
    link_to("../../html/in.txt", "localhost/host/leaves");
    site_start();
    const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/a/good", 200}, {"/a/bad", 403},       {"/b/good", 200}, {"/b/bad", 403},  {"/c/good", 200},
        {"/c/bad", 403},  {"/one", 200},         {"/named", 200},  {"/r/good", 200}, {"/r/bad", 403},
        {"/host/x", 200}, {"/host/leaves", 403}, {"/b", 301},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct site_response r;
        site_request(&r, "GET", cases[i].target, "");
        ck_assert_msg(r.status == cases[i].status, "%s: %d", cases[i].target, r.status);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(listings_show_what_is_served)
{
    serve("autoindex on; location /open/ { alias @DIR@/html/; }\n"
          "location /shut/ { alias @DIR@/html/; root_confine on; }\n"
          "location /linkless/ { alias @DIR@/html/; disable_symlinks on from=@DIR@; }");
    const struct {
        const char *target;
        bool stays, leaves;
    } cases[] = {{"/open/list/", true, true}, {"/shut/list/", true, false}, {"/linkless/list/", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct site_response r;
        site_get(&r, cases[i].target);
        ck_assert_int_eq(r.status, 200);
        ck_assert_ptr_nonnull(strstr(r.body, "plain.txt"));
        ck_assert_msg(!!strstr(r.body, "stays") == cases[i].stays, "%s: %s", cases[i].target, r.body);
        ck_assert_msg(!!strstr(r.body, "leaves") == cases[i].leaves, "%s: %s", cases[i].target, r.body);
        site_response_free(&r);
    }
}
END_TEST

/* ---- links that are swapped while requests run ---- */

struct swapper {
    pthread_t thread;
    atomic_bool stop;
    atomic_uint swaps;
    char dir[512];
};

static void swap_file(const char *dir, bool out)
{
    char spare[600], name[600], inside[600];
    snprintf(spare, sizeof spare, "%s/html/spare", dir);
    snprintf(name, sizeof name, "%s/html/swapped", dir);
    snprintf(inside, sizeof inside, "%s/html/in.txt", dir);
    if ((out ? symlink("../outside/secret.txt", spare) : link(inside, spare)) == 0)
        rename(spare, name);
}

static void *swap(void *arg)
{
    struct swapper *s = arg;
    char a[600], b[600];
    snprintf(a, sizeof a, "%s/html/exchanged", s->dir);
    snprintf(b, sizeof b, "%s/exchanged", s->dir);
    for (bool out = true; !atomic_load(&s->stop); out = !out) {
        swap_file(s->dir, out);
        renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
        atomic_fetch_add(&s->swaps, 1);
    }
    return NULL;
}

static void begin_swapping(struct swapper *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "%s", site_dir());
    ck_assert_int_eq(pthread_create(&s->thread, NULL, swap, s), 0);
    while (atomic_load(&s->swaps) < 10)
        sched_yield();
}

/* Only whole answers of inside, or a refusal. */
static void ask_for(const char *target, unsigned times, unsigned *served)
{
    struct site_client c;
    client_open(&c, site_port(0));
    for (unsigned i = 0; i < times; i++) {
        struct site_response r;
        client_say(&c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
        ck_assert(client_receive(&c, &r));
        ck_assert_ptr_null(strstr(r.body, "secret"));
        ck_assert_msg(r.status == 200 || r.status == 403 || r.status == 404 || r.status == 500, "%s: %d", target,
                      r.status);
        if (r.status == 200) {
            ck_assert_msg(strstr(r.body, "inside") != NULL, "%s: %s", target, r.body);
            ++*served;
        }
        site_response_free(&r);
    }
    client_close(&c);
}

static const char *const swapping[] = {
    "root_confine on;",
    "disable_symlinks on from=$document_root;",
    "root_confine on; disable_symlinks if_not_owner;",
    "root_confine on; open_file_cache max=10; open_file_cache_valid 0;",
};

static void check_swapped_links(const char *more)
{
    struct swapper s;
    unsigned served = 0;
    char conf[512];

    /* "exchanged" is a folder of ours or a link to the folder outside, which has a file of that
     * name too. */
    site_write("html/exchanged/f.txt", "inside\n");
    site_write("outside/f.txt", "secret\n");
    link_to("../outside", "exchanged");
    link_to("in.txt", "html/swapped");
    snprintf(conf, sizeof conf, "keepalive_requests 100000; %s", more);
    site_allow_alerts();
    serve_unlocked(conf);
    begin_swapping(&s);
    for (int i = 0; i < 10; i++) {
        ask_for("/swapped", 100, &served);
        ask_for("/exchanged/f.txt", 100, &served);
    }
    atomic_store(&s.stop, true);
    pthread_join(s.thread, NULL);
    ck_assert_uint_gt(served, 0);
}

START_TEST(swapped_links)
{
    check_swapped_links(swapping[_i]);
}
END_TEST

/* ---- disable_symlinks: nginx's answers ---- */

static const struct linked {
    const char *location, *target;
    int status;
} linked[] = {
    {"disable_symlinks on from=@DIR@/html;", "/in.txt", 200},
    {"disable_symlinks on from=@DIR@/html;", "/good", 403},
    {"disable_symlinks on from=@DIR@/html/;", "/good", 403},
    {"disable_symlinks on from=@DIR@/html;", "/to-dir/b.txt", 404},
    {"disable_symlinks on from=@DIR@/html;", "/to-dir/", 404},
    {"disable_symlinks on from=@DIR@/html;", "/to-dir", 403},
    {"disable_symlinks on from=@DIR@/html;", "/dangling", 403},
    {"disable_symlinks on from=@DIR@/html;", "/none", 404},
    {"disable_symlinks on from=@DIR@/html;", "/index-leaves/", 403},
    {"disable_symlinks on from=@DIR@/html;", "/magic-root/etc/hostname", 404},
    {"disable_symlinks on from=@DIR@/html/to-dir;", "/to-dir/b.txt", 200},
    {"disable_symlinks on from=@DIR@/html/to-dir;", "/to-dir/up", 403},
    {"disable_symlinks on from=@DIR@/html/to-d;", "/to-dir/b.txt", 404},
    {"disable_symlinks on from=$document_root;", "/good", 403},
    {"disable_symlinks on from=$document_root;", "/dir/b.txt", 200},
    {"disable_symlinks on from=@DIR@/html/good;", "/good", 200},
    {"disable_symlinks off;", "/good", 200},
    {"disable_symlinks if_not_owner;", "/good", 200},
    {"disable_symlinks if_not_owner;", "/to-dir/b.txt", 200},
    {"disable_symlinks if_not_owner;", "/theirs", 403},
    {"disable_symlinks if_not_owner;", "/their-dir/b.txt", 403},
    {"disable_symlinks if_not_owner from=$document_root;", "/theirs", 403},
    {"disable_symlinks if_not_owner from=@DIR@/html/their-dir;", "/their-dir/b.txt", 200},
    {"disable_symlinks if_not_owner;", "/dangling", 404},
    {"disable_symlinks if_not_owner;", "/loop", 403},
};

START_TEST(symlinks_disabled)
{
    const struct linked *l = &linked[_i];

    if (geteuid() != 0 && strstr(l->target, "their"))
        return; /* links of another user need one */
    make_tree();
    link_to("in.txt", "html/theirs");
    link_to("dir", "html/their-dir");
    if (geteuid() == 0) {
        ck_assert_int_eq(lchown(site_path("html/theirs"), 65534, 65534), 0);
        ck_assert_int_eq(lchown(site_path("html/their-dir"), 65534, 65534), 0);
    }
    site_conf_server(l->location);
    site_start();
    ck_assert_msg(site_status_of(l->target) == l->status, "%s %s: %d", l->location, l->target,
                  site_status_of(l->target));
}
END_TEST

/* ---- without openat2: old kernels, and seccomp profiles that are older than it ---- */

static const int refusals[] = {ENOSYS, EPERM, EACCES};

enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void expect_one_warning(const char *conf)
{
    struct site_run run;
    make_tree();
    site_conf_server(conf);
    site_run(&run, "-c", site_path("sluice.conf"), "-t", NULL);
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_msg(count_text(run.err, "openat2 is not available") == 1, "%s", run.err);
}

START_TEST(without_openat2)
{
    if (!deny(SYS_openat2, refusals[_i]))
        return;
    serve_unlocked("autoindex on; root_confine on;\n"
                   "location /cached/ { alias @DIR@/html/; root_confine on; open_file_cache max=10; }\n"
                   "location /list/ { root_confine on; }\n"
                   "location = /try { try_files /$arg_f =404; }");
    check_reaches(true);
    for (size_t i = 0; i < sizeof climbing / sizeof *climbing; i++) {
        int status = site_status_of(climbing[i]);
        ck_assert_msg(status == 400 || status == 403 || status == 404, "%s: %d", climbing[i], status);
    }
    ck_assert_int_eq(site_status_of("/cached/good"), 200);
    ck_assert_int_eq(site_status_of("/cached/bad"), 403);
    ck_assert_int_eq(site_status_of("/try?f=dir/../to-dir/./../in.txt"), 200);
    ck_assert_int_eq(site_status_of("/try?f=dir/up"), 200);
    ck_assert_int_eq(site_status_of("/try?f=to-dir/../../outside/secret.txt"), 404);
    ck_assert_int_eq(site_status_of("/try?f=../html/in.txt"), 404);

    struct site_response r;
    site_get(&r, "/list/");
    ck_assert_ptr_nonnull(strstr(r.body, "stays"));
    ck_assert_ptr_null(strstr(r.body, "leaves"));
    site_response_free(&r);
    free(log_await("logs/stderr", "openat2 is not available"));
}
END_TEST

START_TEST(without_openat2_one_warning)
{
    if (deny(SYS_openat2, refusals[_i]))
        expect_one_warning("root_confine on; location /a/ { root_confine on; } location /b/ { root_confine on; }");
}
END_TEST

static const char *const both[] = {
    "root_confine on; disable_symlinks on from=@DIR@/html;",
    "root_confine on; disable_symlinks on from=@DIR@/html/to-dir;",
    "disable_symlinks on from=@DIR@/html;",
    "disable_symlinks on from=@DIR@/html/to-dir;",
    "root_confine on; disable_symlinks if_not_owner;",
};

/* The same answers as with it. */
START_TEST(without_openat2_the_same)
{
    static const char *const targets[] = {"/in.txt",       "/in.txt/",     "/good",      "/good/",  "/dir/up",
                                          "/to-dir/b.txt", "/to-dir/",     "/to-dir/up", "/to-dir", "/bad",
                                          "/absolute",     "/to-outside/", "/loop",      "/loop/",  "/dangling",
                                          "/none",         "/dir/b.txt/x"};
    enum { TARGETS = sizeof targets / sizeof *targets };
    int with[TARGETS];

    serve_unlocked(both[_i]);
    for (size_t i = 0; i < TARGETS; i++)
        with[i] = site_status_of(targets[i]);
    site_stop(SIGTERM);
    if (!deny(SYS_openat2, ENOSYS))
        return;
    site_start();
    for (size_t i = 0; i < TARGETS; i++)
        ck_assert_msg(site_status_of(targets[i]) == with[i], "%s %s: %d, not %d", both[_i], targets[i],
                      site_status_of(targets[i]), with[i]);
}
END_TEST

START_TEST(without_openat2_swapped_links)
{
    if (deny(SYS_openat2, EPERM))
        check_swapped_links(swapping[_i]);
}
END_TEST

static const struct broken {
    const char *conf, *error;
} broken[] = {
    {"disable_symlinks from=/x;", "\"disable_symlinks\" must have \"off\", \"on\" or \"if_not_owner\" parameter"},
    {"disable_symlinks on off;", "duplicate parameters \"on off\""},
    {"disable_symlinks off from=/;", "\"from=\" cannot be used with \"off\" parameter"},
    {"disable_symlinks maybe;", "invalid parameter \"maybe\""},
};

START_TEST(configuration_errors)
{
    struct site_run run;
    site_conf_server(broken[_i].conf);
    site_run(&run, "-c", site_path("sluice.conf"), "-t", NULL);
    ck_assert_msg(on_nginx() || run.status != 0, "%s", run.err);
    ck_assert_msg(on_nginx() || strstr(run.err, broken[_i].error), "%s", run.err);
}
END_TEST

/* Aliases behind which a ".." of the request's can arise where the two are joined: they load, with
 * a warning, and it is not served. */
static const struct joined {
    const char *conf;
    const char *warning; /* NULL: there is nothing to warn of */
    const char *good, *bad;
    int status; /* of bad */
} joins[] = {
    {"location /x { alias @DIR@/html/; }", "\"/x../\" would leave", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"location /x { alias @DIR@/html/; }", "\"/x../\" would leave", "/xin.txt", "/x../outside/", 404},
    {"location /x { alias @DIR@/html/; }", "\"/x../\" would leave", "/x", "/x..", 404},
    {"location ^~ /x { alias @DIR@/html/; }", "\"/x../\" would leave", "/x/in.txt", "/x../outside", 404},
    {"location /x { alias @DIR@/html/; autoindex on; }", "would leave", "/x/in.txt", "/x../outside/", 404},
    {"location /x { alias @DIR@/html/; random_index on; }", "would leave", "/x/in.txt", "/x../outside/", 404},
    {"location /x { alias @DIR@/html/; gzip_static always; }", "would leave", "/x/in.txt", "/x../outside/secret.txt",
     404},
    {"location /x { alias @DIR@/html/; try_files $uri =404; }", "would leave", "/xin.txt", "/x../outside/secret.txt",
     404},
    {"location /x { alias @DIR@/html/; error_page 404 =418 /y; } location /y { return 418; }", "would leave",
     "/x/in.txt", "/x../outside/secret.txt", 418},
    {"location /x { alias @DIR@/html/; root_confine on; }", "would leave", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"set $d @DIR@/html/; location /x { alias $d; }", "may end", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"set $d html/; location /x { alias $d; }", "may end", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"set $d html/; location /x { alias @DIR@/$d; }", "may end", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"location ~ ^/x(.*)$ { alias @DIR@/html/$1; }", "$1 in \"alias\"", "/x/in.txt", "/x../outside/secret.txt", 404},
    {"location ~ ^/x(?<r>.*)$ { alias @DIR@/html/$r; }", "$r in \"alias\"", "/xin.txt", "/x../outside/secret.txt", 404},
    {"location ~ ^/x(?:y|z)\\(?([^/]+)/(.*)$ { alias @DIR@/html/$1/$2; }", "$1 in \"alias\"", "/xydir/b.txt",
     "/xy../outside/secret.txt", 404},
    {"location ~ ^/x/(.*)$ { alias @DIR@/html/$1; }", NULL, "/x/in.txt", "/x../outside/secret.txt", 404},
    {"location ~ ^/x/(?<r>.*)$ { alias @DIR@/html/$r; }", NULL, "/x/in.txt", "/x/../outside/secret.txt", 404},
    {"location ~ ^/x([a-z.]+)$ { alias @DIR@/html/$1; }", NULL, "/xin.txt", "/x..", 404},
    {"location /x/ { alias @DIR@/html/; }", NULL, "/x/in.txt", "/x/../outside/secret.txt", 404},
    {"location /x { alias @DIR@/html; }", NULL, "/x/in.txt", "/x../outside/secret.txt", 404},
    {"location = /x { alias @DIR@/html/in.txt; }", NULL, "/x", "/x../outside/secret.txt", 404},
    {"rewrite ^/x(.*)$ /$1;", NULL, "/xin.txt", "/x../outside/secret.txt", 404},
    {"rewrite ^/x(.*)$ /$1 break;", NULL, "/xin.txt", "/x../outside/secret.txt", 404},
    {"location /x { rewrite ^/x(.*)$ /$1 break; }", NULL, "/xin.txt", "/x../outside/", 404},
    {"rewrite ^/x(.*)$ /dir/../$1;", NULL, "/xin.txt", "/x../outside/secret.txt", 404},
    {"location /x/ { index $arg_i; alias @DIR@/html/; }", NULL, "/x/?i=in.txt", "/x/?i=../outside/secret.txt", 403},
    {"location /x/ { error_page 404 =200 /dir/../in.txt; }", NULL, "/x/none", "/x/../none", 404},
    {"location = /x { try_files /none /../html/in.txt =404; }", NULL, "/x", "/x/", 404},
    {"location = /x { try_files $uri/none /dir/../in.txt; }", NULL, "/x", "/x/", 404},
    {"location /x { index ../in.txt; alias @DIR@/html/dir; }", NULL, "/x/", "/x/../x../", 404},
    {"location /x/ { set $d ..; root @DIR@/html/$d; }", NULL, "", "/x/in.txt", 404},
};

START_TEST(joined_paths)
{
    const struct joined *j = &joins[_i];
    struct site_run run;
    struct site_response r;
    char conf[512];

    snprintf(conf, sizeof conf, "%s", j->conf);
    serve_unlocked(conf);
    site_run(&run, "-c", site_path("sluice.conf"), "-t", NULL);
    ck_assert_msg(j->warning ? !!strstr(run.err, j->warning) : !strstr(run.err, "[warn]"), "%s", run.err);
    if (*j->good) {
        site_get(&r, j->good);
        ck_assert_msg(r.status == 200 || r.status == 301, "%s: %d", j->good, r.status);
        site_response_free(&r);
    }
    site_get(&r, j->bad);
    ck_assert_msg(r.status == j->status, "%s: %d", j->bad, r.status);
    ck_assert_msg(!strstr(r.body, "secret"), "%s: %s", j->bad, r.body);
    site_response_free(&r);
}
END_TEST

/* `if` asks about files by the rules that hold for files: what may not be served is not there. */
static const struct asked {
    const char *rules;
    const char *test; /* of `if` */
    const char *argument;
    const char *answer;
} asked[] = {
    {"root_confine on;", "-f $document_root/$arg_p", "in.txt", "yes"},
    {"root_confine on;", "-f $document_root/$arg_p", "good", "yes"},
    {"root_confine on;", "-f $document_root/$arg_p", "bad", "no"},
    {"root_confine on;", "-e $document_root/$arg_p", "bad", "no"},
    {"root_confine on;", "-d $document_root/$arg_p", "to-outside", "no"},
    {"root_confine on;", "-x $document_root/$arg_p", "to-outside", "no"},
    {"root_confine on;", "!-e $document_root/$arg_p", "bad", "yes"},
    {"root_confine on;", "-f $document_root/$arg_p", "absolute", "no"},
    {"root_confine on;", "-f $document_root/$arg_p", "to-outside/secret.txt", "no"},
    {"root_confine on;", "-e $document_root/$arg_p", "magic-root/etc", "no"},
    {"root_confine on;", "-f $document_root/$arg_p", "closed", "yes"},
    {"root_confine on;", "-f $document_root/$arg_p", "../outside/secret.txt", "no"},
    {"root_confine on;", "-f @DIR@/html/$arg_p", "in.txt", "yes"},
    {"root_confine on;", "-f @DIR@/html/$arg_p", "bad", "no"},
    {"root_confine on;", "-f @DIR@/outside/secret.txt", "", "yes"}, /* the configuration names it */
    {"root_confine on;", "-f @DIR@/outside/$arg_p", "secret.txt", "yes"},
    {"root_confine on;", "-f @DIR@/outside/$arg_p", "back/in.txt", "no"},
    {"root_confine on;", "-f $realpath_root/$arg_p", "in.txt", "yes"},
    {"root_confine on;", "-f $realpath_root/$arg_p", "bad", "no"},
    {"root_confine on;", "-f $arg_p", "@DIR@/outside/secret.txt", "no"},
    {"root_confine on;", "-f $document_root-old/$arg_p", "x", "no"},
    {"root_confine on;", "-f $request_filename", "", "no"},
    {"root_confine on; location = /top { root /; if (-f $document_root$arg_p) { return 200 top; } }",
     "-f $document_root/$arg_p", "in.txt", "yes"},
    {"disable_symlinks on;", "-f $document_root/$arg_p", "in.txt", "yes"},
    {"disable_symlinks on;", "-f $document_root/$arg_p", "good", "no"},
    {"disable_symlinks on;", "-d $document_root/$arg_p", "to-dir", "no"},
    {"disable_symlinks on from=$document_root;", "-f $document_root/$arg_p", "closed", "yes"},
    {"disable_symlinks on from=$document_root;", "-f $document_root/$arg_p", "closed-link", "no"},
    {"disable_symlinks if_not_owner;", "-f $document_root/$arg_p", "closed", "yes"},
    {"", "-f $document_root/$arg_p", "bad", "yes"},
    {"", "-f $document_root/$arg_p", "closed", "yes"},
    {"", "-f $document_root/../outside/$arg_p", "secret.txt", "yes"}, /* the configuration's own */
    {"", "-f $document_root/../html/$arg_p", "../outside/secret.txt", "no"},
    {"", "-f $document_root/$arg_p", "../outside/secret.txt", "no"},
};

START_TEST(if_asks_by_the_rules)
{
    const struct asked *a = &asked[_i];
    char conf[512], target[512];
    struct site_response r;

    snprintf(conf, sizeof conf, "%s location = /ask { if (%s) { return 200 yes; } return 200 no; }", a->rules, a->test);
    serve_unlocked(conf);
    site_write("html/closed", "x");
    ck_assert_int_eq(chmod(site_path("html/closed"), 0), 0);
    link_to("closed", "html/closed-link");
    link_to("../html", "outside/back");
    bool whole = a->argument[0] == '@';
    snprintf(target, sizeof target, "/ask?p=%s%s", whole ? site_dir() : "", whole ? a->argument + 5 : a->argument);
    site_get(&r, target);
    ck_assert_msg(strcmp(r.body, a->answer) == 0, "%s if (%s), %s: %s", a->rules, a->test, target, r.body);
    site_response_free(&r);
    if (strstr(a->rules, "/top")) {
        snprintf(target, sizeof target, "/top?p=%s/html/in.txt", site_dir());
        site_get(&r, target);
        ck_assert_str_eq(r.body, "top");
        site_response_free(&r);
    }
    site_allow_alerts(); /* at crit, as in nginx: why it could not be asked */
}
END_TEST

/* sluice DIR: confined unless told otherwise. */
START_TEST(quick_mode)
{
    char port[16], *argv[] = {"sluice", NULL, "-l", port, NULL};
    char dir[512];

    make_tree();
    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("html"));
    argv[1] = dir;
    site_start_args(argv);
    site_await_port(site_port(0));
    check_reaches(true);
}
END_TEST

Suite *suite_confine(void)
{
    Suite *s = suite_create("confine");
    TCase *t = site_case(s, "root", 60);
    tcase_add_test(t, open_by_default);
    tcase_add_test(t, confined);
    tcase_add_test(t, confined_with_a_cache);
    tcase_add_loop_test(t, climbing_leads_nowhere, 0, 2);
    tcase_add_test(t, arguments_in_paths);
    tcase_add_loop_test(t, if_asks_by_the_rules, 0, sizeof asked / sizeof *asked);
    tcase_add_loop_test(t, joined_paths, 0, sizeof joins / sizeof *joins);
    tcase_add_test(t, variables_in_roots);
    tcase_add_test(t, aliases);
    tcase_add_test(t, listings_show_what_is_served);
    tcase_add_loop_test(t, swapped_links, 0, sizeof swapping / sizeof *swapping);
    if (needs_plain("quick_mode", "it writes its own listen"))
        tcase_add_tcp_test(t, quick_mode, "starts with a port");
    t = site_case(s, "without openat2", 60);
    tcase_add_loop_test(t, without_openat2, 0, REFUSALS);
    tcase_add_loop_test(t, without_openat2_one_warning, 0, REFUSALS);
    tcase_add_loop_test(t, without_openat2_the_same, 0, sizeof both / sizeof *both);
    tcase_add_loop_test(t, without_openat2_swapped_links, 0, sizeof swapping / sizeof *swapping);
    t = site_case(s, "symlinks", 60);
    tcase_add_loop_test(t, symlinks_disabled, 0, sizeof linked / sizeof *linked);
    tcase_add_loop_test(t, configuration_errors, 0, sizeof broken / sizeof *broken);
    return s;
}
