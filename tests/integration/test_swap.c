/* test_swap.c - folders, links and files that are replaced while a confined worker serves them:
 * what is there now is served at once, and what lies beside it is not. */
#include "deny.h"
#include "harness.h"
#include "load.h"
#include "mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the folder of the site. */
static void run_shell(const char *commands)
{
    char text[2048];

    snprintf(text, sizeof text, "cd '%s' && { %s\n}", site_dir(), commands);
    ck_assert_msg(system(text) == 0, "%s", commands);
}

static void serve(const char *rows)
{
    char text[4096];

    snprintf(text, sizeof text,
             "@MAIN@\nevents { worker_connections 512; }\nhttp {\n@HTTP@\n"
             "server {\nlisten 127.0.0.1:@PORT@;\n%s\n}\n}\n",
             rows);
    site_conf(text);
    site_start();
}

static void expect(const char *target, const char *fields, int status, const char *body)
{
    struct site_response r;

    site_request(&r, "GET", target, fields);
    ck_assert_msg(r.status == status, "%s: %d instead of %d", target, r.status, status);
    ck_assert_msg(!body || strstr(r.body, body), "%s: \"%s\" without \"%s\"", target, r.body, body);
    site_response_free(&r);
}

/* ---- kinds of swap ---- */

#define RELEASES                                                                                                       \
    "mkdir -p app/releases/1/public app/releases/2/public; echo old > app/releases/1/public/x; "                       \
    "echo new > app/releases/2/public/x; ln -s releases/1 app/current"
#define FOLDERS "mkdir site new; echo old > site/x; echo new > new/x"

static const struct swap {
    const char *name, *before, *rows, *swap;
} swaps[] = {
    {"mv", FOLDERS, "root @DIR@/site;", "mv site old; mv new site"},
    {"rm and mkdir", FOLDERS, "root @DIR@/site;", "rm -rf site; mkdir site; echo new > site/x"},
    {"mv, confined", FOLDERS, "root @DIR@/site; root_confine on;", "mv site old; mv new site"},
    {"mv, without links", FOLDERS, "root @DIR@/site; disable_symlinks on from=@DIR@/site;", "mv site old; mv new site"},
    {"mv, links of the owner", FOLDERS, "root @DIR@/site; root_confine on; disable_symlinks if_not_owner;",
     "mv site old; mv new site"},
    {"mv, relative", FOLDERS, "root site;", "mv site old; mv new site"},
    {"mv, alias", FOLDERS, "location / { alias @DIR@/site/; }", "mv site old; mv new site"},
    {"mv, alias of a file", FOLDERS, "location /x { alias @DIR@/site/x; }", "mv site old; mv new site"},
    {"a file is renamed over", FOLDERS, "location /x { alias @DIR@/site/x; }", "mv new/x site/x"},
    {"mv, variable", "mkdir -p site/localhost new/localhost; echo old > site/localhost/x; echo new > new/localhost/x",
     "root @DIR@/site/$server_name; server_name localhost;", "mv site old; mv new site"},
    {"mv, above", "mkdir -p up/site up2/site; echo old > up/site/x; echo new > up2/site/x", "root @DIR@/up/site;",
     "mv up old; mv up2 up"},
    {"mv, cached", FOLDERS, "root @DIR@/site; open_file_cache max=10; open_file_cache_valid 0;",
     "mv site old; mv new site"},
    {"mv, precompressed", FOLDERS "; gzip -k new/x", "root @DIR@/site; gzip_static on;", "mv site old; mv new site"},
    {"mv, try_files", FOLDERS, "root @DIR@/site; location / { try_files /none $uri =404; }",
     "mv site old; mv new site"},
    {"mv, listing", "mkdir site new; touch site/old new/new", "root @DIR@/site; autoindex on; index none;",
     "mv site old; mv new site"},
    {"ln -sfn", RELEASES, "root @DIR@/app/current/public;", "ln -sfn releases/2 app/current"},
    {"mv -T", RELEASES, "root @DIR@/app/current/public;", "ln -s releases/2 app/next; mv -T app/next app/current"},
    {"mv -T, confined", RELEASES, "root @DIR@/app/current/public; root_confine on;",
     "ln -s releases/2 app/next; mv -T app/next app/current"},
    {"at the end", RELEASES, "root @DIR@/app/link;", "ln -sfn current/public app/link; ln -sfn releases/2 app/current"},
    {"to elsewhere", RELEASES, "root @DIR@/app/current/public;", "mv app/releases/2 far; ln -sfn ../far app/current"},
    {"absolute", RELEASES "; ln -sfn $PWD/app/releases/1 app/current", "root @DIR@/app/current/public;",
     "ln -sfn $PWD/app/releases/2 app/current"},
    {"a chain", RELEASES "; ln -s app/current first; ln -s first second", "root @DIR@/second/public;",
     "ln -sfn releases/2 app/current"},
    {"the middle of a chain", RELEASES "; ln -s app/current first; ln -s first second", "root @DIR@/second/public;",
     "ln -sfn app/releases/2 first"},
    {"by a link from another root", FOLDERS "; mkdir main; ln -s ../site/x main/x",
     "root @DIR@/main; location /none { root @DIR@/site; }", "mv site old; mv new site"},
    {"by a link to a root that is a link", RELEASES "; mkdir main; ln -s ../app/current/public/x main/x",
     "root @DIR@/main; location /none { root @DIR@/app/current/public; }", "ln -sfn releases/2 app/current"},
    {"of landlock_read", FOLDERS "; mkdir main; ln -s ../site/x main/x", "root @DIR@/main;",
     "mv site old; mv new site"},
};

START_TEST(what_is_there_now_is_served)
{
    const struct swap *s = &swaps[_i];
    char text[4096], rows[1024];

    run_shell(s->before);
    if (strcmp(s->name, "at the end") == 0)
        run_shell("ln -s releases/1/public app/link");
    snprintf(rows, sizeof rows, "%s", s->rows);
    snprintf(text, sizeof text,
             "@MAIN@\n%s\nevents { }\nhttp {\n@HTTP@\nserver {\nlisten 127.0.0.1:@PORT@;\n%s\n}\n}\n",
             strcmp(s->name, "of landlock_read") ? "" : "landlock_read @DIR@/site;", rows);
    site_conf(text);
    site_start();
    const char *target = strcmp(s->name, "mv, listing") ? "/x" : "/";
    expect(target, "", 200, "old");
    run_shell(s->swap);
    expect(target, "", 200, "new");
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(!strstr(log, "failed"), "%s: %s", s->name, log);
    free(log);
}
END_TEST

/* A filesystem that is mounted over a root, or over a folder above it, and unmounted again. */
START_TEST(mounts)
{
    const char *at = _i ? "up" : "up/site";

    if (!mounts_enter())
        return;
    site_write("up/site/x", "old\n");
    serve("root @DIR@/up/site;");
    expect("/x", "", 200, "old");
    for (int i = 0; i < 2; i++) {
        if (!mount_plain("tmpfs", at, "mode=755"))
            return;
        site_write("up/site/x", "new\n");
        expect("/x", "", 200, "new");
        mount_end(at);
        expect("/x", "", 200, "old");
    }
}
END_TEST

/* Without openat2 the opener is asked in the loop, and walks by hand. */
START_TEST(without_openat2)
{
    if (!deny(SYS_openat2, ENOSYS))
        return;
    run_shell(FOLDERS "; ln -s ../site/x site/leads-out; ln -s ../site/x new/leads-out");
    serve(_i ? "root @DIR@/site; root_confine on;" : "root @DIR@/site;");
    expect("/x", "", 200, "old");
    run_shell("mv site old; mv new site");
    expect("/x", "", 200, "new");
    expect("/leads-out", "", _i ? 403 : 200, NULL);
}
END_TEST

/* Made after the start, below folders that are made then too. */
START_TEST(roots_that_come_later)
{
    serve("root @DIR@/not/yet; location /list/ { root @DIR@/not/yet/either; autoindex on; }");
    expect("/x", "", 404, NULL);
    site_write("not/yet/x", "new\n");
    site_mkdir("not/yet/either/list");
    expect("/x", "", 200, "new");
    expect("/list/", "", 200, "Index of");
    if (has_landlock() && !site_is_instrumented())
        free(log_await("logs/error.log", "Landlock grants nothing of "));
}
END_TEST

/* "user:old" and "user:new", in the form that needs no hash. */
START_TEST(password_files)
{
    static const char *const swap[] = {"mv secrets gone; mv next secrets", "mv next/users secrets/users",
                                       "ln -sfn next secrets"};

    site_write("html/x", "inside\n");
    site_write("first/users", "user:{PLAIN}old\n");
    site_write("next/users", "user:{PLAIN}new\n");
    run_shell(_i == 2 ? "ln -s first secrets" : "mv first secrets");
    serve("root @DIR@/html; auth_basic a; auth_basic_user_file secrets/users;");
    expect("/x", "Authorization: Basic dXNlcjpvbGQ=\r\n", 200, NULL);
    expect("/x", "Authorization: Basic dXNlcjpuZXc=\r\n", 401, NULL);
    run_shell(swap[_i]);
    expect("/x", "Authorization: Basic dXNlcjpuZXc=\r\n", 200, NULL);
    expect("/x", "Authorization: Basic dXNlcjpvbGQ=\r\n", 401, NULL);
}
END_TEST

/* A worker goes on in the folder that has the name of its logs now. */
START_TEST(folders_of_logs)
{
    site_write("html/x", "inside\n");
    site_mkdir("own");
    site_mkdir("vary");
    ck_assert_int_eq(chmod(site_path("vary"), 0777), 0);
    serve("root @DIR@/html; access_log own/access.log; access_log vary/$server_port.log;");
    expect("/x", "", 200, NULL);
    free(log_await("own/access.log", "GET /x "));
    run_shell("mv own old; mv vary old/vary; mkdir own vary; chmod 777 vary");
    site_kill(SIGUSR1);
    while (access(site_path("own/access.log"), F_OK) < 0) /* made anew by the master; the case has a limit */
        sleep_msec(10);
    for (unsigned made = 0; made == 0;) { /* the worker follows */
        expect("/x", "", 200, NULL);
        char *log = site_read("own/access.log", NULL);
        made = count_text(log, "GET /x ");
        free(log);
    }
    free(log_await(site_path("vary/%s.log", site_transport()->is_tcp ? site_text("@PORT@") : ""), "GET /x "));
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(!strstr(log, "failed") && !strstr(log, "[emerg]"), "%s", log);
    free(log);
}
END_TEST

/* Large files of a folder that was replaced are read past the page cache as before. */
START_TEST(direct_reads)
{
    if (!*site_disk())
        return; /* nothing here takes O_DIRECT */
    char name[512], swap[1024];

    snprintf(name, sizeof name, "%s/site/large", site_disk());
    site_pattern(name, 1 << 20);
    snprintf(name, sizeof name, "%s/new/large", site_disk());
    site_pattern(name, 1 << 20);
    site_conf_http(
        "log_format method 'method=$io_method'; access_log logs/method.log method; directio 512k; aio threads;\n"
        "server { listen 127.0.0.1:@PORT@; root @DISK@/site; }");
    site_start();
    for (unsigned i = 1; i <= 3; i++) {
        struct site_response r;
        site_get(&r, "/large");
        ck_assert_int_eq(r.status, 200);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
        free(log_await_count("logs/method.log", "method=direct", i));
        snprintf(swap, sizeof swap, "cd '%s' && mv site old && mv new site && mv old new", site_disk());
        ck_assert_int_eq(system(swap), 0);
    }
}
END_TEST

START_TEST(quick_mode_follows_links)
{
    char port[16], dir[512], log[512], *argv[] = {"sluice", dir, "-l", port, "-e", log, NULL};

    run_shell(RELEASES);
    snprintf(port, sizeof port, "%d", site_port(0));
    snprintf(dir, sizeof dir, "%s", site_path("app/current%s", _i ? "/public" : ""));
    snprintf(log, sizeof log, "%s", site_path("logs/error.log"));
    site_start_args(argv);
    site_await_port(site_port(0));
    const char *target = _i ? "/x" : "/public/x";
    expect(target, "", 200, "old");
    run_shell("ln -s releases/2 app/next; mv -T app/next app/current");
    sleep_msec(1100); /* its open_file_cache_valid */
    expect(target, "", 200, "new");
}
END_TEST

/* ---- what stays out of reach ---- */

/* A link to what lies beside the root, before and after each way to replace it; a root that is
 * missing widens nothing. */
START_TEST(what_lies_beside_is_not_served)
{
    static const char *const swap[] = {"true", "mv site old; mv new site", "ln -sfn new link"};

    if (!has_landlock())
        return;
    run_shell("mkdir site new keys; echo in > site/in; echo in > new/in; echo secret > keys/key; echo secret > beside\n"
              "ln -s site link; for d in site new; do ln -s ../keys/key $d/key; ln -s ../beside $d/beside; done");
    serve("root @DIR@/site; location /link/ { alias @DIR@/link/; } location /none/ { root @DIR@/not/yet; }\n"
          "location /below/ { alias @DIR@/link/; root_confine on; }");
    if (site_is_instrumented())
        return;
    run_shell(swap[_i]);
    for (int i = 0; i < 2; i++) { /* the second time there is an opener that has been asked */
        expect("/in", "", 200, "in");
        expect("/link/in", "", 200, "in");
        expect("/key", "", 403, NULL);
        expect("/beside", "", 403, NULL);
        expect("/link/key", "", 403, NULL);
        expect("/link/beside", "", 403, NULL);
        expect("/below/key", "", 403, NULL);
    }
    char *log = log_await_count("logs/error.log", "request: \"GET /below/key", 2);
    ck_assert_uint_eq(count_text(log, "key\" failed (13: Permission denied), by Landlock: \"landlock_read\""), 4);
    char *below = strstr(log, "request: \"GET /below/key");
    ck_assert_ptr_nonnull(below); /* that refusal was another one's */
    while (below > log && below[-1] != '\n')
        below--;
    ck_assert_msg(strncmp(strstr(below, "failed"), "failed (13: Permission denied), client", 38) == 0, "%s", below);
    free(log);
}
END_TEST

/* The default root, when nobody uses it, is not granted; nor is what is around a root that does not
 * exist. */
START_TEST(only_what_is_used_is_granted)
{
    if (!has_landlock())
        return;
    site_write("html/x", "unused\n");
    site_write("key", "secret\n");
    site_write("site/in", "in\n");
    run_shell(
        "ln -s ../key site/key; ln -s ../html/x site/unused; ln -s ../link-to-log site/log; ln -s out.log link-to-log");
    serve("root @DIR@/site; location /later/ { root @DIR@/later; } access_log logs/access.log;");
    if (site_is_instrumented())
        return;
    expect("/in", "", 200, NULL);
    expect("/key", "", 403, NULL);
    expect("/unused", "", 403, NULL);
    char *log = log_await("logs/error.log", "confined: ");
    char granted[1024];
    snprintf(granted, sizeof granted, "Landlock grants reading of %s/site\n", site_dir());
    ck_assert_msg(strstr(log, granted) != NULL, "no \"%s\" in %s", granted, log);
    snprintf(granted, sizeof granted, "Landlock grants writing of %s/logs\n", site_dir());
    ck_assert_msg(strstr(log, granted) != NULL, "no \"%s\" in %s", granted, log);
    snprintf(granted, sizeof granted, "Landlock grants nothing of %s/later for now (2: No such file or directory)\n",
             site_dir());
    ck_assert_msg(strstr(log, granted) != NULL, "no \"%s\" in %s", granted, log);
    free(log);
}
END_TEST

/* A root that no request is looked for in: a location takes them all, by a root or an alias of its
 * own. */
START_TEST(root_beside_the_location_of_everything_is_not_granted)
{
    static const char *const locations[] = {
        "root @DIR@; location / { root @DIR@/site; }", "root @DIR@; location ^~ / { alias @DIR@/site/; }",
        "location / { root @DIR@/site; } location = /in { root @DIR@/site; } location @n { root @DIR@/site; }"};
    char granted[1024];

    if (!has_landlock())
        return;
    site_write("html/x", "unused\n");
    site_write("key", "secret\n");
    site_write("site/in", "in\n");
    run_shell("ln -s ../key site/key; ln -s ../html/x site/unused");
    for (size_t i = 0; i < sizeof locations / sizeof *locations; i++) {
        serve(locations[i]);
        if (site_is_instrumented())
            return;
        expect("/in", "", 200, NULL);
        expect("/key", "", 403, NULL);
        expect("/unused", "", 403, NULL);
        char *log = log_await("logs/error.log", "confined: ");
        snprintf(granted, sizeof granted, "Landlock grants reading of %s/site\n", site_dir());
        ck_assert_msg(strstr(log, granted) != NULL, "no \"%s\" in %s", granted, log);
        free(log);
        site_stop(SIGTERM);
        ck_assert_int_eq(unlink(site_path("logs/error.log")), 0);
    }
    /* A location that inherits the root uses it. */
    serve("root @DIR@/site; location / { } location /later/ { root @DIR@/later; }");
    expect("/in", "", 200, NULL);
}
END_TEST

/* ---- the process that opens ---- */

/* Processes whose parent is this one. */
static unsigned children_of(pid_t parent, pid_t *child)
{
    unsigned count = 0;
    DIR *all = opendir("/proc");

    ck_assert_ptr_nonnull(all);
    for (struct dirent *e; (e = readdir(all));) {
        char line[512];
        FILE *f = atoi(e->d_name) > 0 ? fopen(site_path("/proc/%s/stat", e->d_name), "re") : NULL;
        bool read = f && fgets(line, sizeof line, f);
        const char *end = read ? strrchr(line, ')') : NULL; /* "1 (name) S 0 ...": state and parent */
        if (f)
            fclose(f);
        if (!end || strlen(end) < 5 || atoi(end + 4) != (int)parent)
            continue;
        *child = (pid_t)atoi(e->d_name);
        count++;
    }
    closedir(all);
    return count;
}

static void await_gone(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid); /* which a zombie lists no more */
    for (int i = 0; i < scaled(1000) && kill(pid, 0) == 0; i++) {
        char target[8];
        if (readlink(site_path("%s/0", path), target, sizeof target) < 0)
            return;
        sleep_msec(10);
    }
    ck_assert_msg(kill(pid, 0) < 0, "process %d goes on", (int)pid);
}

static pid_t opener(pid_t *worker)
{
    pid_t pid = 0;

    site_await_workers(1);
    ck_assert_uint_eq(site_workers(worker, 1), 1);
    ck_assert_uint_eq(children_of(*worker, &pid), 1);
    return pid;
}

static const struct ending {
    const char *name;
    int signal;
} endings[] = {{"fast", SIGTERM}, {"gracefully", SIGQUIT}, {"new workers", SIGHUP}, {"the worker is killed", SIGKILL}};

/* It hears no signal, and ends with its worker. */
START_TEST(it_ends_with_its_worker)
{
    pid_t worker;

    if (!has_landlock())
        return;
    run_shell(FOLDERS);
    serve("root @DIR@/site;");
    if (site_is_instrumented())
        return;
    pid_t pid = opener(&worker);
    kill(pid, SIGTERM);
    kill(pid, SIGINT);
    kill(pid, SIGHUP);
    run_shell("mv site old; mv new site");
    expect("/x", "", 200, "new");
    int signal = endings[_i].signal;
    if (signal == SIGKILL) {
        site_allow_alerts();
        kill(worker, SIGKILL);
    } else if (signal == SIGHUP) {
        site_kill(signal);
    } else {
        site_stop(signal);
    }
    await_gone(pid);
    if (signal == SIGHUP || signal == SIGKILL) {
        while (kill(pid, 0) == 0) /* the master collects it; the case has a limit */
            sleep_msec(5);
        site_await_workers(1);
        expect("/x", "", 200, "new");
    }
}
END_TEST

/* Without it the worker serves what it may open, and says what would help. */
START_TEST(without_it)
{
    pid_t worker;

    if (!has_landlock())
        return;
    run_shell(FOLDERS "; mkdir html; echo in > html/in");
    serve("root @DIR@/site; location /in { root @DIR@/html; }");
    if (site_is_instrumented())
        return;
    pid_t pid = opener(&worker);
    kill(pid, SIGKILL);
    await_gone(pid);
    run_shell("mv site old; mv new site");
    expect("/in", "", 200, "in");
    expect("/x", "", 403, NULL);
    free(log_await("logs/error.log", "x\" failed (13: Permission denied), by Landlock: \"landlock_read\""));
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "gracefully shutting down"));
    expect("/x", "", 200, "new");
}
END_TEST

/* ---- new workers ---- */

/* They need no opener for what is there now. */
START_TEST(new_workers_are_granted_it)
{
    pid_t worker;

    if (!has_landlock())
        return;
    run_shell(FOLDERS);
    serve("root @DIR@/site;");
    if (site_is_instrumented())
        return;
    pid_t old = opener(&worker);
    run_shell("mv site old; mv new site");
    expect("/x", "", 200, "new");
    free(log_await("logs/error.log", "new workers are granted these"));
    await_gone(old);
    pid_t now = opener(&worker);
    kill(now, SIGKILL);
    await_gone(now);
    expect("/x", "", 200, "new");
}
END_TEST

/* That no operator has asked for it means that nothing is cut short. */
START_TEST(downloads_go_on)
{
    enum { LARGE = 64 << 20 };
    struct site_client c;
    struct site_response r;

    if (!has_landlock())
        return;
    site_pattern("site/large", LARGE);
    site_pattern("new/small", 10);
    site_conf("@MAIN@\nworker_shutdown_timeout 100ms; events { }\nhttp {\n@HTTP@\n"
              "server { listen 127.0.0.1:@PORT@; root @DIR@/site; } }");
    site_start();
    if (site_is_instrumented())
        return;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    run_shell("mv site old; mv new site");
    expect("/small", "", 200, NULL);
    free(log_await("logs/error.log", "gracefully shutting down"));
    sleep_msec(300); /* longer than worker_shutdown_timeout */
    client_expect_pattern(&c, 0, LARGE);
    site_response_free(&r);
    client_close(&c);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(!strstr(log, "worker_shutdown_timeout is over"), "%s", log);
    free(log);
}
END_TEST

/* ---- under load ---- */

enum { SWAPS = 200, LOADERS = 4, SIZE = 3000 };

static void await_body(const char *name, size_t len)
{
    struct site_response r;

    site_get(&r, "/mark");
    ck_assert_msg(r.status == 200 && r.len == len && memcmp(r.body, name, len) == 0, "%d: \"%s\" instead of \"%s\"",
                  r.status, r.body, name);
    site_response_free(&r);
}

static const struct loaded {
    const char *rows;
    bool link;
} loaded[] = {
    {"root @DIR@/site;", false},
    {"root @DIR@/site; root_confine on;", false},
    {"root @DIR@/site; open_file_cache max=100; open_file_cache_valid 0;", false},
    {"root @DIR@/app/current/public;", true},
    {"root @DIR@/app/current/public; root_confine on;", true},
};

/* No request fails, and after each swap the next request has the new content. */
START_TEST(swapped_under_load)
{
    struct loader loaders[LOADERS];
    const struct load_requests q[2] = {
        {.port = site_port(0), .target = "/file", .fields = "", .len = SIZE, .keep = true},
        {.port = site_port(0), .target = "/file", .fields = "", .len = SIZE, .keep = false},
    };
    const struct loaded *how = &loaded[_i];

    site_pattern("site/file", SIZE);
    site_pattern("other/file", SIZE);
    site_write("site/mark", "a");
    site_write("other/mark", "b");
    run_shell(
        "mkdir -p app/releases/a app/releases/b; cp -r site app/releases/a/public; cp -r other app/releases/b/public\n"
        "ln -s releases/a app/current");
    serve(how->rows);
    for (unsigned i = 0; i < LOADERS; i++)
        loader_start(&loaders[i], load_requests, &q[i % 2]);
    for (unsigned i = 0; i < SWAPS; i++) {
        const char *next = i % 2 ? "a" : "b";
        if (how->link) {
            ck_assert_int_eq(symlink(site_path("app/releases/%s", next), site_path("app/next")), 0);
            ck_assert_int_eq(rename(site_path("app/next"), site_path("app/current")), 0);
        } else {
            ck_assert_int_eq(renameat2(AT_FDCWD, site_path("site"), AT_FDCWD, site_path("other"), RENAME_EXCHANGE), 0);
        }
        await_body(next, 1);
    }
    loaders_stop_well(loaders, LOADERS);
}
END_TEST

Suite *suite_swap(void)
{
    Suite *s = suite_create("swap");
    TCase *t = site_case(s, "swap", 60);

    tcase_add_loop_test(t, what_is_there_now_is_served, 0, on_nginx() ? 2 : sizeof swaps / sizeof *swaps);
    if (on_nginx())
        return s;
    tcase_add_loop_test(t, mounts, 0, 2);
    tcase_add_loop_test(t, without_openat2, 0, 2);
    tcase_add_test(t, roots_that_come_later);
    tcase_add_loop_test(t, password_files, 0, 3);
    tcase_add_test(t, folders_of_logs);
    tcase_add_test(t, direct_reads);
    if (needs_plain("quick_mode_follows_links", "it writes its own listen"))
        tcase_add_tcp_loop_test(t, quick_mode_follows_links, 0, 2, "starts with a port");
    tcase_add_loop_test(t, what_lies_beside_is_not_served, 0, 3);
    tcase_add_test(t, only_what_is_used_is_granted);
    tcase_add_test(t, root_beside_the_location_of_everything_is_not_granted);
    tcase_add_loop_test(t, it_ends_with_its_worker, 0, sizeof endings / sizeof *endings);
    tcase_add_test(t, without_it);
    tcase_add_test(t, new_workers_are_granted_it);
    tcase_add_test(t, downloads_go_on);
    tcase_add_loop_test(t, swapped_under_load, 0, sizeof loaded / sizeof *loaded);
    return s;
}
